import { ProtocolError } from '@uemkit/protocol';
import type { Journal, JournalEntry } from '../roles/role.ts';
import type { References } from './references.ts';

/** Entries that the journal keeps; older ones are forgotten. */
export const MAX_JOURNAL_ENTRIES = 10_000;
/** Longest text that an entry takes over from a request. */
export const MAX_JOURNAL_TEXT_CHARACTERS = 256;

/** One request with its place in the journal. */
export interface NumberedEntry extends Omit<JournalEntry, 'refs'> {
  /** Counts from 1 in the life of the process. */
  readonly sequence: number;
  readonly refs?: readonly string[] | undefined;
}

/** As it stands in the ring: references are worked out when somebody reads it. */
type KeptEntry = { -readonly [Name in keyof NumberedEntry]: Name extends 'refs' ? References | readonly string[] : NumberedEntry[Name] };

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
  const ring: KeptEntry[] = [];
  // BOUNDED by who calls subscribe: one for the journal file, one for each running test.
  const listeners = new Set<(entry: NumberedEntry) => void>();
  let last = 0;
  let unknown = 0;
  let firstUnknown: KeptEntry | undefined;

  return {
    get last() {
      return last;
    },
    record(entry) {
      last += 1;
      const kept = numbered(last, entry);
      ring[(last - 1) % capacity] = kept;
      if (entry.unknown === true) {
        unknown += 1;
        firstUnknown ??= kept;
      }
      if (listeners.size > 0) for (const listener of listeners) listener(read(kept));
    },
    entries({ after = 0, deviceId, userId, max = capacity } = {}) {
      const found: NumberedEntry[] = [];
      for (let sequence = Math.max(after + 1, last - capacity + 1, 1); sequence <= last && found.length < max; sequence++) {
        const entry = ring[(sequence - 1) % capacity] as KeptEntry;
        if (deviceId !== undefined && entry.deviceId !== deviceId) continue;
        if (userId !== undefined && entry.userId !== userId) continue;
        found.push(read(entry));
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

const CONTROL = /\p{Cc}/u;

/** Texts of a peer are cut and free of control characters, so that an entry is bounded and one line. Runs for every request. */
function clean(text: string): string {
  if (text.length <= MAX_JOURNAL_TEXT_CHARACTERS && !CONTROL.test(text)) return text;
  return text.slice(0, MAX_JOURNAL_TEXT_CHARACTERS).replace(/\p{Cc}/gu, ' ');
}

/** An entry for readers: its references are worked out now, once. */
function read(kept: KeptEntry): NumberedEntry {
  if (typeof kept.refs === 'function') kept.refs = kept.refs();
  return kept as NumberedEntry;
}

function numbered(sequence: number, entry: JournalEntry): KeptEntry {
  const { timeMs, role, service, step, request, answer, source, userId, deviceId, reason, unknown, receivedMs, bytes, refs } = entry;
  const kept: KeptEntry = {
    sequence,
    timeMs,
    role,
    service: clean(service),
    request: clean(request),
    answer: clean(answer),
    source: clean(source),
  };
  if (step !== undefined) kept.step = step;
  if (userId !== undefined) kept.userId = clean(userId);
  if (deviceId !== undefined) kept.deviceId = clean(deviceId);
  if (reason !== undefined) kept.reason = clean(reason);
  if (unknown !== undefined) kept.unknown = unknown;
  if (receivedMs !== undefined) kept.receivedMs = receivedMs;
  if (bytes !== undefined) kept.bytes = bytes;
  if (refs !== undefined) kept.refs = refs;
  return kept;
}
