import type { CancelTimer, Clock } from '@uemkit/protocol';
import { endDevice } from '../../state/device-lifecycle.ts';
import { deviceById, unconfirmedDevicesByTime } from '../../state/devices.ts';
import type { LabStore, WriteView } from '../../store/lab-store.ts';
import { NOT_CONFIRMED } from './confirm-activation.ts';

/** Activations that end in one transaction. */
export const MAX_ENDED_PER_SWEEP = 64;
/** It looks at the clock at least so often: a clock that was set forward is found out, and an activation may be late by that. */
const LONGEST_SLEEP_MS = 3_600_000;
const PAUSE_AFTER_FAILURE_MS = 5_000;

/** Ends activations that nobody has confirmed in time (F1.5), also when their devices never come again: their certificates are revoked, and what was kept for them goes. */
export interface ConfirmationSweep {
  /** Looks at the clock now; for a start. Never throws. */
  start(): void;
  close(): void;
}

export interface ConfirmationSweepOptions {
  readonly clock: Clock;
  readonly store: LabStore;
  /** Must not throw. */
  failed(error: unknown): void;
}

export function createConfirmationSweep({ clock, store, failed }: ConfirmationSweepOptions): ConfirmationSweep {
  let cancelTimer: CancelTimer | undefined;
  let isRunning = false;
  let isClosed = false;

  const run = async (): Promise<void> => {
    cancelTimer?.();
    isRunning = true;
    let delayMs = PAUSE_AFTER_FAILURE_MS;
    try {
      const nowMs = clock.nowMs();
      const [first] = store.read((view) => unconfirmedDevicesByTime(view, 1));
      // Most of the time nothing is due, and nothing is written.
      if (first !== undefined && first.confirmByMs < nowMs) {
        await store.transaction((tx) => endUnconfirmedInTime(tx, nowMs));
        delayMs = 0;
      } else delayMs = first === undefined ? LONGEST_SLEEP_MS : Math.min(LONGEST_SLEEP_MS, first.confirmByMs - nowMs + 1);
    } catch (error) {
      if (!isClosed) failed(error);
    }
    isRunning = false;
    if (!isClosed) cancelTimer = clock.setTimer(delayMs, () => void run());
  };

  return {
    start() {
      if (!isRunning && !isClosed) void run();
    },
    close() {
      isClosed = true;
      cancelTimer?.();
    },
  };
}

/** Ends those that are due, as far as they fit into one transaction. */
function endUnconfirmedInTime(tx: WriteView, nowMs: number): void {
  for (const { deviceId, confirmByMs } of unconfirmedDevicesByTime(tx, MAX_ENDED_PER_SWEEP)) {
    const device = confirmByMs < nowMs ? deviceById(tx, deviceId) : undefined;
    if (device !== undefined) endDevice(tx, device, { status: 'removed', reason: NOT_CONFIRMED }, nowMs);
  }
}
