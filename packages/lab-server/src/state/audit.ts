import type { AdminRole } from '../admin/admin-role.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Ring, ring } from './ring.ts';
import { type Table, table } from './table.ts';

/** Entries of the audit log that are kept; the oldest are forgotten. */
export const MAX_AUDIT_ENTRIES = 10_000;

/** Attempts with too small a role that are kept beside them: whoever may do nothing must not be able to push out what was done. */
export const MAX_AUDIT_ATTEMPTS = 1_000;

/** One thing that an administrator did, or tried. */
export interface AuditEntry {
  /** Counts from 1; never used twice. */
  readonly sequence: number;
  readonly timeMs: number;
  readonly username: string;
  readonly role: AdminRole;
  /** Address that it came from. */
  readonly source: string;
  /** Name of the operation (`deleteUser`). */
  readonly operation: string;
  /** Path of the object, without the tenant. */
  readonly object: string;
  /** HTTP status of the answer; absent: the server stopped before it answered. */
  readonly status?: number | undefined;
  /** Id of the refusal. */
  readonly problem?: string | undefined;
}

/** How an operation ended. */
export type AuditEnd = Pick<AuditEntry, 'status' | 'problem'> & { readonly object?: string };

interface AuditCounter {
  /** Number of the newest entry of either kind. */
  readonly last: number;
  /** How many of them were attempts; absent: none. The others are `last` less these. */
  readonly attempts?: number | undefined;
}

// Both by their count within their kind.
const entries: Ring<AuditEntry> = ring('audit', MAX_AUDIT_ENTRIES);
const attempted: Ring<AuditEntry> = ring('audit-attempt', MAX_AUDIT_ATTEMPTS);
const counter: Table<AuditCounter> = table('audit-counter', { read: 'lastOne' });
const ONLY = 'this';

/** Number of the newest entry, 0 when there is none. */
export function lastAuditSequence(view: ReadView): number {
  return counter.get(view, ONLY)?.last ?? 0;
}

/** Adds an entry at the end and gives its place, for `finishAudit`. */
export function appendAudit(tx: WriteView, entry: Omit<AuditEntry, 'sequence'>): number {
  const { last, attempts = 0 } = counter.get(tx, ONLY) ?? { last: 0 };
  const sequence = last + 1;
  const place = sequence - attempts;
  entries.put(tx, place, { sequence, ...entry });
  counter.put(tx, ONLY, { last: sequence, attempts: attempts === 0 ? undefined : attempts });
  return place;
}

/** Adds an attempt of somebody whose role is too small. */
export function appendAttempt(tx: WriteView, entry: Omit<AuditEntry, 'sequence'>): void {
  const { last, attempts = 0 } = counter.get(tx, ONLY) ?? { last: 0 };
  const sequence = last + 1;
  const place = attempts + 1;
  attempted.put(tx, place, { sequence, ...entry });
  counter.put(tx, ONLY, { last: sequence, attempts: place });
}

/** Notes how it ended, once; an entry that is forgotten has no end any more. */
export function finishAudit(tx: WriteView, place: number, end: AuditEnd): void {
  const { last, attempts = 0 } = counter.get(tx, ONLY) ?? { last: 0 };
  if (place <= last - attempts - MAX_AUDIT_ENTRIES) return;
  const entry = entries.get(tx, place);
  if (entry?.status === undefined && entry !== undefined) entries.put(tx, place, { ...entry, ...end });
}

/** Entries after a number, the oldest first. */
export function listAudit(view: ReadView, { after, limit }: { readonly after: number; readonly limit: number }): readonly AuditEntry[] {
  const { last, attempts = 0 } = counter.get(view, ONLY) ?? { last: 0 };
  const listed = (kind: Ring<AuditEntry>, newest: number, most: number): readonly AuditEntry[] => {
    const before = lastUpTo(view, kind, { oldest: Math.max(1, newest - most + 1), newest }, after);
    return kind.list(view, { after: before, newest, limit });
  };
  const found = [...listed(entries, last - attempts, MAX_AUDIT_ENTRIES), ...listed(attempted, attempts, MAX_AUDIT_ATTEMPTS)];
  return found.sort((a, b) => a.sequence - b.sequence).slice(0, limit);
}

/** Place of the last entry of a kind whose number is not above `sequence`; the one before the oldest when there is none. */
function lastUpTo(view: ReadView, kind: Ring<AuditEntry>, { oldest, newest }: { readonly oldest: number; readonly newest: number }, sequence: number): number {
  let low = oldest - 1;
  let high = newest;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((kind.get(view, middle)?.sequence ?? 0) <= sequence) low = middle;
    else high = middle - 1;
  }
  return low;
}
