import { type Clock, isProtocolError } from '@uemkit/protocol';
import { AdminProblem } from '../admin/problem.ts';
import type { Journal } from '../roles/role.ts';
import type { Authorization } from './authorization.ts';
import { acceptsBody, JSON_MEDIA_TYPE, restMediaType } from './media-type.ts';
import type { RestRequest, RestResponse, Route, RouteResult } from './rest-request.ts';
import { createRouter, type Match } from './router.ts';

/** Largest body of an administrative request. */
export const MAX_REST_BODY_BYTES = 1_048_576;

export interface RestHandlerOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly tenantId: string;
  readonly authorization: Authorization;
  /** Under `/<tenant>/api/v1`. */
  readonly tenantRoutes: readonly Route[];
  /** From the root of the listener. */
  readonly ownRoutes: readonly Route[];
}

/** The admin REST API without sockets. Never throws; a refused request changes nothing. */
export function restHandler(options: RestHandlerOptions): (request: RestRequest) => Promise<RestResponse> {
  const { clock, journal, authorization } = options;
  const base = `/${options.tenantId}/api/v1`;
  const tenantRouter = createRouter(options.tenantRoutes);
  const ownRouter = createRouter(options.ownRoutes);

  const find = ({ method, path }: RestRequest): Match => {
    const own = /^\/[^/]+\/api\/v1(\/.*)?$/.exec(path);
    if (own === null) return ownRouter.match(method, path);
    if (!path.startsWith(`${base}/`)) throw new AdminProblem('TENANT_NOT_FOUND', 'there is no such tenant here');
    return tenantRouter.match(method, path.slice(base.length));
  };

  const run = async (request: RestRequest, { match, problem }: Found): Promise<RouteResult> => {
    // Who has no credentials learns nothing of which paths there are, but for the open ones.
    if (match?.route.open !== true) authorization.require(single(request.headers['authorization']));
    if (match === undefined) throw problem;
    return match.route.run({ parts: match.parts, query: new URLSearchParams(request.query), json: bodyOf(request, match.route), base });
  };

  return async (request) => {
    let result: RouteResult | undefined;
    let response: RestResponse;
    let reason: string | undefined;
    const found = attempt(find, request);
    try {
      result = await run(request, found);
      response = toResponse(result);
    } catch (error) {
      const problem = problemOf(error);
      reason = problem.id === 'INTERNAL' && error instanceof Error ? `${error.name}: ${error.message}` : `${problem.id} ${problem.message}`;
      response = json(problem.status, restMediaType('error'), problem.body(), problem.headers);
    }
    const { status } = response;
    journal.record({
      timeMs: clock.nowMs(),
      role: 'uem',
      service: 'admin',
      request: `${request.method} ${request.path}`,
      answer: String(status),
      source: request.source,
      deviceId: result?.deviceId,
      userId: result?.userId,
      reason,
      unknown: found.match === undefined ? true : undefined,
    });
    return response;
  };
}

/** The route of a request, or why there is none. */
interface Found {
  readonly match?: Match;
  readonly problem?: unknown;
}

function attempt(find: (request: RestRequest) => Match, request: RestRequest): Found {
  try {
    return { match: find(request) };
  } catch (problem) {
    return { problem };
  }
}

function bodyOf(request: RestRequest, route: Route): unknown {
  const expected = route.takes !== undefined || route.json === true;
  if (!expected) return undefined;
  const contentType = (single(request.headers['content-type']) ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!acceptsBody(contentType, route.takes)) {
    const types = route.takes === undefined ? JSON_MEDIA_TYPE : `${restMediaType(route.takes)} or ${JSON_MEDIA_TYPE}`;
    throw new AdminProblem('UNSUPPORTED_MEDIA_TYPE', `the body has to be ${types}`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.body));
  } catch {
    throw new AdminProblem('BAD_REQUEST', 'the body is not JSON in UTF-8');
  }
}

function problemOf(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error;
  if (isProtocolError(error) && (error.code === 'ERR_STORE_WRITE' || error.code === 'ERR_REJECTED_BUSY')) {
    return new AdminProblem('BUSY', 'nothing can be stored now; nothing was changed', { 'retry-after': '1' });
  }
  return new AdminProblem('INTERNAL', 'this is a bug of the lab server; its journal has more');
}

function toResponse({ status, noun, body, headers = {} }: RouteResult): RestResponse {
  if (body === undefined) return { status, headers, body: '' };
  if (typeof body === 'string') return { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body };
  return json(status, noun === undefined ? JSON_MEDIA_TYPE : restMediaType(noun), body, headers);
}

function json(status: number, mediaType: string, body: object, headers: Readonly<Record<string, string>>): RestResponse {
  return { status, headers: { ...headers, 'content-type': mediaType, 'cache-control': 'no-store' }, body: `${JSON.stringify(body)}\n` };
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
