import { describe, expect, it } from 'vitest';
import { AdminProblem } from '../../src/admin/problem.ts';
import { type Route, route } from '../../src/rest/route.ts';
import { createRouter } from '../../src/rest/router.ts';

const declare = (id: string, method: 'GET' | 'PUT', path: string): Route =>
  route({ id, method, path, summary: '', tag: '', role: 'readOnly', parts: {}, answers: {}, run: () => ({ status: 200 }) } as never);
const router = createRouter('/t1/api/v1', [
  declare('users', 'GET', '/users'),
  declare('user', 'GET', '/users/{guid}'),
  declare('changeUser', 'PUT', '/users/{user}'),
  declare('me', 'GET', '/users/me'),
  declare('groupsOfMe', 'GET', '/users/me/groups'),
  declare('devices', 'GET', '/users/{guid}/devices/{device}'),
  declare('partOfMe', 'GET', '/users/me/{part}/whole'),
  declare('thing', 'GET', '/users/{guid}/{thing}'),
  declare('faults', 'GET', '/lab/v1/faults'),
]);
const found = (method: string, path: string): unknown => {
  try {
    const { route: matched, parts } = router.match(method, path);
    return { [matched.id]: parts };
  } catch (error) {
    return error instanceof AdminProblem ? error.id : error;
  }
};

describe('the router', () => {
  it.each([
    ['GET', '/t1/api/v1/users', { users: {} }],
    ['HEAD', '/t1/api/v1/users/u1', { user: { guid: 'u1' } }],
    ['PUT', '/t1/api/v1/users/u1', { changeUser: { user: 'u1' } }],
    ['GET', '/t1/api/v1/users/u%201/devices/d1', { devices: { guid: 'u 1', device: 'd1' } }],
    ['GET', '/lab/v1/faults', { faults: {} }],
    // What is written out goes before any text, but does not hide what follows that.
    ['GET', '/t1/api/v1/users/me', { me: {} }],
    ['GET', '/t1/api/v1/users/me/groups', { groupsOfMe: {} }],
    ['GET', '/t1/api/v1/users/me/things', { thing: { guid: 'me', thing: 'things' } }],
    ['GET', '/t1/api/v1/users/me/devices/d1', { devices: { guid: 'me', device: 'd1' } }],
  ])('finds %s %s', (method, path, expected) => {
    expect(found(method, path)).toEqual(expected);
  });

  it.each([
    ['GET', '/t1/api/v1/nothing', 'NOT_FOUND'],
    ['GET', '/t1/api/v1/users/u1/devices/d1/all', 'NOT_FOUND'],
    ['GET', '/t1/api/v1/users/', 'NOT_FOUND'],
    ['GET', '/t1/api/v1/users/%ff', 'NOT_FOUND'],
    ['GET', '/t1/api/v1/users/u1/devices/d1/more', 'NOT_FOUND'],
    ['GET', '/t1/api/v1', 'TENANT_NOT_FOUND'],
    ['GET', '/t2/api/v1/users', 'TENANT_NOT_FOUND'],
    ['PUT', '/t1/api/v1/users', 'METHOD_NOT_ALLOWED'],
    ['GET', '/', 'NOT_FOUND'],
  ])('refuses %s %s with %s', (method, path, problem) => {
    expect(found(method, path)).toBe(problem);
  });
});
