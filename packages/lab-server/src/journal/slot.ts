import type { JournalEntry, RoleName } from '../roles/role.ts';
import type { References } from './references.ts';

/** Longest text that an entry takes over from a request. */
export const MAX_JOURNAL_TEXT_CHARACTERS = 256;

/** One request with its place in the journal. */
export interface NumberedEntry extends Omit<JournalEntry, 'refs'> {
  /** Counts from 1 in the life of the process. */
  readonly sequence: number;
  readonly refs?: readonly string[] | undefined;
}

const CONTROL = /\p{Cc}/u;

/** Texts of a peer are cut and free of control characters, so that an entry is bounded and one line. Runs for every request. */
function clean(text: string): string {
  if (text.length <= MAX_JOURNAL_TEXT_CHARACTERS && !CONTROL.test(text)) return text;
  return text.slice(0, MAX_JOURNAL_TEXT_CHARACTERS).replace(/\p{Cc}/gu, ' ');
}

/**
 * A place in the ring of the journal, filled again and again: a new object for each line would outlive several garbage collections before it is forgotten.
 * What is absent is undefined, or NaN for a number.
 */
export class Slot {
  #sequence = 0;
  #timeMs = Number.NaN;
  #receivedMs = Number.NaN;
  #bytes = Number.NaN;
  #role: RoleName = 'notification';
  #service = '';
  #step: string | undefined = undefined;
  #request = '';
  #answer = '';
  #source = '';
  #reason: string | undefined = undefined;
  #unknown: boolean | undefined = undefined;
  #refs: References | readonly string[] | undefined = undefined;
  userId: string | undefined = undefined;
  deviceId: string | undefined = undefined;

  take(sequence: number, entry: JournalEntry): void {
    const { userId, deviceId, reason } = entry;
    this.#sequence = sequence;
    this.#timeMs = entry.timeMs;
    this.#receivedMs = entry.receivedMs ?? Number.NaN;
    this.#bytes = entry.bytes ?? Number.NaN;
    this.#role = entry.role;
    this.#service = clean(entry.service);
    this.#step = entry.step;
    this.#request = clean(entry.request);
    this.#answer = clean(entry.answer);
    this.#source = clean(entry.source);
    this.#reason = reason === undefined ? undefined : clean(reason);
    this.#unknown = entry.unknown;
    this.#refs = entry.refs;
    this.userId = userId === undefined ? undefined : clean(userId);
    this.deviceId = deviceId === undefined ? undefined : clean(deviceId);
  }

  /** A copy for readers, without what is absent. References are worked out now, once. */
  read(): NumberedEntry {
    if (this.#refs !== undefined && 'names' in this.#refs) this.#refs = this.#refs.names();
    const all: Record<keyof NumberedEntry, unknown> = {
      sequence: this.#sequence,
      timeMs: this.#timeMs,
      role: this.#role,
      service: this.#service,
      request: this.#request,
      answer: this.#answer,
      source: this.#source,
      step: this.#step,
      userId: this.userId,
      deviceId: this.deviceId,
      reason: this.#reason,
      unknown: this.#unknown,
      receivedMs: this.#receivedMs,
      bytes: this.#bytes,
      refs: this.#refs,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && !Number.isNaN(value))) as unknown as NumberedEntry;
  }
}
