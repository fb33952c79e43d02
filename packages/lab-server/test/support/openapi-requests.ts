import fc from 'fast-check';
import { adminRestDocument } from '../../src/rest/route-table.ts';
import type { FilledLab } from './filled-lab.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly pattern?: string;
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}
export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const document = adminRestDocument() as Document;
const MOST_DEEP = 6;

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(-1, 1.5, 1e308, '', '\u0000', '\ud800', '__proto__', '../..', 'x'.repeat(2_000), [], {}, null),
);

/** Values of a schema, and now and then something else in any place of it. */
function anyOfSchema(schema: Schema, ids: readonly string[], depth = 0): fc.Arbitrary<unknown> {
  if (depth > MOST_DEEP) return junk;
  return fc.oneof({ weight: 29, arbitrary: fittingOf(schema, ids, depth) }, { weight: 1, arbitrary: junk });
}

function fittingOf(schema: Schema, ids: readonly string[], depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fittingOf(document.components.schemas[schema.$ref.split('/').at(-1) as string] as Schema, ids, depth);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => anyOfSchema(one, ids, depth + 1)));
  const { properties = {}, required = [], items = {}, minimum = -10, maximum = 1_000_000 } = schema;
  switch (schema.type) {
    case 'object': {
      const fields = Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, anyOfSchema(part, ids, depth + 1)]));
      const whole = fc.record(fields, { requiredKeys: [...required] });
      return fc.oneof(
        { weight: 9, arbitrary: whole },
        { weight: 1, arbitrary: fc.tuple(whole, fc.string()).map(([value, name]) => ({ ...value, [name]: 1 })) },
      );
    }
    case 'array':
      return fc.array(anyOfSchema(items, ids, depth + 1), { maxLength: 3 });
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(minimum, -1_000_000), max: Math.max(Math.min(maximum, 1_000_000), Math.max(minimum, -1_000_000)) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return textOf(schema, ids);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function textOf({ pattern, format, contentEncoding }: Schema, ids: readonly string[]): fc.Arbitrary<string> {
  const any = fc.oneof(fc.constantFrom(...ids), fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ minLength: 1, maxLength: 20 }));
  const known = fc.constantFrom(...ids);
  // Most requests have to get past the schemas: what is refused later is what may have changed something.
  const fitting =
    format === 'date-time'
      ? fc.date({ min: new Date(Date.UTC(2026, 0, 2)), max: new Date(Date.UTC(2026, 0, 20)), noInvalidDate: true }).map((time) => time.toISOString())
      : contentEncoding === 'base64'
        ? fc.base64String({ minLength: 12, maxLength: 40 })
        : pattern === undefined || ids.some((id) => new RegExp(pattern, 'u').test(id))
          ? known
          : matching(pattern);
  return fc.oneof({ weight: 14, arbitrary: fitting }, { weight: 1, arbitrary: any });
}

/** Not every expression can be turned round; then any text has to do. */
function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'), { size: 'small' });
  } catch {
    return fc.string();
  }
}

/**
 * Requests of an operation that fit its schemas, but for something wrong now and then in any place.
 * @param known a body that is taken, for every other request: where rules between fields let no random body in
 */
export function requestOf(path: string, { parameters = [], requestBody }: Operation, { ids, parts }: FilledLab, known?: object) {
  const named = (place: string) => parameters.filter((one) => one.in === place);
  const query = fc.record(Object.fromEntries(named('query').map(({ name, schema }) => [name, anyOfSchema(schema, ids)])), { requiredKeys: [] });
  // Most requests name what there is: what is refused late is what may have changed something.
  const part = (name: string, schema: Schema): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(partOf(path, name, parts)) }, { weight: 1, arbitrary: anyOfSchema(schema, ids) });
  const partsOfPath = fc.record(Object.fromEntries(named('path').map(({ name, schema }) => [name, part(name, schema)])));
  const schema = requestBody?.content['application/json']?.schema;
  const random = schema === undefined ? fc.constant(undefined) : anyOfSchema(schema, ids);
  const body = known === undefined ? random : fc.oneof(random, fc.constant(known));
  const stray = fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.webQueryParameters() });
  return fc.tuple(partsOfPath, query, body, stray).map(([filled, asked, json, more]) => {
    const target = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encode(filled[name]));
    const all = [...Object.entries(asked).map(([name, value]) => `${name}=${encode(value)}`), more].filter((text) => text !== '').join('&');
    return { target: all === '' ? target : `${target}?${all}`, body: json };
  });
}

/** Name of what there is at this place of a path. */
function partOf(path: string, name: string, known: FilledLab['parts']): string {
  const place = /\/\w+\/\{\w+\}$/.exec(path.slice(0, path.indexOf(`{${name}}`) + name.length + 2))?.[0] ?? '';
  const id = known[place];
  if (id === undefined) throw new Error(`${path}: nothing in the lab is called ${place}`);
  return id;
}

/** A path whose parts all name something that there is. */
export function knownPath(path: string, known: FilledLab['parts']): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => partOf(path, name, known));
}

function encode(value: unknown): string {
  return encodeURIComponent(String(typeof value === 'object' ? JSON.stringify(value) : value).toWellFormed());
}

/** Id, method, path as `AdminLab.ask` takes it, and the rest of each operation. */
export const OPERATIONS = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    method === 'servers' ? [] : [[operation.operationId, method.toUpperCase(), path.startsWith('/lab/') ? `/${path}` : path, operation] as const],
  ),
);

/** Where a field is in a body. */
export type Place = readonly (string | number)[];

/** Every field of a body, also below lists and choices. */
export function placesOf(schema: Schema, depth = 0): readonly Place[] {
  if (depth > MOST_DEEP) return [];
  if (schema.$ref !== undefined) return placesOf(document.components.schemas[schema.$ref.split('/').at(-1) as string] as Schema, depth);
  const { anyOf = [], properties = {}, items, additionalProperties } = schema;
  const below = (key: string | number, part: Schema): readonly Place[] => [[key], ...placesOf(part, depth + 1).map((place) => [key, ...place])];
  const all = [
    ...anyOf.flatMap((one) => placesOf(one, depth + 1)),
    ...Object.entries(properties).flatMap(([name, part]) => below(name, part)),
    ...(items === undefined ? [] : below(0, items)),
    ...(typeof additionalProperties === 'object' ? below('ios', additionalProperties) : []),
  ];
  return [...new Map(all.map((place) => [JSON.stringify(place), place])).values()];
}

/** The same value with `junk` in that place; what is not there on the way is made. */
export function withJunk(value: unknown, [key, ...rest]: Place, wrong: unknown): unknown {
  if (key === undefined) return wrong;
  if (typeof key === 'number') return [withJunk(Array.isArray(value) ? value[0] : undefined, rest, wrong)];
  const known = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
  return { ...known, [key]: withJunk(Object.hasOwn(known, key) ? known[key] : undefined, rest, wrong) };
}
