import type { AdminRole } from '../admin/admin-role.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { sortable, type Table, table } from './table.ts';

/** Entries of the audit log that are kept; the oldest are forgotten. */
export const MAX_AUDIT_ENTRIES = 10_000;

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

interface AuditCounter {
  readonly last: number;
}

const entries: Table<AuditEntry> = table('audit');
const counter: Table<AuditCounter> = table('audit-counter');
const ONLY = 'this';

/** Number of the newest entry, 0 when there is none. */
export function lastAuditSequence(view: ReadView): number {
  return counter.get(view, ONLY)?.last ?? 0;
}

/** Adds an entry at the end and gives its number. */
export function appendAudit(tx: WriteView, entry: Omit<AuditEntry, 'sequence'>): number {
  const sequence = lastAuditSequence(tx) + 1;
  entries.put(tx, sortable(sequence), { sequence, ...entry });
  counter.put(tx, ONLY, { last: sequence });
  if (sequence > MAX_AUDIT_ENTRIES) entries.delete(tx, sortable(sequence - MAX_AUDIT_ENTRIES));
  return sequence;
}

/** Notes how it ended, once. */
export function finishAudit(tx: WriteView, sequence: number, end: Pick<AuditEntry, 'status' | 'problem'> & { readonly object?: string }): void {
  const entry = entries.get(tx, sortable(sequence));
  if (entry?.status === undefined && entry !== undefined) entries.put(tx, sortable(sequence), { ...entry, ...end });
}

/** Entries after a number, the oldest first. */
export function listAudit(view: ReadView, query: { readonly after: number; readonly limit: number }): readonly AuditEntry[] {
  return entries.page(view, { after: sortable(query.after), limit: query.limit }).map((row) => row.record);
}
