import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProblemId } from '../../src/admin/problem.ts';
import { component } from '../../src/rest/components.ts';
import { readQuery, wholeNumberText } from '../../src/rest/query.ts';
import { type Route, route } from '../../src/rest/route.ts';
import { AdminLab } from '../support/admin-lab.ts';
import { checkAnswer } from '../support/declared-answers.ts';

let routes: readonly Route[];
beforeAll(async () => {
  routes = (await AdminLab.start()).routes;
});

describe('the table of routes', () => {
  it('names each operation and each method of a path once', () => {
    const ids = routes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const places = routes.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it('declares the parts of each path, and nothing else', () => {
    for (const { id, path, parts = {} } of routes) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      expect([id, Object.keys(parts).sort()]).toEqual([id, named]);
    }
  });

  it('lets nobody who only reads change anything', () => {
    const open = routes.filter(({ role }) => role === 'anybody').map(({ id }) => id);
    expect(open).toEqual(['pingOpen', 'authorize']);
    expect(routes.filter(({ method, role }) => method !== 'GET' && role === 'readOnly')).toEqual([]);
  });
});

describe('what a route does not declare', () => {
  const declared = route({
    id: 'x',
    method: 'GET',
    path: '/x',
    summary: 'x',
    tag: 'x',
    role: 'readOnly',
    answers: { 200: { noun: 'ping', schema: component('X', v.strictObject({ a: v.number() })) }, 204: {} },
    problems: ['USER_NOT_FOUND'],
    run: () => ({ status: 200 }),
  });
  const type = (noun: string) => ({ 'content-type': `application/vnd.blackberry.${noun}-v1+json` });
  const refusal = (id: ProblemId | 'X') => ({ status: 404, headers: type('error'), body: JSON.stringify({ id, subStatusCode: 1, message: '' }) });

  it('is found by the check that every answer of these tests goes through', () => {
    const good = { status: 200, headers: type('ping'), body: '{"a":1}' };
    checkAnswer(declared, good);
    checkAnswer(declared, { status: 204, headers: {}, body: '' });
    checkAnswer(declared, refusal('USER_NOT_FOUND'));
    checkAnswer(undefined, refusal('NOT_FOUND'));
    expect(() => checkAnswer(declared, { ...good, body: '{"a":"1"}' })).toThrow(/a: /);
    expect(() => checkAnswer(declared, { ...good, body: '{"a":1,"b":1}' })).toThrow(/b: /);
    expect(() => checkAnswer(declared, { ...good, headers: type('users') })).toThrow(/declares/);
    expect(() => checkAnswer(declared, { ...good, status: 201 })).toThrow(/not declared/);
    expect(() => checkAnswer(declared, refusal('DEVICE_NOT_FOUND'))).toThrow(/not declared/);
    expect(() => checkAnswer(declared, refusal('X'))).toThrow(/not declared/);
  });
});

describe('a query', () => {
  const query = v.strictObject({ after: v.optional(wholeNumberText(1, 5)), name: v.string() });

  it('is read as declared, beside the parameters of a list', () => {
    const read = readQuery({ list: ['guid'], query }, 'after=3&name=x&max=7&query=guid%3Da*');
    expect(read.query).toEqual({ after: 3, name: 'x' });
    expect(read.list).toMatchObject({ max: 7, offset: 0, filter: { field: 'guid', value: 'a', prefix: true } });
    expect(readQuery({}, '')).toMatchObject({ query: undefined });
  });

  it.each<[string, string]>([
    ['after=0&name=x', 'after is below 1'],
    ['after=6&name=x', 'after is above 5'],
    ['after=x&name=x', 'after is not a whole number'],
    ['after=1', 'name is missing'],
    ['name=x&name=y', 'name is given twice'],
    ['name=x&other=1', 'other is no parameter of this route'],
    ['name=x&max=1', 'max is no parameter of this route'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => readQuery({ query }, text)).toThrow(message);
  });

  it('of a route that has none is refused', () => {
    expect(() => readQuery({}, 'a=1')).toThrow('a is no parameter of this route');
  });
});
