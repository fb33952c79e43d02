import { AdminProblem } from '../admin/problem.ts';
import { isOwnRoute, type Route } from './route.ts';

/** A route that fits, with the decoded parts of the path. */
export interface Match {
  readonly route: Route;
  readonly parts: Readonly<Record<string, string>>;
}

/** What ids of users, devices, commands and faults look like. */
export const ID_PATTERN: RegExp = /^[\w.~-]{1,128}$/;

/** One place of a path: what stands there, and what follows. */
interface Place {
  readonly literal: Map<string, Place>;
  /** Any text there; absent: only what `literal` has. */
  any?: Place;
  /** Routes whose path ends here. */
  routes?: Map<string, EndingRoute>;
}

interface EndingRoute {
  readonly route: Route;
  /** Names of the parts, in the order of the path. */
  readonly names: readonly string[];
}

/** Routes by path and method. */
export interface Router {
  /** @throws AdminProblem `TENANT_NOT_FOUND`, `NOT_FOUND`, `METHOD_NOT_ALLOWED` */
  match(method: string, path: string): Match;
}

/** Finds the route of a path: those of the tenant stand under `base`, the lab's own at the root. */
export function createRouter(base: string, routes: readonly Route[]): Router {
  const root: Place = { literal: new Map() };
  for (const route of routes) {
    const segments = split(isOwnRoute(route) ? route.path : base + route.path);
    let place = root;
    for (const segment of segments) place = placeBehind(place, segment);
    place.routes ??= new Map();
    place.routes.set(route.method, { route, names: segments.filter(isName).map((segment) => segment.slice(1, -1)) });
  }
  const under = `${base}/`;
  return {
    match(method, path) {
      if (!path.startsWith(under) && /^\/[^/]+\/api\/v1(\/|$)/.test(path)) throw new AdminProblem('TENANT_NOT_FOUND', 'there is no such tenant here');
      const given: string[] = [];
      const found = find(root, split(path), 0, given);
      if (found === undefined) throw new AdminProblem('NOT_FOUND', `there is no such path; GET ${base}/openapi.json describes those that there are`);
      const ending = found.get(method === 'HEAD' ? 'GET' : method);
      if (ending === undefined) throw new AdminProblem('METHOD_NOT_ALLOWED', 'this path has no such method', { allow: [...found.keys()].join(', ') });
      const parts: Record<string, string> = {};
      for (let index = 0; index < given.length; index++) parts[ending.names[index] as string] = given[index] as string;
      return { route: ending.route, parts };
    },
  };
}

/**
 * Ids are made here, so anything else names nothing; it must not reach the keys of the store.
 * @throws AdminProblem `NOT_FOUND`
 */
export function checkParts({ route, parts }: Match): void {
  for (const name in parts) {
    if (!(route.parts?.[name]?.pattern ?? ID_PATTERN).test(parts[name] as string)) throw new AdminProblem('NOT_FOUND', 'there is no such object');
  }
}

function split(path: string): readonly string[] {
  return path.split('/').slice(1);
}

function isName(segment: string): boolean {
  return segment.startsWith('{');
}

function placeBehind(place: Place, segment: string): Place {
  if (isName(segment)) {
    place.any ??= { literal: new Map() };
    return place.any;
  }
  const next: Place = place.literal.get(segment) ?? { literal: new Map() };
  place.literal.set(segment, next);
  return next;
}

/** The routes of a path by method, and in `given` the parts of it that have names. What is written out goes before what is any text. */
function find(place: Place, segments: readonly string[], at: number, given: string[]): Place['routes'] {
  if (at === segments.length) return place.routes;
  const segment = segments[at] as string;
  const literal = place.literal.get(segment);
  const found = literal === undefined ? undefined : find(literal, segments, at + 1, given);
  if (found !== undefined || place.any === undefined) return found;
  const value = decoded(segment);
  if (value === undefined || value === '') return undefined;
  given.push(value);
  const further = find(place.any, segments, at + 1, given);
  if (further === undefined) given.pop();
  return further;
}

function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
