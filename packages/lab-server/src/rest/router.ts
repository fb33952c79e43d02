import { AdminProblem } from '../admin/problem.ts';
import { isOwnRoute, type Route } from './route.ts';

/** A route that fits, with the decoded parts of the path. */
export interface Match {
  readonly route: Route;
  readonly parts: Readonly<Record<string, string>>;
}

/** What ids of users, devices, commands and faults look like. */
export const ID_PATTERN: RegExp = /^[\w.~-]{1,128}$/;

interface Pattern {
  readonly segments: readonly string[];
  readonly methods: Map<string, Route>;
}

/** Routes by path and method. */
export interface Router {
  /** @throws AdminProblem `TENANT_NOT_FOUND`, `NOT_FOUND`, `METHOD_NOT_ALLOWED` */
  match(method: string, path: string): Match;
}

/** Finds the route of a path: those of the tenant stand under `base`, the lab's own at the root. */
export function createRouter(base: string, routes: readonly Route[]): Router {
  const patterns = new Map<string, Pattern>();
  for (const route of routes) {
    const path = isOwnRoute(route) ? route.path : base + route.path;
    const pattern = patterns.get(path) ?? { segments: split(path), methods: new Map<string, Route>() };
    pattern.methods.set(route.method, route);
    patterns.set(path, pattern);
  }
  return {
    match(method, path) {
      if (/^\/[^/]+\/api\/v1(\/|$)/.test(path) && !path.startsWith(`${base}/`)) throw new AdminProblem('TENANT_NOT_FOUND', 'there is no such tenant here');
      const segments = split(path);
      for (const pattern of patterns.values()) {
        const given = partsOf(pattern.segments, segments);
        if (given === undefined) continue;
        const route = pattern.methods.get(method === 'HEAD' ? 'GET' : method);
        if (route === undefined)
          throw new AdminProblem('METHOD_NOT_ALLOWED', 'this path has no such method', { allow: [...pattern.methods.keys()].join(', ') });
        return { route, parts: given };
      }
      throw new AdminProblem('NOT_FOUND', `there is no such path; GET ${base}/openapi.json describes those that there are`);
    },
  };
}

/**
 * Ids are made here, so anything else names nothing; it must not reach the keys of the store.
 * @throws AdminProblem `NOT_FOUND`
 */
export function checkParts({ route, parts }: Match): void {
  for (const [name, value] of Object.entries(parts)) {
    if (!(route.parts?.[name]?.pattern ?? ID_PATTERN).test(value)) throw new AdminProblem('NOT_FOUND', 'there is no such object');
  }
}

function split(path: string): readonly string[] {
  return path.split('/').slice(1);
}

function partsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const given = segments[index] as string;
    if (!expected.startsWith('{')) {
      if (expected !== given) return undefined;
      continue;
    }
    const value = decoded(given);
    if (value === undefined || value === '') return undefined;
    parts[expected.slice(1, -1)] = value;
  }
  return parts;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
