import { isDeepStrictEqual } from 'node:util';
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';

/** A JSON Schema of draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Makes JSON Schemas of the schemas that check, and gathers those with a title (`component`) as components of a document. */
export class SchemaComponents {
  // BOUNDED by the titles in the source.
  readonly #named = new Map<string, JsonSchema>();

  /** The schema, with references to its components. @throws Error when two schemas have one title */
  schema(schema: v.GenericSchema): JsonSchema {
    // What JSON Schema cannot say (flags of expressions, checks by code) is left out: the document says less than is checked, never something else.
    const { $schema: _dialect, ...whole } = toJsonSchema(schema, { errorMode: 'ignore', target: 'draft-2020-12', typeMode: 'input' });
    return this.#hoist(whole) as JsonSchema;
  }

  /** All components so far, by name. */
  schemas(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #hoist(node: unknown): unknown {
    if (Array.isArray(node)) return node.map((part) => this.#hoist(part));
    if (typeof node !== 'object' || node === null) return node;
    const copy = Object.fromEntries(Object.entries(node).map(([name, part]) => [name, this.#hoist(part)]));
    const { title, ...schema } = copy;
    if (typeof title !== 'string') return copy;
    const known = this.#named.get(title);
    if (known !== undefined && !isDeepStrictEqual(known, schema)) throw new Error(`two schemas are called ${title}`);
    this.#named.set(title, schema);
    return { $ref: `#/components/schemas/${title}` };
  }
}
