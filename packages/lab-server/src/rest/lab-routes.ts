import { isProtocolError } from '@uemkit/protocol';
import { AdminProblem } from '../admin/problem.ts';
import type { FaultRule, Faults } from '../faults/faults.ts';
import type { RingJournal } from '../journal/journal.ts';
import type { Route } from './rest-request.ts';
import { checkBody, faultBody, faultsBody } from './schemas.ts';

/** Path of the lab's own routes. */
export const LAB_PATH = '/lab/v1/';

/** Entries of one answer. */
const JOURNAL_PAGE = 1_000;

/** The lab's own routes, under `/lab/v1`: faults on purpose, and what happened to each request. */
export function labRoutes(options: { readonly faults: Faults; readonly journal: RingJournal }): readonly Route[] {
  const { faults, journal } = options;
  const add = (rule: FaultRule): object => {
    try {
      return faults.add(rule);
    } catch (error) {
      if (isProtocolError(error) && error.kind === 'local') throw new AdminProblem('INVALID_PROPERTY', error.message);
      throw error;
    }
  };
  return [
    { method: 'GET', path: '/lab/v1/faults', run: () => ({ status: 200, body: { faults: faults.list() } }) },
    { method: 'POST', path: '/lab/v1/faults', json: true, run: ({ json }) => ({ status: 201, body: add(checkBody(faultBody, json)) }) },
    {
      method: 'PUT',
      path: '/lab/v1/faults',
      json: true,
      run({ json }) {
        const before = faults.list();
        const rules = checkBody(faultsBody, json).faults;
        faults.clear();
        try {
          for (const rule of rules) add(rule);
        } catch (error) {
          // A refused request changes nothing.
          faults.clear();
          for (const { id: _id, seen: _seen, applied: _applied, ...rule } of before) faults.add(rule);
          throw error;
        }
        return { status: 200, body: { faults: faults.list() } };
      },
    },
    {
      method: 'DELETE',
      path: '/lab/v1/faults',
      run() {
        faults.clear();
        return { status: 204 };
      },
    },
    {
      method: 'DELETE',
      path: '/lab/v1/faults/{id}',
      run({ parts }) {
        if (!faults.remove(parts['id'] as string)) throw new AdminProblem('FAULT_NOT_FOUND', 'there is no such fault');
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: '/lab/v1/journal',
      run({ query }) {
        for (const name of query.keys())
          if (!['after', 'device', 'user', 'max'].includes(name)) throw new AdminProblem('INVALID_QUERY', `${name} is no parameter of the journal`);
        const number = (name: string, fallback: number): number => {
          const text = query.get(name);
          if (text === null) return fallback;
          if (!/^\d{1,15}$/.test(text)) throw new AdminProblem('INVALID_QUERY', `${name} is not a whole number`);
          return Number(text);
        };
        const entries = journal.entries({
          after: number('after', 0),
          deviceId: query.get('device') ?? undefined,
          userId: query.get('user') ?? undefined,
          max: Math.min(number('max', JOURNAL_PAGE), JOURNAL_PAGE),
        });
        return { status: 200, body: { entries, last: journal.last } };
      },
    },
  ];
}
