import type { CancelTimer, Clock } from '@uemkit/protocol';
import { type AppInstanceRecord, appInstanceById, beginToEnd, deleteAppInstance, listAllAppInstances } from '../state/app-instances.ts';
import { appendEvent } from '../state/events.ts';
import type { LabStore, ReadView, WriteView } from '../store/lab-store.ts';
import { assignedApplication } from './app-provisioning.ts';

/** Apps that are looked at in one go: bounds how long others wait. */
export const MAX_APPS_PER_STEP = 64;
/** Pause after a failed step, then doubled up to the longest one. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** Why an app ends here. */
const NOT_ASSIGNED = 'the app is not assigned to its user any more';

/**
 * Ends activated apps that are not assigned to their user any more (F3.1): UEM gives their keys to no Proxy, and the NOC lets their links lead to UEM alone, where the apps
 * hear of it (F5.4) and end; those that never ask end with their session key. Begins anew with each change and each start, so that a crash loses nothing.
 */
export interface EntitlementSweep {
  /** A change of the administrator is durable, or the server has started. Never throws. */
  start(): void;
  close(): void;
}

export interface EntitlementSweepOptions {
  readonly clock: Clock;
  readonly store: LabStore;
  /** A step failed and is tried again. Must not throw. */
  failed(error: unknown): void;
}

export function createEntitlementSweep({ clock, store, failed }: EntitlementSweepOptions): EntitlementSweep {
  let cancelTimer: CancelTimer | undefined;
  let isRunning = false;
  let isClosed = false;
  /** A change came while apps before it were looked at already. */
  let isDueAgain = false;
  let pauseMs = FIRST_PAUSE_MS;
  let after: string | undefined;

  const run = async (): Promise<void> => {
    isRunning = true;
    let delayMs = 0;
    try {
      const from = after;
      const { due, next } = store.read((view) => unassigned(view, from, clock.nowMs()));
      // Most of the time nothing is due, and nothing is written.
      if (due.length > 0) await store.transaction((tx) => end(tx, due, clock.nowMs()));
      after = next;
      pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      if (isClosed) return;
      // Nothing was written: the same apps come again.
      failed(error);
      delayMs = pauseMs;
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
    if (isClosed) return;
    if (after === undefined && delayMs === 0 && !isDueAgain) {
      isRunning = false;
      return;
    }
    if (after === undefined) isDueAgain = false;
    // Others get their turn in between.
    cancelTimer = clock.setTimer(delayMs, () => void run());
  };

  return {
    start() {
      if (isClosed) return;
      if (isRunning) isDueAgain = true;
      else void run();
    },
    close() {
      isClosed = true;
      cancelTimer?.();
    },
  };
}

/** Of the apps behind `after` those that something is to be done about, and where to go on; no place: these were the last. */
function unassigned(view: ReadView, after: string | undefined, nowMs: number): { readonly due: readonly string[]; readonly next: string | undefined } {
  const rows = listAllAppInstances(view, { after, limit: MAX_APPS_PER_STEP });
  const due = rows.flatMap(({ id, record }) => (stepOf(view, record, nowMs) === undefined ? [] : [id]));
  return { due, next: rows.length < MAX_APPS_PER_STEP ? undefined : rows.at(-1)?.id };
}

function end(tx: WriteView, instanceIds: readonly string[], timeMs: number): void {
  for (const instanceId of instanceIds) {
    const instance = appInstanceById(tx, instanceId);
    // It may be assigned, or gone, by now.
    const step = instance === undefined ? undefined : stepOf(tx, instance, timeMs);
    if (instance === undefined || step === undefined) continue;
    if (step === 'end') {
      deleteAppInstance(tx, instance);
      continue;
    }
    beginToEnd(tx, instance, timeMs);
    const { userGuid, appId, deviceId } = instance;
    appendEvent(tx, { timeMs, type: 'APPLICATION_ENDED', userGuid, deviceId, applicationId: appId, reason: NOT_ASSIGNED });
  }
}

/** What is to be done about an app now. */
function stepOf(view: ReadView, { userGuid, appId, endingSinceMs, sessionKeyExpiresAtMs }: AppInstanceRecord, nowMs: number): 'begin' | 'end' | undefined {
  if (endingSinceMs !== undefined) return nowMs >= sessionKeyExpiresAtMs ? 'end' : undefined;
  return assignedApplication(view, userGuid, appId) === undefined ? 'begin' : undefined;
}
