import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adminRestDocument } from '../../src/rest/route-table.ts';
import { AdminLab } from '../support/admin-lab.ts';

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
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const document = adminRestDocument() as Document;
const SEED = 20_260_101;
/** Refusals by the schemas, before a route does anything. */
const BY_SCHEMA = ['BAD_REQUEST', 'UNKNOWN_PROPERTY', 'INVALID_PROPERTY', 'INVALID_QUERY', 'NOT_FOUND'];
/** Rules between fields that a schema cannot say refuse every random body here: these are not reached behind their checks. */
const RULES_BEYOND_SCHEMA = ['addFault', 'createProfile', 'putMailSettings', 'putProfile', 'sendDeviceCommands'];
/** Requests of one operation; each one has another field, part or parameter wrong, or none. */
const REQUESTS = 30;
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

function requestOf(path: string, { parameters = [], requestBody }: Operation, ids: readonly string[]) {
  const texts = (place: string) =>
    fc.record(Object.fromEntries(parameters.filter((one) => one.in === place).map(({ name, schema }) => [name, anyOfSchema(schema, ids)])), {
      requiredKeys: place === 'path' ? parameters.filter((one) => one.in === place).map(({ name }) => name) : [],
    });
  const schema = requestBody?.content['application/json']?.schema;
  const body = schema === undefined ? fc.constant(undefined) : anyOfSchema(schema, ids);
  const stray = fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.webQueryParameters() });
  return fc.tuple(texts('path'), texts('query'), body, stray).map(([parts, query, json, more]) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encode(parts[name]));
    const asked = [...Object.entries(query).map(([name, value]) => `${name}=${encode(value)}`), more].filter((text) => text !== '').join('&');
    return { target: asked === '' ? filled : `${filled}?${asked}`, body: json };
  });
}

function encode(value: unknown): string {
  return encodeURIComponent(String(typeof value === 'object' ? JSON.stringify(value) : value).toWellFormed());
}

const OPERATIONS = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    method === 'servers' ? [] : [[operation.operationId, method.toUpperCase(), path.startsWith('/lab/') ? `/${path}` : path, operation] as const],
  ),
);

/** What stands in a field in turn; each field gets `JUNK_OF_A_FIELD` of them. */
const JUNK: readonly unknown[] = [
  null,
  -1,
  1.5,
  '',
  '\u0000',
  [],
  {},
  true,
  'x'.repeat(2_000),
  1e308,
  '__proto__',
  '../..',
  [[]],
  { a: { b: null } },
  '\ud800',
  '0',
];
const JUNK_OF_A_FIELD = 3;
type Place = readonly (string | number)[];

/** Every field of a body, also below lists and choices. */
function placesOf(schema: Schema, depth = 0): readonly Place[] {
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
function withJunk(value: unknown, [key, ...rest]: Place, wrong: unknown): unknown {
  if (key === undefined) return wrong;
  if (typeof key === 'number') return [withJunk(Array.isArray(value) ? value[0] : undefined, rest, wrong)];
  const known = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
  return { ...known, [key]: withJunk(Object.hasOwn(known, key) ? known[key] : undefined, rest, wrong) };
}

/** A lab with something in it, and the names of that. */
async function filled(): Promise<{ readonly lab: AdminLab; readonly ids: readonly string[]; state(): string }> {
  const lab = await AdminLab.start();
  const alice = await lab.admin.createUser({ username: 'alice' });
  await lab.addDevice(alice, 'd1');
  const { commandId } = await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE' });
  return { lab, ids: [alice.guid, 'd1', commandId, 'default', 'nothing'], state: () => lab.contents() + JSON.stringify(lab.faults.list()) };
}

describe(`every field, part and parameter of the OpenAPI document (seed ${SEED})`, () => {
  it('covers every operation', () => {
    expect(OPERATIONS.length).toBeGreaterThan(40);
  });

  it.each(OPERATIONS)('%s is answered below 500, without a trace of code; a refused request changes nothing', async (id, method, path, operation) => {
    const { lab, ids, state } = await filled();
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(requestOf(path, operation, ids), async ({ target, body }) => {
        const before = state();
        const { status, text, json } = await lab.ask(method, target, body);
        if (!BY_SCHEMA.includes(json?.id)) reached += 1;
        expect(status).toBeLessThan(500);
        expect(text).not.toMatch(/\.ts:\d|node:internal|\bat \w+ \(/);
        if (status >= 400) expect(state()).toBe(before);
      }),
      { seed: SEED, numRuns: REQUESTS },
    );
    if (!RULES_BEYOND_SCHEMA.includes(id)) expect(reached).toBeGreaterThan(0);
  });

  it('each field of each body alone holds what it must not: refused or taken, never a bug, and nothing is changed by a refusal', async () => {
    let fields = 0;
    for (const [, method, path, operation] of OPERATIONS) {
      const schema = operation.requestBody?.content['application/json']?.schema;
      if (schema === undefined) continue;
      const { lab, ids, state } = await filled();
      const [request = { target: path, body: undefined }] = fc.sample(requestOf(path, operation, ids), { seed: SEED, numRuns: 1 });
      const known = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (name === 'device' ? 'd1' : name === 'guid' ? (ids[0] as string) : 'default'));
      for (const [index, place] of placesOf(schema).entries()) {
        fields += 1;
        for (let turn = 0; turn < JUNK_OF_A_FIELD; turn++) {
          const body = withJunk(request.body, place, JUNK[(index * JUNK_OF_A_FIELD + turn) % JUNK.length]);
          const before = state();
          const { status, text } = await lab.ask(method, known, body);
          expect([status < 500, `${method} ${path} ${place.join('.')}`, text]).toEqual([true, `${method} ${path} ${place.join('.')}`, text]);
          expect(text).not.toMatch(/\.ts:\d|node:internal|\bat \w+ \(/);
          if (status >= 400) expect(state()).toBe(before);
        }
      }
    }
    expect(fields).toBeGreaterThan(200);
  });
});
