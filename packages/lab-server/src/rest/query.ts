import * as v from 'valibot';
import { AdminProblem } from '../admin/problem.ts';
import { type JsonSchema, SchemaComponents } from './json-schema.ts';
import { LIST_PARAMETERS, type ListQuery, listQuery } from './paging.ts';
import type { Route } from './route.ts';

/** What the query of a request says. */
export interface ReadQuery {
  readonly list: ListQuery;
  /** Output of the declared schema; undefined without one. */
  readonly query: unknown;
}

/**
 * Reads the query of a request as the route declares it: a parameter that is not declared, or given twice, is refused.
 * @throws AdminProblem `INVALID_QUERY` with the name of the parameter
 */
export function readQuery({ list, query: schema }: Pick<Route, 'list' | 'query'>, text: string): ReadQuery {
  const given = new Map<string, string>();
  if (text !== '') {
    for (const [name, value] of new URLSearchParams(text)) {
      if (given.has(name)) throw wrong(name, 'is given twice');
      given.set(name, value);
    }
  }
  const listed = listQuery(list === undefined ? NOTHING : given, list ?? []);
  const others: Record<string, string> = {};
  for (const [name, value] of given) {
    if (list !== undefined && LIST_PARAMETERS.includes(name)) continue;
    if (schema === undefined) throw wrong(name, 'is no parameter of this route');
    others[name] = value;
  }
  return { list: listed, query: schema === undefined ? undefined : checked(schema, others) };
}

const NOTHING: ReadonlyMap<string, string> = new Map();

function checked(schema: NonNullable<Route['query']>, given: Record<string, string>): unknown {
  const result = v.safeParse(schema, given, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = v.getDotPath(issue) ?? 'query';
  if (issue.type === 'strict_object' && issue.expected === 'never') throw wrong(name, 'is no parameter of this route');
  throw wrong(name, issue.received === 'undefined' ? 'is missing' : issue.message.replace(/ but received [\s\S]*$/, ''));
}

function wrong(name: string, problem: string): AdminProblem {
  return new AdminProblem('INVALID_QUERY', `${name} ${problem}`);
}

/** Schema of a whole number in a query. */
export function wholeNumberText(min: number, max: number): v.GenericSchema<string, number> {
  return v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,16}$/, 'is not a whole number'),
    v.transform(Number),
    v.minValue(min, `is below ${min}`),
    v.maxValue(max, `is above ${max}`),
    v.metadata({ [PARAMETER]: { type: 'integer', minimum: min, maximum: max } }),
  );
}

/** Name of the metadata that says what a parameter is, where its text is only how it travels. */
const PARAMETER = 'parameter';

/** JSON Schema of one query parameter. */
export function parameterSchema(schema: v.GenericSchema): JsonSchema {
  const { [PARAMETER]: declared } = v.getMetadata(schema);
  return (declared as JsonSchema | undefined) ?? new SchemaComponents().schema(schema);
}
