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
  /**
   * Hands entries over. A rejection puts all of them back, and nothing else is sent before the pause is over; those that are given back wait for a pause of
   * their own, and others go ahead of them.
   */
  send(entries: readonly T[]): Promise<readonly T[] | undefined>;
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
  // What was given back, with what waits BOUNDED by capacity.
  const givenBack = new Map<string, T>();
  let running: Promise<void> | undefined;
  let cancelTimer: CancelTimer | undefined;
  let cancelReturn: CancelTimer | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let returnMs = FIRST_PAUSE_MS;
  let closed = false;

  /** Gives up the oldest entries over the capacity. */
  const trim = (): void => {
    while (entries.size + givenBack.size > capacity) {
      const fuller = givenBack.size > entries.size ? givenBack : entries;
      fuller.delete(fuller.keys().next().value as string);
    }
  };

  /** Sends until nothing waits; stops at the first failure and comes back later. */
  const drain = async (): Promise<void> => {
    while (entries.size > 0 && !closed) {
      const taken = [...take(entries, batch)];
      try {
        const back = await options.send(taken.map(([, entry]) => entry));
        pauseMs = FIRST_PAUSE_MS;
        keepBack(taken.filter(([, entry]) => back?.includes(entry)));
      } catch {
        // A newer entry of the same key is the one to keep.
        for (const [key, entry] of taken) if (!entries.has(key)) entries.set(key, entry);
        trim();
        if (!closed) cancelTimer ??= clock.setTimer(pauseMs, again);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        return;
      }
    }
  };

  /** Entries that this call was no good for; each time that happens the pause grows, until a call is good for all. */
  const keepBack = (pairs: readonly (readonly [string, T])[]): void => {
    if (pairs.length === 0 && givenBack.size === 0) returnMs = FIRST_PAUSE_MS;
    for (const [key, entry] of pairs) if (!entries.has(key)) givenBack.set(key, entry);
    trim();
    if (closed || givenBack.size === 0 || cancelReturn !== undefined) return;
    cancelReturn = clock.setTimer(returnMs, () => {
      cancelReturn = undefined;
      for (const [key, entry] of givenBack) if (!entries.has(key)) entries.set(key, entry);
      givenBack.clear();
      if (cancelTimer === undefined) void start();
    });
    returnMs = Math.min(2 * returnMs, LONGEST_PAUSE_MS);
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
      // What waits for its pause does not get out of it by being asked for again.
      if (givenBack.has(key)) return void givenBack.set(key, entry);
      entries.delete(key);
      entries.set(key, entry);
      trim();
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
      return entries.size + givenBack.size;
    },
    close() {
      closed = true;
      cancelTimer?.();
      cancelReturn?.();
      entries.clear();
      givenBack.clear();
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
