import { type Clock, isProtocolError } from '@uemkit/protocol';
import { type LeastRole, mayCall, roleTooSmall } from '../admin/admin-role.ts';
import type { AuditedEnd, AuditedOperation, AuditLog } from '../admin/audit-log.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { Journal } from '../roles/role.ts';
import type { Authorization } from './authorization.ts';
import { acceptsBody, acceptsLines, JSON_MEDIA_TYPE, LINES_MEDIA_TYPE, restMediaType } from './media-type.ts';
import { readQuery } from './query.ts';
import type { RestRequest, RestResponse, RouteResult } from './rest-request.ts';
import type { Route, RouteCall } from './route.ts';
import { checkParts, createRouter, type Match } from './router.ts';
import { checkBody } from './schemas.ts';
import { placeOfNoUnicode } from './unicode-text.ts';

/** Largest body of an administrative request. */
export const MAX_REST_BODY_BYTES = 1_048_576;

export interface RestHandlerOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly tenantId: string;
  readonly authorization: Authorization;
  readonly audit: AuditLog;
  readonly routes: readonly Route[];
}

/** The admin REST API without sockets. Never throws; a refused request changes nothing. */
export function restHandler(options: RestHandlerOptions): (request: RestRequest) => Promise<RestResponse> {
  const { clock, journal, authorization, audit } = options;
  const base = `/${options.tenantId}/api/v1`;
  const router = createRouter(base, options.routes);

  /** Waits for nothing itself: each function that does costs every request promises. */
  const run = (request: RestRequest, { match, problem }: Found): RouteResult | Promise<RouteResult> => {
    const least = match?.route.role ?? 'readOnly';
    const authorizationHeader = single(request.headers['authorization']);
    // Who has no credentials learns nothing of which paths there are, but for the open ones.
    const caller = least === 'anybody' ? NOBODY : authorization.require(authorizationHeader);
    if (match === undefined) throw problem;
    const { route, parts } = match;
    const operation: AuditedOperation = { ...caller, source: request.source, operation: route.id, object: below(base, request.path) };
    // An attempt is in the audit log, what it carried is not looked at.
    if (!mayCall(caller.role, least)) return refuse(operation, route, least);
    checkParts(match);
    const { list, query } = readQuery(route, request.query);
    const body = bodyOf(request, route);
    const more = route.roleOf?.(body);
    if (more !== undefined && !mayCall(caller.role, more)) return refuse(operation, route, more);
    const call = {
      parts: parts as never,
      list,
      query,
      body,
      caller,
      wantsLines: acceptsLines(single(request.headers['accept']) ?? ''),
      base,
      mayStillCall: () => isGranted(() => least === 'anybody' || mayCall(authorization.require(authorizationHeader).role, least)),
    };
    if (route.change !== undefined) return changed(operation, route.change, call);
    return changes(route) ? audited(operation, () => route.run(call)) : route.run(call);
  };

  /** An attempt to change something is in the audit log. @throws AdminProblem `NOT_AUTHORIZED` */
  const refuse = async (operation: AuditedOperation, route: Route, least: LeastRole): Promise<never> => {
    const problem = roleTooSmall(least);
    if (changes(route)) await audit.attempted(operation, endOfRefusal(problem));
    throw problem;
  };

  const endOf = ({ status, headers }: RouteResult): AuditedEnd =>
    headers?.['location'] === undefined ? { status } : { status, object: below(base, headers['location']) };

  // What was malformed is not in the audit log: nobody has understood what it was to do.

  /** The change and its entry are one transaction. */
  const changed = async (operation: AuditedOperation, plan: NonNullable<Route['change']>, call: RouteCall<never>): Promise<RouteResult> => {
    try {
      const planned = plan(call);
      const { make, durable } = planned instanceof Promise ? await planned : planned;
      const result = await audit.change(operation, (tx) => {
        const made = make(tx);
        return { made, end: endOf(made) };
      });
      const told = durable(result);
      if (told !== undefined) await told;
      return result;
    } catch (error) {
      if (!isStoreBusy(error)) await audit.refused(operation, endOfRefusal(error));
      throw error;
    }
  };

  /** Nothing is done that is not in the audit log before. */
  const audited = async (operation: AuditedOperation, work: () => RouteResult | Promise<RouteResult>): Promise<RouteResult> => {
    const place = await audit.begin(operation);
    try {
      const result = await work();
      audit.end(place, endOf(result));
      return result;
    } catch (error) {
      audit.end(place, endOfRefusal(error));
      throw error;
    }
  };

  const found = (request: RestRequest): Found => {
    try {
      return { match: router.match(request.method, request.path) };
    } catch (problem) {
      return { problem };
    }
  };

  return async (request) => {
    let result: RouteResult | undefined;
    let response: RestResponse;
    let reason: string | undefined;
    const route = found(request);
    try {
      const answer = run(request, route);
      result = answer instanceof Promise ? await answer : answer;
      response = toResponse(route.match?.route as Route, result);
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
      unknown: route.match === undefined ? true : undefined,
    });
    return response;
  };
}

/** Longest path of an object in the audit log. */
const MAX_OBJECT_CHARACTERS = 256;

/** A path without the part of the tenant, bounded. */
function below(base: string, path: string): string {
  return (path.startsWith(`${base}/`) ? path.slice(base.length) : path).slice(0, MAX_OBJECT_CHARACTERS);
}

/** True for what the audit log is about. */
function changes({ method, role }: Route): boolean {
  return method !== 'GET' && role !== 'anybody';
}

/** Who calls an open route: there is nothing that it may. */
const NOBODY = { username: '', role: 'readOnly' } as const;

/** A refusal is an answer too; what is no refusal is passed on. */
function isGranted(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (error instanceof AdminProblem) return false;
    throw error;
  }
}

/** The route of a request, or why there is none. */
interface Found {
  readonly match?: Match;
  readonly problem?: unknown;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function bodyOf(request: RestRequest, { body }: Route): unknown {
  if (body === undefined) return undefined;
  const contentType = (single(request.headers['content-type']) ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!acceptsBody(contentType, body.noun)) {
    const types = body.noun === undefined ? JSON_MEDIA_TYPE : `${restMediaType(body.noun)} or ${JSON_MEDIA_TYPE}`;
    throw new AdminProblem('UNSUPPORTED_MEDIA_TYPE', `the body has to be ${types}`);
  }
  let value: unknown;
  let noUnicode: string | undefined;
  try {
    const text = utf8.decode(request.body);
    value = JSON.parse(text);
    noUnicode = placeOfNoUnicode(text, value);
  } catch {
    throw new AdminProblem('BAD_REQUEST', 'the body is not JSON in UTF-8, or is nested too deep');
  }
  if (noUnicode !== undefined) throw new AdminProblem('INVALID_PROPERTY', `${noUnicode}: is no Unicode text`);
  return checkBody(body.schema, value);
}

function endOfRefusal(error: unknown): AuditedEnd {
  const { status, id } = problemOf(error);
  return { status, problem: id };
}

/** Nothing can be stored now. */
function isStoreBusy(error: unknown): boolean {
  return isProtocolError(error) && (error.code === 'ERR_STORE_WRITE' || error.code === 'ERR_REJECTED_BUSY');
}

function problemOf(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error;
  if (isStoreBusy(error)) {
    return new AdminProblem('BUSY', 'nothing can be stored now; nothing was changed', { 'retry-after': '1' });
  }
  return new AdminProblem('INTERNAL', 'this is a bug of the lab server; its journal has more');
}

function toResponse(route: Route, { status, body, stream, headers = {} }: RouteResult): RestResponse {
  const declared = route.answers[status];
  if (declared === undefined) throw new Error(`${route.id} does not declare the status ${status}`);
  if (stream !== undefined) return { status, headers: { ...headers, 'content-type': LINES_MEDIA_TYPE, 'cache-control': 'no-store' }, body: '', stream };
  if (body === undefined) return { status, headers, body: '' };
  if (typeof body === 'string') return { status, headers: { ...headers, 'content-type': `${declared.mediaType ?? 'text/plain'}; charset=utf-8` }, body };
  return json(status, declared.noun === undefined ? JSON_MEDIA_TYPE : restMediaType(declared.noun), body, headers);
}

function json(status: number, mediaType: string, body: object, headers: Readonly<Record<string, string>>): RestResponse {
  return { status, headers: { ...headers, 'content-type': mediaType, 'cache-control': 'no-store' }, body: `${JSON.stringify(body)}\n` };
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
