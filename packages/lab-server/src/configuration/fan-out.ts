import type { CancelTimer, Clock, Entropy } from '@uemkit/protocol';
import { advanceRecomputeJob, nextRecomputeJob } from '../state/recompute-jobs.ts';
import type { LabStore, WriteView } from '../store/lab-store.ts';
import { assignmentReader } from './assigned-objects.ts';
import type { DeliverySurroundings } from './deliver.ts';
import { devicesInScope } from './devices-in-scope.ts';
import { recomputeDevice } from './recompute-device.ts';

/** Devices that are worked out in one transaction: bounds how long others wait. */
export const MAX_DEVICES_PER_STEP = 64;
/** Pause after a failed step, then doubled up to the longest one. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** Works out what devices must be given after a change of the administrator (F5.2), a few at a time. */
export interface FanOut {
  /** A change is durable, or the server has started: goes through everything that is to be worked out. Never throws. */
  start(): void;
  /** True while a step runs or is to come. */
  readonly isBusy: boolean;
  close(): void;
}

export interface FanOutOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** A device has something new that is durable (F5.2). Must not throw. */
  wake(deviceId: string): void;
  /** A mail is in the outbox as soon as the running transaction is durable. Must not throw. */
  readonly mailWaits?: (() => void) | undefined;
  /** A step failed and is tried again. Must not throw. */
  failed(error: unknown): void;
}

/**
 * The fan-out over the jobs in the store. Each step is one transaction that ends with the place it has come to, so after a crash it goes on there. Jobs take turns:
 * one device does not wait behind ten thousand.
 */
export function createFanOut({ clock, entropy, store, wake, mailWaits, failed }: FanOutOptions): FanOut {
  let state: 'idle' | 'working' | 'closed' = 'idle';
  let cancelTimer: CancelTimer | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let last: string | undefined;
  /** A change came in while a step ran that may not have seen it. */
  let isDueAgain = false;

  const soon = (delayMs: number): void => {
    cancelTimer = clock.setTimer(delayMs, () => {
      cancelTimer = undefined;
      void step();
    });
  };

  const step = async (): Promise<void> => {
    isDueAgain = false;
    try {
      const done = await store.transaction((tx) => workOff(tx, last, { entropy, nowMs: clock.nowMs(), mailWaits }));
      if (isClosed()) return;
      pauseMs = FIRST_PAUSE_MS;
      for (const deviceId of done?.woken ?? []) wake(deviceId);
      last = done?.job;
      if (done === undefined && !isDueAgain) state = 'idle';
      // Others get their turn in between.
      else soon(0);
    } catch (error) {
      if (isClosed()) return;
      // Nothing was written, and nothing is lost: the job is still there.
      failed(error);
      soon(pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  };

  const isClosed = (): boolean => state === 'closed';

  return {
    start() {
      isDueAgain = true;
      if (state !== 'idle') return;
      state = 'working';
      void step();
    },
    get isBusy() {
      return state === 'working';
    },
    close() {
      state = 'closed';
      cancelTimer?.();
    },
  };
}

/** One step of one job; undefined when there is none. */
function workOff(
  tx: WriteView,
  after: string | undefined,
  surroundings: DeliverySurroundings,
): { readonly job: string; readonly woken: readonly string[] } | undefined {
  const next = nextRecomputeJob(tx, after);
  if (next === undefined) return undefined;
  const { id, job } = next;
  const { devices, place } = devicesInScope(tx, job.scope, job.place, MAX_DEVICES_PER_STEP);
  const reader = assignmentReader(tx);
  const active = devices.filter((device) => device.status === 'active');
  const woken = active.filter((device) => recomputeDevice(tx, device, surroundings, reader));
  advanceRecomputeJob(tx, job, place);
  return { job: id, woken: woken.map(({ deviceId }) => deviceId) };
}
