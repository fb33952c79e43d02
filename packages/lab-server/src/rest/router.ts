import { AdminProblem } from '../admin/problem.ts';
import type { Route } from './rest-request.ts';

/** A route that fits, with the decoded parts of the path. */
export interface Match {
  readonly route: Route;
  readonly parts: Readonly<Record<string, string>>;
}

/** What ids of users, devices, commands and faults look like. */
const ID = /^[\w.~-]{1,128}$/;

interface Pattern {
  readonly segments: readonly string[];
  readonly methods: Map<string, Route>;
}

/** Routes by path and method. */
export interface Router {
  /** @throws AdminProblem `NOT_FOUND`, `METHOD_NOT_ALLOWED` */
  match(method: string, path: string): Match;
}

export function createRouter(routes: readonly Route[]): Router {
  const patterns = new Map<string, Pattern>();
  for (const route of routes) {
    const pattern = patterns.get(route.path) ?? { segments: split(route.path), methods: new Map<string, Route>() };
    pattern.methods.set(route.method, route);
    patterns.set(route.path, pattern);
  }
  return {
    match(method, path) {
      const segments = split(path);
      for (const pattern of patterns.values()) {
        const parts = partsOf(pattern.segments, segments);
        if (parts === undefined) continue;
        const route = pattern.methods.get(method === 'HEAD' ? 'GET' : method);
        if (route !== undefined) return { route, parts };
        throw new AdminProblem('METHOD_NOT_ALLOWED', 'this path has no such method', { allow: [...pattern.methods.keys()].join(', ') });
      }
      throw new AdminProblem('NOT_FOUND', 'there is no such path');
    },
  };
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
    // Ids are made here, so anything else names nothing; it must not reach the keys of the store.
    if (!ID.test(value)) throw new AdminProblem('NOT_FOUND', 'there is no such object');
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
