import { backoff, type Clock, type Entropy, isProtocolError, type ProtocolError } from '@uemkit/protocol';
import type { Timing } from '../metrics/series.ts';
import type { ActivationPlan } from '../scenario/scenario.ts';

/** One activation that is to be driven. */
export interface ActivationTask {
  readonly index: number;
  /** Planned start, from the beginning of the phase. */
  readonly atMs: number;
  /** Makes one attempt; may be called again after a failure that allows that. */
  attempt(signal: AbortSignal): Promise<void>;
}

export interface ActivationDriverOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly plan: Pick<ActivationPlan, 'inFlight'>;
  /** Attempts of one device before it counts as failed. */
  readonly attempts: number;
  readonly signal: AbortSignal;
  activated(index: number, timing: Timing): void;
  failed(index: number, error: unknown, timing: Timing): void;
  /** An attempt failed and another follows. */
  retrying?(index: number, error: ProtocolError): void;
}

const RETRY_PAUSE = { minMs: 100, baseMs: 500, maxMs: 10_000 };

/**
 * Activates devices at planned times (an open model: the plan does not wait for the server) with a cap on those under way. A device that has to wait for the
 * cap is not our lag: the wait shows in its response time, which counts from the planned start.
 */
export async function driveActivations(tasks: readonly ActivationTask[], options: ActivationDriverOptions): Promise<void> {
  const { clock, plan, signal } = options;
  const beganMs = clock.monotonicMs();
  const waiting: { readonly task: ActivationTask; readonly releasedMs: number }[] = [];
  const running = new Set<Promise<void>>();

  const begin = (): void => {
    while (running.size < plan.inFlight && !signal.aborted) {
      const next = waiting.shift();
      if (next === undefined) return;
      const run = activate(next.task, beganMs + next.task.atMs, next.releasedMs, options).finally(() => {
        running.delete(run);
        begin();
      });
      running.add(run);
    }
  };

  for (const task of [...tasks].sort((a, b) => a.atMs - b.atMs || a.index - b.index)) {
    await until(clock, beganMs + task.atMs, signal);
    signal.throwIfAborted();
    waiting.push({ task, releasedMs: clock.monotonicMs() });
    begin();
  }
  while (running.size > 0) await Promise.race(running);
  signal.throwIfAborted();
}

async function activate(task: ActivationTask, intendedMs: number, releasedMs: number, options: ActivationDriverOptions): Promise<void> {
  const { clock, signal } = options;
  const sentMs = clock.monotonicMs();
  const timing = (): Timing => ({ intendedMs, releasedMs, sentMs, endedMs: clock.monotonicMs() });
  const pauses = backoff(RETRY_PAUSE, options.entropy)[Symbol.iterator]();
  for (let attempt = 1; ; attempt++) {
    try {
      await task.attempt(signal);
      options.activated(task.index, timing());
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (attempt >= options.attempts || !mayRetry(error)) {
        options.failed(task.index, error, timing());
        return;
      }
      options.retrying?.(task.index, error);
      await until(clock, clock.monotonicMs() + (pauses.next().value as number), signal);
    }
  }
}

function mayRetry(error: unknown): error is ProtocolError {
  return isProtocolError(error) && (error.retry === 'backoff' || error.retry === 'reconnect');
}

/** Resolves at `atMs` of the monotonic clock, or at once when that is over or the signal is aborted. */
function until(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  const delayMs = atMs - clock.monotonicMs();
  if (delayMs <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.setTimer(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
