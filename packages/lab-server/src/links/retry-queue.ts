import type { CancelTimer, Clock } from '@uemkit/protocol';

/** First pause after a failure, then doubled up to the longest one. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

export interface RetryQueueOptions<T> {
  readonly clock: Clock;
  /** Entries of one call. */
  readonly batch: number;
  /** Entries that wait; over it the oldest is given up. */
  readonly capacity: number;
  /** Hands entries over; a rejection puts them back. */
  send(entries: readonly T[]): Promise<void>;
}

/** Work that must reach another role some time: one call at a time, newest entry per key wins, tried again until it is through. */
export interface RetryQueue<T> {
  put(key: string, entry: T): void;
  /** Resolves when everything that waits now has been handed over or has failed once more. Never rejects. */
  attempt(): Promise<void>;
  readonly waiting: number;
  close(): void;
}

export function createRetryQueue<T>(options: RetryQueueOptions<T>): RetryQueue<T> {
  const { clock, batch, capacity } = options;
  // BOUNDED by capacity.
  const entries = new Map<string, T>();
  let running: Promise<void> | undefined;
  let cancelTimer: CancelTimer | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let closed = false;

  /** Sends until nothing waits; stops at the first failure and comes back later. */
  const drain = async (): Promise<void> => {
    while (entries.size > 0 && !closed) {
      const taken = [...take(entries, batch)];
      try {
        await options.send(taken.map(([, entry]) => entry));
        pauseMs = FIRST_PAUSE_MS;
      } catch {
        // A newer entry of the same key is the one to keep.
        for (const [key, entry] of taken) if (!entries.has(key)) entries.set(key, entry);
        if (!closed) cancelTimer ??= clock.setTimer(pauseMs, again);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        return;
      }
    }
  };

  const again = (): void => {
    cancelTimer = undefined;
    void start();
  };

  const start = (): Promise<void> => {
    running ??= drain().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    put(key, entry) {
      if (closed) return;
      entries.delete(key);
      if (entries.size >= capacity) entries.delete(entries.keys().next().value as string);
      entries.set(key, entry);
      // While it pauses after a failure new entries wait with the others.
      if (cancelTimer === undefined) void start();
    },
    async attempt() {
      cancelTimer?.();
      cancelTimer = undefined;
      await start();
      if (entries.size > 0 && cancelTimer === undefined) await start();
    },
    get waiting() {
      return entries.size;
    },
    close() {
      closed = true;
      cancelTimer?.();
      entries.clear();
    },
  };
}

function* take<T>(entries: Map<string, T>, count: number): Generator<[string, T]> {
  let taken = 0;
  for (const pair of entries) {
    if (taken++ >= count) return;
    entries.delete(pair[0]);
    yield pair;
  }
}
