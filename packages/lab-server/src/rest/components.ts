import * as v from 'valibot';
import { PROBLEM_IDS } from '../admin/problem.ts';

/** A checked body of type `T`. */
export type BodySchema<T> = v.GenericSchema<unknown, T>;

/** Gives a schema a name of its own in the OpenAPI document, and so in generated clients. One name has one schema. */
export function component<T>(name: string, schema: BodySchema<T>): BodySchema<T> {
  return v.pipe(schema, v.title(name)) as BodySchema<T>;
}

/** Schema of an object that is answered: what is not declared is not answered. */
export type ViewSchema = v.GenericSchema;

/** One line of text for people: at least one character, no control characters. */
export function line(max: number): v.GenericSchema<string> {
  return v.pipe(v.string(), v.minLength(1), v.maxLength(max), v.regex(/^[^\p{Cc}\p{Cs}]*$/u, 'has control characters, or is no Unicode text'));
}

/** A guid as it is answered. */
export const guidText: v.GenericSchema<string> = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
/** A time as it is answered: ISO 8601, UTC, with milliseconds. */
export const timeText: v.GenericSchema<string> = v.pipe(v.string(), v.isoTimestamp());

/** Links of an object or page, `href` from the root of the server. */
export const linksView: ViewSchema = v.array(component('Link', v.strictObject({ rel: v.string(), href: v.string() })));

/** Answer of a list: the items under `name`, and links to the pages before and after. */
export function pageView(title: string, name: string, item: ViewSchema): ViewSchema {
  return component(title, v.strictObject({ [name]: v.array(item), links: linksView }));
}

/** Every refusal, in the documented shape. */
export const errorView: ViewSchema = component(
  'Error',
  v.strictObject({ id: v.picklist(PROBLEM_IDS), subStatusCode: v.pipe(v.number(), v.integer()), message: v.string() }),
);
