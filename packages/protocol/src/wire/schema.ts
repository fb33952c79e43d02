import { utf8Length } from '../bytes/bytes.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CborMap, CborValue } from './cbor/value.ts';
import { isCborMap } from './cbor/value.ts';
import { LIMITS } from './limits.ts';

/** Two-way mapping between a value of a message field and CBOR. `field` names the place in errors. */
export interface FieldType<T> {
  encode(value: T, field: string): CborValue;
  /** @throws ProtocolError `ERR_WIRE_*` */
  decode(value: CborValue, field: string): T;
}

function fail(code: ErrorCode, field: string, problem: string): never {
  throw new ProtocolError(code, `${field}: ${problem}`, { details: { field } });
}

/** A field type whose values are checked the same way in both directions. */
function checked<T extends CborValue>(check: (value: CborValue, field: string) => T): FieldType<T> {
  return { encode: check, decode: check };
}

/** An unsigned integer from `min` to `max`. */
export function uint(min = 0, max: number = Number.MAX_SAFE_INTEGER): FieldType<number> {
  return checked((value, field) => {
    if (typeof value !== 'number') fail('ERR_WIRE_TYPE', field, 'is not a number');
    if (value < min || value > max) fail('ERR_WIRE_FIELD', field, 'number out of range');
    return value;
  });
}

/** A byte string of `min` to `max` bytes; of exactly `min` bytes when `max` is left out. */
export function bytes(min: number, max: number = min): FieldType<Uint8Array> {
  return checked((value, field) => {
    if (!(value instanceof Uint8Array)) fail('ERR_WIRE_TYPE', field, 'is not a byte string');
    if (value.length < min || value.length > max) fail('ERR_WIRE_LENGTH', field, 'byte string has another length');
    return value;
  });
}

/** Text of `min` to `max` UTF-8 bytes. */
export function text(min = 1, max: number = LIMITS.textBytes): FieldType<string> {
  return checked((value, field) => {
    if (typeof value !== 'string') fail('ERR_WIRE_TYPE', field, 'is not text');
    const lengthBytes = utf8Length(value);
    if (lengthBytes < min || lengthBytes > max) fail('ERR_WIRE_LENGTH', field, 'text has another length');
    return value;
  });
}

/** A boolean. */
export function bool(): FieldType<boolean> {
  return checked((value, field) => {
    if (typeof value !== 'boolean') fail('ERR_WIRE_TYPE', field, 'is not a boolean');
    return value;
  });
}

/** One of a closed set of words. */
export function oneOf<T extends string>(...words: readonly T[]): FieldType<T> {
  return checked((value, field) => {
    if (!words.includes(value as T)) fail('ERR_WIRE_FIELD', field, 'is not one of the known words');
    return value as T;
  });
}

/** A number on the wire that stands for one of a closed set of words, by its place in the list. */
export function numbered<T extends string>(...words: readonly T[]): FieldType<T> {
  return {
    encode(value, field) {
      const number = words.indexOf(value);
      return number < 0 ? fail('ERR_WIRE_FIELD', field, 'is not one of the known words') : number;
    },
    decode(value, field) {
      const word = typeof value === 'number' ? words[value] : fail('ERR_WIRE_TYPE', field, 'is not a number');
      return word ?? fail('ERR_WIRE_FIELD', field, 'number without a meaning');
    },
  };
}

/** A number on the wire that stands for a word, by an explicit table. */
export function coded<T extends string>(codes: Readonly<Record<T, number>>): FieldType<T> {
  const words = new Map(Object.entries<number>(codes).map(([word, code]) => [code, word as T]));
  return {
    encode: (value, field) => codes[value] ?? fail('ERR_WIRE_FIELD', field, 'is not one of the known words'),
    decode(value, field) {
      const word = typeof value === 'number' ? words.get(value) : fail('ERR_WIRE_TYPE', field, 'is not a number');
      return word ?? fail('ERR_WIRE_FIELD', field, 'number without a meaning');
    },
  };
}

/** An array of `min` to `max` items of one type. */
export function arrayOf<T>(item: FieldType<T>, min: number, max: number): FieldType<readonly T[]> {
  const checkCount = (count: number, field: string): void => {
    if (count < min || count > max) fail('ERR_WIRE_LENGTH', field, 'array has another number of items');
  };
  return {
    encode(value, field) {
      checkCount(value.length, field);
      return value.map((entry, index) => item.encode(entry, `${field}[${index}]`));
    },
    decode(value, field) {
      if (!Array.isArray(value)) fail('ERR_WIRE_TYPE', field, 'is not an array');
      const items = value as readonly CborValue[];
      checkCount(items.length, field);
      return items.map((entry, index) => item.decode(entry, `${field}[${index}]`));
    },
  };
}

/** A free document with text keys: policies, profiles, command properties. Bounded by the limits of the codec only. */
export function document(): FieldType<WireDocument> {
  return {
    encode: (value, field) => toCbor(value, field, 0),
    decode(value, field) {
      if (!isCborMap(value)) fail('ERR_WIRE_TYPE', field, 'is not a map');
      return fromCborMap(value, field);
    },
  };
}

/** What a free document may hold. */
export type WireDocumentValue = number | string | boolean | Uint8Array | readonly WireDocumentValue[] | WireDocument;

/** A document: text keys, no prototype. */
export interface WireDocument {
  readonly [key: string]: WireDocumentValue;
}

function toCbor(value: WireDocumentValue, field: string, depth: number): CborValue {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  // Checked here too: a document that holds itself would never end.
  if (depth > LIMITS.cborDepth) fail('ERR_WIRE_LIMIT', field, 'nested too deep');
  if (Array.isArray(value)) return (value as readonly WireDocumentValue[]).map((item) => toCbor(item, field, depth + 1));
  const map = new Map<string, CborValue>();
  for (const [key, item] of Object.entries(value as WireDocument)) map.set(key, toCbor(item, field, depth + 1));
  return map;
}

function fromCborMap(map: CborMap, field: string): WireDocument {
  const plain: Record<string, WireDocumentValue> = Object.create(null);
  for (const [key, value] of map) {
    if (typeof key !== 'string') fail('ERR_WIRE_TYPE', field, 'map has a key that is not text');
    plain[key] = fromCbor(value, field);
  }
  return plain;
}

function fromCbor(value: CborValue, field: string): WireDocumentValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (isCborMap(value)) return fromCborMap(value, field);
  return value.map((item) => fromCbor(item, field));
}

/** One field of a structure: its integer key, its type, and whether it may be left out. */
export interface Field<T> {
  readonly key: number;
  readonly type: FieldType<T>;
  readonly optional: boolean;
}

/** A field that must be there. */
export function required<T>(key: number, type: FieldType<T>): Field<T> {
  return { key, type, optional: false };
}

/** A field that may be left out. */
export function optional<T>(key: number, type: FieldType<T>): Field<T> {
  return { key, type, optional: true };
}

/** The fields of a structure, by the property names of `T`. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** Keys from here on are for later versions: unknown ones are passed over. Below, they are refused. */
const FIRST_IGNORED_KEY = 64;

/** A map with integer keys. Used for the body of every message and for structures inside one. */
export function structure<T extends object>(fields: Fields<T>): FieldType<T> {
  const entries = Object.entries(fields) as [string, Field<unknown>][];
  const known = new Set(entries.map(([, field]) => field.key));
  return {
    encode(value, at) {
      const map = new Map<number, CborValue>();
      for (const [name, field] of entries) {
        const part = (value as Record<string, unknown>)[name];
        if (part !== undefined) map.set(field.key, field.type.encode(part, `${at}.${name}`));
        else if (!field.optional) fail('ERR_WIRE_FIELD', `${at}.${name}`, 'is missing');
      }
      return map;
    },
    decode(value, at) {
      if (!isCborMap(value)) fail('ERR_WIRE_TYPE', at, 'is not a map');
      for (const key of value.keys()) {
        if (typeof key !== 'number') fail('ERR_WIRE_TYPE', at, 'map has a key that is not a number');
        if (key < FIRST_IGNORED_KEY && !known.has(key)) fail('ERR_WIRE_FIELD', at, 'unknown field');
      }
      const decoded: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const part = value.get(field.key);
        if (part !== undefined) decoded[name] = field.type.decode(part, `${at}.${name}`);
        else if (!field.optional) fail('ERR_WIRE_FIELD', `${at}.${name}`, 'is missing');
      }
      return decoded as T;
    },
  };
}
