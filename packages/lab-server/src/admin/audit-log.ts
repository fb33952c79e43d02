import type { Clock } from '@uemkit/protocol';
import { type AuditEntry, appendAudit, finishAudit, lastAuditSequence, listAudit } from '../state/audit.ts';
import type { LabStore } from '../store/lab-store.ts';

/** Who did what, when, with which object, and how it ended: only ever added to. */
export interface AuditLog {
  /**
   * Puts down that an operation begins; resolves when that survives a crash, so that nothing is done that is not in the log.
   * @throws ProtocolError `ERR_STORE_WRITE`, `ERR_REJECTED_BUSY`: then it must not be done
   */
  begin(entry: Pick<AuditEntry, 'username' | 'role' | 'source' | 'operation' | 'object'>): Promise<number>;
  /** Puts down how it ended; an entry without an end says that the server stopped before the answer. */
  end(sequence: number, end: { readonly status: number; readonly problem?: string | undefined; readonly object?: string | undefined }): void;
  /** Entries with a higher number, the oldest first. */
  entries(query: { readonly after: number; readonly max: number }): readonly AuditEntry[];
  /** Number of the newest entry. */
  last(): number;
}

export function createAuditLog({ clock, store }: { readonly clock: Clock; readonly store: LabStore }): AuditLog {
  return {
    begin: (entry) => store.transaction((tx) => appendAudit(tx, { timeMs: clock.nowMs(), ...entry })),
    end(sequence, { status, problem, object }) {
      // The answer does not wait for it: what the log would lose then is only that it was given.
      store.transaction((tx) => finishAudit(tx, sequence, { status, problem, ...(object === undefined ? {} : { object }) })).catch(() => {});
    },
    entries: ({ after, max }) => store.read((view) => listAudit(view, { after, limit: max })),
    last: () => store.read(lastAuditSequence),
  };
}
