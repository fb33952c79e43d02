import type { CancelTimer, Clock } from '../../ports/clock.ts';

/** Timers that one `advance` may run; a loop of timers without progress ends here instead of never. */
const MAX_TIMERS_PER_ADVANCE = 1_000_000;
/** Turns of the event loop between two timers: enough for chains of promises and in-process streams. */
const DEFAULT_TURNS = 10;

/** A clock that moves only when a test says so. */
export interface FakeClock extends Clock {
  /** Timers that are armed. */
  readonly pendingTimers: number;
  /** Time until the next timer is due; undefined when none is armed. */
  readonly nextTimerInMs: number | undefined;
  /** Lets time pass: runs each due timer at its time, in order, and lets promises settle after each. */
  advance(durationMs: number): Promise<void>;
  /**
   * Lets time pass from timer to timer until `condition` holds.
   * @throws Error when it does not hold after `maxMs`, or when no timer is left that could change anything.
   */
  advanceUntil(condition: () => boolean, maxMs: number): Promise<void>;
  /** Lets promises settle; no time passes. */
  settle(): Promise<void>;
  /** Moves the wall clock only, as when a user sets the time. */
  jumpWallClock(byMs: number): void;
  /** Time stands still while `work` runs; for what really takes time, such as scrypt on a thread or a disk. */
  hold<T>(work: Promise<T>): Promise<T>;
}

export interface FakeClockOptions {
  /** Turns of the event loop between two timers. */
  readonly turns?: number;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * Clock for tests in virtual time.
 *
 * @example
 * const clock = fakeClock(Date.UTC(2026, 0, 1))
 * await clock.advance(24 * 60 * 60 * 1000)
 */
export function fakeClock(startMs: number, options: FakeClockOptions = {}): FakeClock {
  const { turns = DEFAULT_TURNS } = options;
  /** Sorted by time; equal times in the order of arming. */
  const timers: Timer[] = [];
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  let pending = 0;
  const held = new Set<Promise<unknown>>();

  const settle = async (): Promise<void> => {
    await eventLoopTurns(turns);
    while (held.size > 0) {
      await Promise.allSettled(held);
      await eventLoopTurns(turns);
    }
  };
  const next = (): Timer | undefined => {
    while (timers[0]?.cancelled) timers.shift();
    return timers[0];
  };
  /** Runs the next timer when it is due by `limitMs`; false when there is none. */
  const runNext = async (limitMs: number): Promise<boolean> => {
    const timer = next();
    if (timer === undefined || timer.dueMs > limitMs) return false;
    timers.shift();
    timer.cancelled = true;
    pending--;
    elapsedMs = Math.max(elapsedMs, timer.dueMs);
    timer.callback();
    await settle();
    return true;
  };
  const arm = (delayMs: number, callback: () => void): CancelTimer => {
    const timer: Timer = { dueMs: elapsedMs + Math.max(0, delayMs), callback, cancelled: false };
    timers.splice(placeOf(timers, timer.dueMs), 0, timer);
    pending++;
    return () => {
      if (timer.cancelled) return;
      timer.cancelled = true;
      pending--;
    };
  };

  return {
    nowMs: () => wallOffsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    setTimer: arm,
    get pendingTimers() {
      return pending;
    },
    get nextTimerInMs() {
      const timer = next();
      return timer === undefined ? undefined : Math.max(0, timer.dueMs - elapsedMs);
    },
    settle,
    async advance(durationMs) {
      const endMs = elapsedMs + durationMs;
      await settle();
      for (let ran = 0; await runNext(endMs); ran++) if (ran > MAX_TIMERS_PER_ADVANCE) throw new Error('timers keep arming each other');
      elapsedMs = Math.max(elapsedMs, endMs);
      await settle();
    },
    async advanceUntil(condition, maxMs) {
      const endMs = elapsedMs + maxMs;
      await settle();
      for (let ran = 0; !condition(); ran++) {
        if (ran > MAX_TIMERS_PER_ADVANCE) throw new Error('timers keep arming each other');
        if (!(await runNext(endMs)))
          throw new Error(pending === 0 ? 'condition does not hold and no timer is armed' : `condition does not hold after ${maxMs} ms`);
      }
    },
    jumpWallClock(byMs) {
      wallOffsetMs += byMs;
    },
    hold(work) {
      const done: Promise<unknown> = work.then(
        () => held.delete(done),
        () => held.delete(done),
      );
      held.add(done);
      return work;
    },
  };
}

/** Place after all timers that are due at `dueMs` or before. */
function placeOf(timers: readonly Timer[], dueMs: number): number {
  let low = 0;
  let high = timers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timers[middle] as Timer).dueMs <= dueMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Taken once, so that a test runner which replaces the global timers does not stop this clock. */
const platformImmediate: ((callback: () => void) => unknown) | undefined = globalThis.setImmediate;
const platformTimeout: (callback: () => void, delayMs: number) => unknown = globalThis.setTimeout;

/** One promise for all of them: months of virtual time are millions of turns. */
function eventLoopTurns(turns: number): Promise<void> {
  return new Promise((resolve) => {
    let left = turns;
    const turn = (): void => {
      if (left-- <= 0) resolve();
      else if (platformImmediate === undefined) platformTimeout(turn, 0);
      else platformImmediate(turn);
    };
    turn();
  });
}
