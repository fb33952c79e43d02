import * as v from 'valibot';
import { errorView } from '../../src/rest/components.ts';
import { restMediaType } from '../../src/rest/media-type.ts';
import type { RestRequest, RestResponse, RestStream } from '../../src/rest/rest-request.ts';
import { commonProblems, type Route } from '../../src/rest/route.ts';
import { createRouter } from '../../src/rest/router.ts';

type Handle = (request: RestRequest) => Promise<RestResponse>;

/** Refusals that come before a route is found. */
const WITHOUT_ROUTE = ['NOT_FOUND', 'TENANT_NOT_FOUND', 'METHOD_NOT_ALLOWED', 'NOT_AUTHENTICATED'];

/** The same handler; throws when it answers anything that its route does not declare. So the OpenAPI document cannot lie. */
export function declaredAnswers(base: string, routes: readonly Route[], handle: Handle): Handle {
  const router = createRouter(base, routes);
  return async (request) => {
    const response = await handle(request);
    const route = routeOf(router, request);
    if (response.stream !== undefined) return { ...response, stream: checkedLines(route, response, response.stream) };
    checkAnswer(route, response);
    return response;
  };
}

/** The same stream; each line that does not follow the declaration is an error. */
function checkedLines(route: Route | undefined, { status, headers }: RestResponse, stream: RestStream): RestStream {
  const lines = route?.answers[status]?.lines;
  if (lines === undefined || headers['content-type'] !== 'application/x-ndjson') throw new Error(`${route?.id ?? 'no route'} does not declare lines`);
  return {
    ...stream,
    async next() {
      const text = await stream.next();
      for (const line of (text ?? '').split('\n').slice(0, -1)) conform(route?.id ?? '', status, lines, line);
      return text;
    },
  };
}

function routeOf(router: ReturnType<typeof createRouter>, { method, path }: RestRequest): Route | undefined {
  try {
    return router.match(method, path).route;
  } catch {
    return undefined;
  }
}

/** Compares one answer with what the route of its request declares. */
export function checkAnswer(route: Route | undefined, { status, headers, body }: RestResponse): void {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';');
  const name = route?.id ?? 'no route';
  const declared = route?.answers[status];
  if (declared === undefined) {
    if (mediaType !== restMediaType('error')) throw new Error(`${name} answered ${status} as ${mediaType}, which is not declared`);
    const { id } = JSON.parse(body) as { id: string };
    const known: readonly string[] = route === undefined ? WITHOUT_ROUTE : [...commonProblems(route), ...(route.problems ?? [])];
    if (!known.includes(id)) throw new Error(`${name} refused with ${id}, which is not declared`);
    return conform(name, status, errorView, body);
  }
  const expected = declared.mediaType ?? (declared.schema === undefined ? '' : declared.noun === undefined ? 'application/json' : restMediaType(declared.noun));
  if (mediaType !== expected) throw new Error(`${name} answered ${status} as ${mediaType || 'nothing'} and declares ${expected || 'nothing'}`);
  for (const header of Object.keys(declared.headers ?? {})) if (headers[header] === undefined) throw new Error(`${name} answered ${status} without ${header}`);
  if (declared.schema !== undefined) conform(name, status, declared.schema, body);
}

function conform(name: string, status: number, schema: v.GenericSchema, body: string): void {
  const result = v.safeParse(schema, JSON.parse(body));
  if (result.success) return;
  const [issue] = result.issues;
  throw new Error(`${name} answered ${status} with a body that is not declared: ${v.getDotPath(issue) ?? 'body'}: ${issue.message}`);
}
