import { ProtocolError } from '@uemkit/protocol';
import type { Journal } from '../roles/role.ts';
import { type NumberedEntry, Slot } from './slot.ts';

export type { NumberedEntry };

/** Entries that the journal keeps; older ones are forgotten. */
export const MAX_JOURNAL_ENTRIES = 10_000;

export interface JournalQuery {
  /** Only entries with a higher sequence number. */
  readonly after?: number | undefined;
  readonly deviceId?: string | undefined;
  readonly userId?: string | undefined;
  readonly max?: number | undefined;
}

/** Every request that a role answered, refused or lost on purpose; the newest `capacity` of them. */
export interface RingJournal extends Journal {
  entries(query?: JournalQuery): readonly NumberedEntry[];
  /** Sequence number of the newest entry, 0 when there is none yet. */
  readonly last: number;
  /** Called with each new entry; returns a function that ends it. */
  subscribe(listener: (entry: NumberedEntry) => void): () => void;
  /**
   * @throws ProtocolError `ERR_PEER_UNEXPECTED` when a request came that no part of the server knows: its sender is wrong, or the server lacks something.
   * Counted for the whole life of the journal, forgotten entries included.
   */
  assertNoUnknownRequests(): void;
}

/** A bounded journal in memory. */
export function createRingJournal(options: { readonly capacity?: number } = {}): RingJournal {
  const { capacity = MAX_JOURNAL_ENTRIES } = options;
  // BOUNDED by capacity: slot = (sequence - 1) % capacity.
  const ring: Slot[] = [];
  // BOUNDED by who calls subscribe: one for the journal file, one for each running test.
  const listeners = new Set<(entry: NumberedEntry) => void>();
  let last = 0;
  let unknown = 0;
  let firstUnknown: NumberedEntry | undefined;

  return {
    get last() {
      return last;
    },
    record(entry) {
      last += 1;
      const at = (last - 1) % capacity;
      let slot = ring[at];
      if (slot === undefined) {
        slot = new Slot();
        ring.push(slot);
      }
      slot.take(last, entry);
      if (entry.unknown === true) {
        unknown += 1;
        firstUnknown ??= slot.read();
      }
      if (listeners.size > 0) for (const listener of listeners) listener(slot.read());
    },
    entries({ after = 0, deviceId, userId, max = capacity } = {}) {
      const found: NumberedEntry[] = [];
      for (let sequence = Math.max(after + 1, last - capacity + 1, 1); sequence <= last && found.length < max; sequence++) {
        const slot = ring[(sequence - 1) % capacity] as Slot;
        if (deviceId !== undefined && slot.deviceId !== deviceId) continue;
        if (userId !== undefined && slot.userId !== userId) continue;
        found.push(slot.read());
      }
      return found;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    assertNoUnknownRequests() {
      if (firstUnknown === undefined) return;
      const { sequence, role, service, request, reason = 'not known here' } = firstUnknown;
      throw new ProtocolError('ERR_PEER_UNEXPECTED', `${unknown} unknown requests, the first: ${request} to ${role}/${service} (${reason})`, {
        details: { unknown, sequence, role, service },
      });
    },
  };
}
