import { isProtocolError } from '@uemkit/protocol';
import * as v from 'valibot';
import { AdminProblem } from '../admin/problem.ts';
import type { ActiveFault, FaultRule, Faults } from '../faults/faults.ts';
import { MAX_JOURNAL_ENTRIES, type NumberedEntry, type RingJournal } from '../journal/journal.ts';
import { component, type ViewSchema } from './components.ts';
import { faultBody, faultsBody, faultsView, faultView } from './fault-schemas.ts';
import { FAULT_PART } from './parts.ts';
import { wholeNumberText } from './query.ts';
import { type QuerySchema, type Route, route } from './route.ts';

/** Path of the lab's own routes. */
export const LAB_PATH = '/lab/v1/';

/** Entries of one answer. */
const JOURNAL_PAGE = 1_000;

interface JournalParameters {
  readonly after?: number | undefined;
  readonly device?: string | undefined;
  readonly user?: string | undefined;
  readonly max?: number | undefined;
}

const journalQuery: QuerySchema<JournalParameters> = v.strictObject({
  after: v.optional(wholeNumberText(0, Number.MAX_SAFE_INTEGER)),
  device: v.optional(v.string()),
  user: v.optional(v.string()),
  max: v.optional(wholeNumberText(0, MAX_JOURNAL_ENTRIES)),
});

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const text = v.string();
/** Every field of an entry: one that is added there is missing here. */
const ENTRY_FIELDS = {
  sequence: count,
  timeMs: v.number(),
  role: text,
  service: text,
  step: v.optional(text),
  request: text,
  answer: text,
  source: text,
  userId: v.optional(text),
  deviceId: v.optional(text),
  reason: v.optional(text),
  unknown: v.optional(v.boolean()),
  receivedMs: v.optional(v.number()),
  bytes: v.optional(count),
  refs: v.optional(v.array(text)),
} satisfies Record<keyof NumberedEntry, v.GenericSchema>;
const entryView: ViewSchema = component('JournalEntry', v.strictObject(ENTRY_FIELDS));
const journalView: ViewSchema = component('Journal', v.strictObject({ entries: v.array(entryView), last: count }));

/** The lab's own routes, under `/lab/v1`: faults on purpose, and what happened to each request. */
export function labRoutes(options: { readonly faults: Faults; readonly journal: RingJournal }): readonly Route[] {
  const { faults, journal } = options;
  const add = (rule: FaultRule): ActiveFault => {
    try {
      return faults.add(rule);
    } catch (error) {
      if (isProtocolError(error) && error.kind === 'local') throw new AdminProblem('INVALID_PROPERTY', error.message);
      throw error;
    }
  };
  return [
    route({
      id: 'listFaults',
      method: 'GET',
      path: '/lab/v1/faults',
      summary: 'Lists the faults in force and what they did',
      tag: 'lab',
      role: 'readOnly',
      answers: { 200: { schema: faultsView } },
      run: () => ({ status: 200, body: { faults: faults.list() } }),
    }),
    route({
      id: 'addFault',
      method: 'POST',
      path: '/lab/v1/faults',
      summary: 'Adds a fault',
      tag: 'lab',
      role: 'administrator',
      body: { schema: faultBody },
      answers: { 201: { schema: faultView } },
      run: ({ body }) => ({ status: 201, body: add(body) }),
    }),
    route({
      id: 'replaceFaults',
      method: 'PUT',
      path: '/lab/v1/faults',
      summary: 'Puts these faults in force, and no others',
      tag: 'lab',
      role: 'administrator',
      body: { schema: faultsBody },
      answers: { 200: { schema: faultsView } },
      run({ body }) {
        const before = faults.list();
        faults.clear();
        try {
          for (const rule of body.faults) add(rule);
        } catch (error) {
          // A refused request changes nothing.
          faults.clear();
          for (const { id: _id, seen: _seen, applied: _applied, ...rule } of before) faults.add(rule);
          throw error;
        }
        return { status: 200, body: { faults: faults.list() } };
      },
    }),
    route({
      id: 'clearFaults',
      method: 'DELETE',
      path: '/lab/v1/faults',
      summary: 'Ends all faults',
      tag: 'lab',
      role: 'administrator',
      answers: { 204: {} },
      run() {
        faults.clear();
        return { status: 204 };
      },
    }),
    route({
      id: 'removeFault',
      method: 'DELETE',
      path: '/lab/v1/faults/{id}',
      summary: 'Ends one fault',
      tag: 'lab',
      role: 'administrator',
      parts: { id: FAULT_PART },
      answers: { 204: {} },
      problems: ['FAULT_NOT_FOUND'],
      run({ parts }) {
        if (!faults.remove(parts.id)) throw new AdminProblem('FAULT_NOT_FOUND', 'there is no such fault');
        return { status: 204 };
      },
    }),
    route({
      id: 'readJournal',
      method: 'GET',
      path: '/lab/v1/journal',
      summary: 'Reads what happened to each request',
      tag: 'lab',
      role: 'readOnly',
      query: journalQuery,
      answers: { 200: { schema: journalView } },
      run({ query: { after, device, user, max = JOURNAL_PAGE } }) {
        const entries = journal.entries({ after, deviceId: device, userId: user, max: Math.min(max, JOURNAL_PAGE) });
        return { status: 200, body: { entries, last: journal.last } };
      },
    }),
  ];
}
