import { didYouMean, wordHint } from './did-you-mean.ts';
import { INVALID, type Invalid, type Place, type Read } from './place.ts';

/** Text of 1 to 200 characters. */
export const text: Read<string> = (place) => {
  const value = place.scalar();
  return typeof value === 'string' && value.length > 0 && value.length <= 200 ? value : place.wrong(`expected text, found ${place.describe()}`);
};

/** A name that also stands in user names and paths. */
export const name: Read<string> = (place) => {
  const value = place.scalar();
  if (typeof value === 'string' && /^[a-z0-9][a-z0-9-]{0,31}$/.test(value)) return value;
  return place.wrong(`expected a name of lower-case letters, digits and hyphens, found ${place.describe()}`);
};

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): Read<number> {
  return (place) => {
    const value = place.scalar();
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    return place.wrong(`expected a whole number from ${min} to ${max}, found ${place.describe()}`);
  };
}

/** A number above 0 up to `max`. */
export function positive(max: number): Read<number> {
  return (place) => {
    const value = place.scalar();
    if (typeof value === 'number' && value > 0 && value <= max) return value;
    return place.wrong(`expected a number above 0 and up to ${max}, found ${place.describe()}`);
  };
}

/** A share: `10%` or a number from 0 to 1. */
export const share: Read<number> = (place) => {
  const value = place.scalar();
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  const percent = typeof value === 'string' ? /^(\d{1,3}(?:\.\d{1,3})?) ?%$/.exec(value)?.[1] : undefined;
  if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100;
  return place.wrong(`expected a share, found ${place.describe()}`, 'write 10% or 0.1');
};

const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };
const MAX_DURATION_MS = 7 * 86_400_000;

/** Milliseconds of a time such as `1.5s`; undefined when it is none. */
export function parseDuration(value: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|min|h)$/.exec(value);
  const unit = DURATION_UNITS_MS[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  const milliseconds = Math.round(Number(match[1]) * unit);
  return milliseconds <= MAX_DURATION_MS ? milliseconds : undefined;
}

/** A time with its unit, in milliseconds, up to a week. */
export const duration: Read<number> = (place) => {
  const value = place.scalar();
  const milliseconds = typeof value === 'string' ? parseDuration(value) : undefined;
  return milliseconds ?? place.wrong(`expected a time, found ${place.describe()}`, 'write it with its unit: 500ms, 10s, 5min or 2h');
};

/** A longer list of words hides the one that was meant. */
const LONG_LIST_WORDS = 10;

/** One of a closed set of words. */
export function oneOf<T extends string>(words: readonly T[]): Read<T> {
  return (place) => {
    const value = place.scalar();
    if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as T;
    const meant = typeof value === 'string' ? didYouMean(value, words) : undefined;
    if (meant !== undefined && words.length > LONG_LIST_WORDS) return place.wrong(`${place.describe()} is not known here`, `did you mean ${meant}?`);
    return place.wrong(`expected one of ${words.join(', ')}, found ${place.describe()}`, meant === undefined ? undefined : `did you mean ${meant}?`);
  };
}

/** A list of up to `max` items. */
export function listOf<T>(item: Read<T>, max: number, min = 0): Read<readonly T[]> {
  return (place) => {
    const items = place.items();
    if (items === undefined) return place.wrong(`expected a list, found ${place.describe()}`);
    if (items.length > max || items.length < min) return place.wrong(`expected ${min} to ${max} items, found ${items.length}`);
    const values = items.map(item);
    return values.includes(INVALID) ? INVALID : (values as readonly T[]);
  };
}

/** One field of a record. */
export interface FieldRule<T> {
  readonly read: Read<T>;
  readonly fallback?: { readonly value: T };
}

export function required<T>(read: Read<T>): FieldRule<T> {
  return { read };
}

export function withDefault<T>(read: Read<T>, value: T): FieldRule<T> {
  return { read, fallback: { value } };
}

export function optional<T>(read: Read<T>): FieldRule<T | undefined> {
  return { read, fallback: { value: undefined } };
}

export type FieldRules<T> = { readonly [K in keyof T]: FieldRule<T[K]> };

/** A map with known fields only. An unknown or repeated field is a problem, with a hint. */
export function record<T extends object>(rules: FieldRules<T>): Read<T> {
  const known = Object.keys(rules);
  const byName = new Map<string, FieldRule<unknown>>(Object.entries(rules) as [string, FieldRule<unknown>][]);
  return (place) => {
    const entries = place.entries();
    if (entries === undefined) return place.wrong(`expected a map with ${known.join(', ')}, found ${place.describe()}`);
    const values: Record<string, unknown> = {};
    let invalid = false;
    for (const { key, keyPlace, value } of entries) {
      const rule = byName.get(key);
      const read = rule === undefined ? keyPlace.wrong('unknown field', wordHint(key, known)) : rule.read(value);
      if (read === INVALID) invalid = true;
      values[key] = read;
    }
    for (const [field, rule] of byName) {
      if (Object.hasOwn(values, field)) continue;
      if (rule.fallback !== undefined) values[field] = rule.fallback.value;
      else {
        place.wrong(`${field} is missing`);
        invalid = true;
      }
    }
    return invalid ? INVALID : (values as T);
  };
}

/** Properties of a command: text, numbers from 0, booleans, lists and maps of these. */
export type PropertyValue = string | number | boolean | readonly PropertyValue[] | { readonly [key: string]: PropertyValue };

/** A free document such as a policy. */
export const properties: Read<{ readonly [key: string]: PropertyValue }> = (place) => {
  const entries = place.entries();
  if (entries === undefined) return place.wrong(`expected a map, found ${place.describe()}`);
  const values: Record<string, PropertyValue> = Object.create(null);
  let invalid = false;
  for (const { key, value } of entries) {
    const read = propertyValue(value);
    if (read === INVALID) invalid = true;
    else values[key] = read;
  }
  return invalid ? INVALID : values;
};

function propertyValue(place: Place): PropertyValue | Invalid {
  if (place.entries() !== undefined) return properties(place);
  const items = place.items();
  if (items !== undefined) {
    const values = items.map(propertyValue);
    return values.includes(INVALID) ? INVALID : (values as readonly PropertyValue[]);
  }
  const value = place.scalar();
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  return place.wrong(`a property is text, a whole number from 0, true or false, a list or a map, not ${place.describe()}`);
}
