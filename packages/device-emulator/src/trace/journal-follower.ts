import type { Clock } from '@uemkit/protocol';
import * as v from 'valibot';
import type { AdminHttp } from '../admin/admin-http.ts';
import { type JournalEntry, journalLine } from './journal-line.ts';
import type { TraceLine } from './trace-line.ts';

/** Between two looks. The lab keeps 10,000 entries; what is forgotten between two looks is counted as left out. */
const PAUSE_MS = 500;
/** Entries of one answer; the server gives no more. */
const PAGE = 1_000;
const END = 999_999_999_999_999;

const text = v.string();
const optional = v.optional(v.string());
const entry = v.object({
  sequence: v.number(),
  timeMs: v.number(),
  role: v.picklist(['infrastructure', 'uem', 'notification', 'noc', 'connectivity-node']),
  service: text,
  step: optional,
  request: text,
  answer: text,
  userId: optional,
  deviceId: optional,
  reason: optional,
  receivedMs: v.optional(v.number()),
  bytes: v.optional(v.number()),
  refs: v.optional(v.array(v.string())),
});
const page = v.object({ entries: v.array(entry), last: v.number() });

/** One entry of a journal file or answer; undefined for anything else. */
export function readJournalEntry(value: unknown): JournalEntry | undefined {
  const parsed = v.safeParse(entry, value);
  return parsed.success ? parsed.output : undefined;
}

export interface JournalFollowerOptions {
  /** A connection of its own: looking is not part of the run. */
  readonly http: Pick<AdminHttp, 'request'>;
  readonly clock: Clock;
  write(line: TraceLine): void;
  leftOut(count: number): void;
  /** Requests that are in the trace already. */
  takes(request: string, answer: string): boolean;
  /** The server has no journal, or cannot be asked. */
  failed(error: unknown): void;
}

/** Adds to a trace what only the servers see: the way of wake-ups between the roles (F5.2), registrations (F1.1), other administrators, faults. */
export class JournalFollower {
  readonly #options: JournalFollowerOptions;
  #after = END;
  #cancel: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #ended = false;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
  }

  /** From now on; what the journal has already is not taken. */
  async start(): Promise<void> {
    await this.#look();
    this.#arm();
  }

  /** Takes what is there and ends. */
  async close(): Promise<void> {
    this.#cancel?.();
    await this.#looking;
    await this.#look();
    this.#ended = true;
  }

  #arm(): void {
    if (this.#ended) return;
    this.#cancel = this.#options.clock.setTimer(PAUSE_MS, () => {
      this.#looking = this.#look().then(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    if (this.#ended) return;
    try {
      while (await this.#page());
    } catch (error) {
      // A server that is away for a moment is asked again; one that has no journal is not.
      if ((error as { readonly status?: unknown }).status === 404) this.#ended = true;
      this.#options.failed(error);
    }
  }

  /** True when there may be more. */
  async #page(): Promise<boolean> {
    const { http, leftOut } = this.#options;
    const { entries, last } = v.parse(page, await http.request({ method: 'GET', path: `/lab/v1/journal?after=${this.#after}&max=${PAGE}` }));
    const before = this.#after;
    this.#after = entries.at(-1)?.sequence ?? last;
    // Not asked before, or the server was started again and counts from 1.
    if (before > last) {
      if (before === END) return false;
      this.#after = 0;
      return true;
    }
    const first = entries[0]?.sequence;
    if (first !== undefined && first > before + 1) leftOut(first - before - 1);
    for (const one of entries) this.#write(one);
    return entries.length === PAGE;
  }

  #write(one: JournalEntry): void {
    const { takes, write } = this.#options;
    if (one.service === 'admin') {
      if (one.request === 'GET /lab/v1/journal') return;
      if (takes(one.request, one.answer)) return;
    }
    const line = journalLine(one);
    if (line !== undefined) write(line);
  }
}
