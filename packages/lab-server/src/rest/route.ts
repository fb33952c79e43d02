import type * as v from 'valibot';
import type { Caller, LeastRole } from '../admin/admin-role.ts';
import type { PlannedChange } from '../admin/planned-change.ts';
import type { ProblemId } from '../admin/problem.ts';
import type { BodySchema } from './components.ts';
import type { MediaNoun } from './media-type.ts';
import type { ListQuery } from './paging.ts';
import type { RouteResult } from './rest-request.ts';

/** Names in braces of a path: `guid` and `device` of `/users/{guid}/userDevices/{device}`. */
export type PartNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | PartNames<Rest> : never;

/** A query parameter arrives as text; its schema may make something else of it. */
export type QuerySchema<Query> = v.GenericSchema<unknown, Query>;

/** What a request may carry. Without `noun` the body is plain JSON. */
export interface BodyDeclaration<Body> {
  readonly noun?: MediaNoun | undefined;
  readonly schema: BodySchema<Body>;
}

/** What an answer of one status carries: JSON of a schema (with `noun` under its media type), text, or nothing. */
export interface AnswerDeclaration {
  /** What it means, where the status does not say it. */
  readonly is?: string | undefined;
  readonly noun?: MediaNoun | undefined;
  readonly schema?: v.GenericSchema | undefined;
  /** Names of headers that come with it, and what they hold. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Media type of an answer that is no JSON document. */
  readonly mediaType?: 'text/plain' | undefined;
  /** What comes in its place for a caller who accepts `application/x-ndjson`: one JSON document a line. */
  readonly lines?: v.GenericSchema | undefined;
}

/** What a route is given: everything that was declared, checked. */
export interface RouteCall<Path extends string = string, Body = unknown, Query = unknown, Field extends string = string> {
  /** Parts of the path, by name. */
  readonly parts: Readonly<Record<PartNames<Path>, string>>;
  readonly body: Body;
  readonly query: Query;
  /** The part of the list that was asked for; without a declared list all of it. */
  readonly list: ListQuery<Field>;
  readonly caller: Caller;
  /** False as soon as the credentials of the request would be refused: for answers that go on. */
  mayStillCall(): boolean;
  /** The caller accepts the declared lines. */
  readonly wantsLines: boolean;
  /** Path of the tenant, for links: `/<tenant>/api/v1`. */
  readonly base: string;
}

/** How a route answers. */
type Answering<Call> =
  | {
      run(call: Call): RouteResult | Promise<RouteResult>;
      readonly change?: undefined;
    }
  | {
      /** For what is one change of the state: it is made in one transaction with its entry in the audit log. @throws AdminProblem, or rejects with one */
      change(call: Call): PlannedChange<RouteResult> | Promise<PlannedChange<RouteResult>>;
      readonly run?: undefined;
    };

/** One method of one path, with everything that a caller may send and get. Requests are checked by it, and the OpenAPI document is made from it. */
interface RouteDeclaration<Path extends string, Body, Query, Field extends string> {
  /** Name of the operation in generated clients: `listUsers`. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Under `/<tenant>/api/v1`, or from the root when it begins with `/lab/v1/`. Parts in braces are names: `/users/{guid}`. */
  readonly path: Path;
  /** One line. */
  readonly summary: string;
  /** Group in the document. */
  readonly tag: string;
  /** The least role that may call it. */
  readonly role: LeastRole;
  /** What some bodies ask for needs more than `role`. */
  roleOf?(body: Body): LeastRole;
  /** The answer is a list with `max`, `offset`, `sortBy` and `query` over these fields. */
  readonly list?: readonly Field[] | undefined;
  /** Further query parameters: a strict object of texts. */
  readonly query?: QuerySchema<Query> | undefined;
  readonly body?: BodyDeclaration<Body> | undefined;
  /** By status; what `run` may answer. */
  readonly answers: Readonly<Record<number, AnswerDeclaration>>;
  /** Refusals of this route, besides those that follow from the declaration (`commonProblems`). */
  readonly problems?: readonly ProblemId[] | undefined;
}

/** A pattern that parts of a path follow; anything else names nothing and is answered with 404. */
export interface PartDeclaration {
  readonly is: string;
  readonly pattern?: RegExp | undefined;
}

type PartsOf<Path extends string> = [PartNames<Path>] extends [never]
  ? { readonly parts?: undefined }
  : { readonly parts: Readonly<Record<PartNames<Path>, PartDeclaration>> };

/** A declared route, whatever its types are. */
export type Route = RouteDeclaration<string, unknown, unknown, string> & {
  readonly parts?: Readonly<Record<string, PartDeclaration>> | undefined;
} & Answering<RouteCall<never>>;

/** Declares a route; what `run` or `change` is given follows from the declaration. */
export function route<const Path extends string, Body = undefined, Query = undefined, Field extends string = never>(
  declaration: RouteDeclaration<Path, Body, Query, Field> & PartsOf<Path> & Answering<RouteCall<Path, Body, Query, Field>>,
): Route {
  return declaration as unknown as Route;
}

/** True for a route of the lab itself, which stands beside the documented ones. */
export function isOwnRoute({ path }: Pick<Route, 'path'>): boolean {
  return path.startsWith('/lab/v1/');
}

/** Refusals that follow from what a route declares; the document names them with each route. */
export function commonProblems(declared: Pick<Route, 'body' | 'role' | 'method' | 'path' | 'parts'>): readonly ProblemId[] {
  const { body, role, method, parts } = declared;
  return [
    'INVALID_QUERY',
    ...(role === 'anybody' ? [] : (['NOT_AUTHENTICATED', 'NOT_AUTHORIZED'] as const)),
    ...(parts === undefined ? [] : (['NOT_FOUND'] as const)),
    ...(isOwnRoute(declared) ? [] : (['TENANT_NOT_FOUND'] as const)),
    ...(body === undefined ? [] : (['BAD_REQUEST', 'UNKNOWN_PROPERTY', 'INVALID_PROPERTY', 'UNSUPPORTED_MEDIA_TYPE'] as const)),
    'INTERNAL',
    ...(method === 'GET' ? [] : (['BUSY'] as const)),
  ];
}
