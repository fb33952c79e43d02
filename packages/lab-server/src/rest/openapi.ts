import * as v from 'valibot';
import type { ProblemId } from '../admin/problem.ts';
import { problemStatus } from '../admin/problem.ts';
import { errorView } from './components.ts';
import { type JsonSchema, SchemaComponents } from './json-schema.ts';
import { JSON_MEDIA_TYPE, LINES_MEDIA_TYPE, restMediaType } from './media-type.ts';
import { MAX_PAGE_ITEMS, PAGE_DEFAULT } from './paging.ts';
import { parameterSchema } from './query.ts';
import { type AnswerDeclaration, type BodyDeclaration, commonProblems, isOwnRoute, type Route } from './route.ts';
import { ID_PATTERN } from './router.ts';

/** An object of an OpenAPI document. */
type Node = Readonly<Record<string, unknown>>;

export interface OpenApiOptions {
  readonly routes: readonly Route[];
  /** Version of the API: that of this package. */
  readonly version: string;
  /** Path of the tenant on this server; absent: a template. */
  readonly base?: string | undefined;
}

const DESCRIPTION = `Admin REST of a uemkit lab server: what an administrator or a script does to it. Paths, media types, errors and paging follow the shape of
the publicly documented UEM REST API; \`docs/admin-rest.md\` says what is documented there and what is ours. Requests are checked by the schemas of this document.`;

/** The OpenAPI 3.1 document of these routes. The same schemas check requests. */
export function openApiDocument({ routes, version, base }: OpenApiOptions): Node {
  const components = new SchemaComponents();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    // The lab's own routes stand beside the tenant.
    const path = paths[route.path] ?? (isOwnRoute(route) ? { servers: [{ url: '/' }] } : {});
    path[route.method.toLowerCase()] = operation(route, components);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'uemkit lab server: admin REST', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [base === undefined ? TEMPLATE : { url: base }],
    security: [{ basic: [] }, { authorization: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        authorization: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'The value that POST /util/authorization gives' },
      },
      schemas: components.schemas(),
    },
  };
}

const TEMPLATE = {
  url: 'https://{admin}/{tenantGuid}/api/v1',
  variables: {
    admin: { default: 'localhost', description: 'Host and port of `admin` in the connection file' },
    tenantGuid: { default: 'tenant', description: '`tenantId` in the connection file' },
  },
};

function operation(route: Route, components: SchemaComponents): Node {
  const { id, summary, tag, role, body } = route;
  const parameters = [...pathParameters(route), ...listParameters(route), ...queryParameters(route)];
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(role === 'anybody' ? { security: [] } : { 'x-least-role': role }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: bodyContent(body, components) } }),
    responses: { ...answers(route, components), ...refusals(route, components) },
  };
}

function pathParameters({ parts = {} }: Route): readonly Node[] {
  return Object.entries(parts).map(([name, { is, pattern = ID_PATTERN }]) => ({
    name,
    in: 'path',
    required: true,
    description: is,
    schema: { type: 'string', pattern: pattern.source },
  }));
}

function listParameters({ list }: Route): readonly Node[] {
  if (list === undefined) return [];
  const fields = list.join('|');
  const parameter = (name: string, description: string, schema: JsonSchema): Node => ({ name, in: 'query', description, schema });
  return [
    parameter('max', 'Most items of the page', { type: 'integer', minimum: 1, maximum: MAX_PAGE_ITEMS, default: PAGE_DEFAULT }),
    parameter('offset', 'Items before the page', { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
    parameter('sortBy', 'Field, with ` DESC` behind it for descending order', { type: 'string', pattern: `^(${fields})( ASC| DESC)?$` }),
    parameter('query', '`field=value`, with `*` at the end for a beginning; comparisons ignore case', { type: 'string', pattern: `^(${fields})=` }),
  ];
}

function queryParameters({ query }: Route): readonly Node[] {
  if (query === undefined) return [];
  const { entries } = query as unknown as v.StrictObjectSchema<v.ObjectEntries, undefined>;
  return Object.entries(entries).map(([name, schema]) => {
    const optional = schema.type === 'optional';
    const inner = optional ? (schema as v.OptionalSchema<v.GenericSchema, undefined>).wrapped : (schema as v.GenericSchema);
    const description = v.getDescription(inner);
    return {
      name,
      in: 'query',
      ...(optional ? {} : { required: true }),
      ...(description === undefined ? {} : { description }),
      schema: parameterSchema(inner),
    };
  });
}

function bodyContent({ noun, schema }: BodyDeclaration<unknown>, components: SchemaComponents): Node {
  const content = { schema: components.schema(schema) };
  return { [JSON_MEDIA_TYPE]: content, ...(noun === undefined ? {} : { [restMediaType(noun)]: content }) };
}

const MEANINGS: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'Done; no body' };

function answers({ answers: declared }: Route, components: SchemaComponents): Node {
  const response = ({ is, headers }: AnswerDeclaration, status: string, content: Node | undefined): Node => ({
    description: is ?? MEANINGS[Number(status)] ?? status,
    ...(headers === undefined ? {} : { headers: Object.fromEntries(Object.entries(headers).map(([name, what]) => [name, headerOf(what)])) }),
    ...(content === undefined ? {} : { content }),
  });
  return Object.fromEntries(Object.entries(declared).map(([status, answer]) => [status, response(answer, status, answerContent(answer, components))]));
}

function headerOf(description: string): Node {
  return { description, schema: { type: 'string' } };
}

function answerContent({ noun, schema, mediaType, lines }: AnswerDeclaration, components: SchemaComponents): Node | undefined {
  const described = schema === undefined ? { type: 'string' } : components.schema(schema);
  if (mediaType !== undefined) return { [mediaType]: { schema: described } };
  if (schema === undefined) return undefined;
  const alternative = lines === undefined ? {} : { [LINES_MEDIA_TYPE]: { schema: components.schema(lines) } };
  return { [noun === undefined ? JSON_MEDIA_TYPE : restMediaType(noun)]: { schema: described }, ...alternative };
}

function refusals(route: Route, components: SchemaComponents): Node {
  const ids = new Map<number, ProblemId[]>();
  for (const id of new Set([...commonProblems(route), ...(route.problems ?? [])])) ids.set(problemStatus(id), [...(ids.get(problemStatus(id)) ?? []), id]);
  const content = { [restMediaType('error')]: { schema: components.schema(errorView) } };
  const listed = [...ids].map(([status, names]) => [status, { description: names.join(', '), 'x-error-ids': names, content }] as const);
  const tooLarge = route.body === undefined ? [] : [[413, { description: 'The body is over 1 MiB; no body' }] as const];
  return Object.fromEntries([...listed, ...tooLarge]);
}
