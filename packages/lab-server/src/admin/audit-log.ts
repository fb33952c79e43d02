import type { Clock } from '@uemkit/protocol';
import { type AuditEntry, appendAttempt, appendAudit, finishAudit, lastAuditSequence, listAudit } from '../state/audit.ts';
import type { LabStore, WriteView } from '../store/lab-store.ts';

/** Who does what. */
export type AuditedOperation = Pick<AuditEntry, 'username' | 'role' | 'source' | 'operation' | 'object'>;

/** How it ended; `object` when it is another one than that of the request: what was created. */
export interface AuditedEnd {
  readonly status: number;
  readonly problem?: string | undefined;
  readonly object?: string | undefined;
}

/**
 * Who did what, when, with which object, and how it ended: only ever added to. Nothing is done that is not in it.
 * What is one transaction has its entry in that transaction (`change`); anything else has one that is durable before it begins (`begin`, `end`).
 * Each of them @throws ProtocolError `ERR_STORE_WRITE`, `ERR_REJECTED_BUSY`: then nothing was done, and must not be.
 */
export interface AuditLog {
  /** Makes a change and puts it down, both or neither; resolves when they survive a crash. What `make` throws leaves neither. */
  change<T>(operation: AuditedOperation, make: (tx: WriteView) => { readonly made: T; readonly end: AuditedEnd }): Promise<T>;
  /** Puts down what was refused and has changed nothing. */
  refused(operation: AuditedOperation, end: AuditedEnd): Promise<void>;
  /** Puts down an attempt of somebody whose role is too small. */
  attempted(operation: AuditedOperation, end: AuditedEnd): Promise<void>;
  /** Puts down that an operation begins, and gives its place for `end`. */
  begin(operation: AuditedOperation): Promise<number>;
  /** Puts down how it ended; an entry without an end says that the server stopped before the answer. */
  end(place: number, end: AuditedEnd): void;
  /** Entries with a higher number, the oldest first. */
  entries(query: { readonly after: number; readonly max: number }): readonly AuditEntry[];
  /** Number of the newest entry. */
  last(): number;
}

export function createAuditLog({ clock, store }: { readonly clock: Clock; readonly store: LabStore }): AuditLog {
  const entryOf = (operation: AuditedOperation, { object = operation.object, ...end }: AuditedEnd): Omit<AuditEntry, 'sequence'> => ({
    timeMs: clock.nowMs(),
    ...operation,
    ...end,
    object,
  });
  return {
    change: (operation, make) =>
      store.transaction((tx) => {
        const { made, end } = make(tx);
        appendAudit(tx, entryOf(operation, end));
        return made;
      }),
    refused: (operation, end) => store.transaction((tx) => void appendAudit(tx, entryOf(operation, end))),
    attempted: (operation, end) => store.transaction((tx) => appendAttempt(tx, entryOf(operation, end))),
    begin: (operation) => store.transaction((tx) => appendAudit(tx, { timeMs: clock.nowMs(), ...operation })),
    end(place, { status, problem, object }) {
      // The answer does not wait for it: what the log would lose then is only that it was given.
      store.transaction((tx) => finishAudit(tx, place, { status, problem, ...(object === undefined ? {} : { object }) })).catch(() => {});
    },
    entries: ({ after, max }) => store.read((view) => listAudit(view, { after, limit: max })),
    last: () => store.read(lastAuditSequence),
  };
}
