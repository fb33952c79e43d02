import type { CancelTimer, Clock, Entropy } from '@uemkit/protocol';
import type { DeliverySurroundings } from '../configuration/deliver.ts';
import { recomputeDevice } from '../configuration/recompute-device.ts';
import { attend, attendanceIsDue, lookAtAfter, lookedAt } from '../state/attendance.ts';
import { listConfigurationProfiles, MAX_PROFILES } from '../state/configuration-profiles.ts';
import { deviceById } from '../state/devices.ts';
import { dueSupervisions, putSupervision, supervisedDevices } from '../state/supervision.ts';
import type { LabStore, ReadView, WriteView } from '../store/lab-store.ts';

/** Devices that are looked at in one transaction. */
export const MAX_DEVICES_PER_SWEEP = 64;
/** It looks at the clock at least so often: a clock that was set forward is found out. */
const LONGEST_SLEEP_MS = 60_000;
const PAUSE_AFTER_FAILURE_MS = 5_000;

/** Looks at devices when time alone changes what has to be done with them: the next prompt, an action, days without contact, the next inventory. */
export interface ComplianceSweep {
  /** Looks at the clock now; for a start, and after each change of the administrator. Never throws. */
  start(): void;
  close(): void;
}

export interface ComplianceSweepOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Must not throw. */
  wake(deviceId: string): void;
  /** A mail is in the outbox as soon as the running transaction is durable. Must not throw. */
  readonly mailWaits?: (() => void) | undefined;
  /** Must not throw. */
  failed(error: unknown): void;
}

export function createComplianceSweep({ clock, entropy, store, wake, mailWaits, failed }: ComplianceSweepOptions): ComplianceSweep {
  let cancelTimer: CancelTimer | undefined;
  let isRunning = false;
  let isClosed = false;

  const sleep = (delayMs: number): void => {
    cancelTimer = clock.setTimer(delayMs, () => void run());
  };

  const run = async (): Promise<void> => {
    cancelTimer?.();
    cancelTimer = undefined;
    isRunning = true;
    let delayMs = PAUSE_AFTER_FAILURE_MS;
    let isNeeded = true;
    try {
      const nowMs = clock.nowMs();
      if (store.read((view) => attendanceIsDue(view, nowMs))) await store.transaction((tx) => attend(tx, nowMs));
      // Most of the time nothing is due, and nothing is written.
      const [first] = store.read((view) => dueSupervisions(view, 1));
      const isSetBack = store.read(lookAtAfter) !== undefined;
      if (isSetBack || (first !== undefined && first.dueMs <= nowMs)) {
        for (const deviceId of await store.transaction((tx) => sweep(tx, { entropy, nowMs, mailWaits }))) wake(deviceId);
        delayMs = 0;
      } else delayMs = first === undefined ? LONGEST_SLEEP_MS : Math.min(LONGEST_SLEEP_MS, first.dueMs - nowMs);
      // Without a rule time changes nothing; the next change of the administrator starts it again.
      isNeeded = first !== undefined || store.read(watchesAnything);
    } catch (error) {
      if (!isClosed) failed(error);
    }
    isRunning = false;
    if (!isClosed && isNeeded) sleep(delayMs);
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

/** True when there is a profile by which devices are looked at. */
function watchesAnything(view: ReadView): boolean {
  const profiles = listConfigurationProfiles(view, { limit: MAX_PROFILES });
  return profiles.some(({ record }) => WATCHING_KINDS.includes(record.kind) && record.digest !== undefined);
}

const WATCHING_KINDS: readonly string[] = ['compliance', 'enterprise-management-agent'];

/** The devices that are due, as far as they fit into one transaction; gives those that have to be woken. */
function sweep(tx: WriteView, surroundings: DeliverySurroundings): readonly string[] {
  const woken: string[] = [];
  for (const deviceId of nextDevices(tx, surroundings.nowMs)) {
    const device = deviceById(tx, deviceId);
    if (device?.status !== 'active') putSupervision(tx, deviceId, undefined);
    else if (recomputeDevice(tx, device, surroundings)) woken.push(deviceId);
  }
  return woken;
}

/** Those that are due; after a clock was set back all of them, because their times are of the clock that was ahead. */
function nextDevices(tx: WriteView, nowMs: number): readonly string[] {
  const after = lookAtAfter(tx);
  if (after === undefined)
    return dueSupervisions(tx, MAX_DEVICES_PER_SWEEP)
      .filter(({ dueMs }) => dueMs <= nowMs)
      .map(({ deviceId }) => deviceId);
  const ids = supervisedDevices(tx, after, MAX_DEVICES_PER_SWEEP);
  lookedAt(tx, ids.length < MAX_DEVICES_PER_SWEEP ? undefined : ids.at(-1));
  return ids;
}
