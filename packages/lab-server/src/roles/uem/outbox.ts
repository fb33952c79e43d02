import { isProtocolError } from '@uemkit/protocol';
import { deviceById } from '../../state/devices.ts';
import { listDueWakeUps } from '../../state/wake-ups.ts';
import type { LabStore } from '../../store/lab-store.ts';
import { MAX_WAKE_UPS_PER_CALL, type Notifier, type WakeUpTarget } from './notifier.ts';

/** Collects devices to be woken, and hands them to the notifier together. */
export interface Outbox {
  /** A command for this device is durable (F5.2). Calls of one turn become one call of the notifier; a device is in it once. */
  wake(deviceId: string): void;
  /** After a start: wakes everybody who was to be woken and has not asked since. */
  resume(): void;
}

/** Devices that are read in one go after a start. */
const RESUME_PAGE = 500;

export function createOutbox(options: { readonly store: LabStore; readonly notifier: Notifier }): Outbox {
  const { store, notifier } = options;
  // BOUNDED by the devices whose commands became durable in one turn.
  let waiting = new Set<string>();

  const flush = (): void => {
    const deviceIds = [...waiting];
    waiting = new Set();
    try {
      send(deviceIds);
    } catch (error) {
      // The server is being stopped, or cannot read: the devices stay marked and are woken after the next start.
      if (!isProtocolError(error)) throw error;
    }
  };

  const send = (deviceIds: readonly string[]): void => {
    const targets = store.read((view) =>
      deviceIds.flatMap((deviceId): readonly WakeUpTarget[] => {
        const pushToken = deviceById(view, deviceId)?.pushToken;
        // A device without a token only polls.
        return pushToken === undefined ? [] : [{ deviceId, pushToken }];
      }),
    );
    for (let at = 0; at < targets.length; at += MAX_WAKE_UPS_PER_CALL) notifier.wakeUp(targets.slice(at, at + MAX_WAKE_UPS_PER_CALL));
  };

  return {
    wake(deviceId) {
      if (waiting.size === 0) queueMicrotask(flush);
      waiting.add(deviceId);
    },
    resume() {
      let after: string | undefined;
      do {
        const from = after;
        const page = store.read((view) => listDueWakeUps(view, { after: from, limit: RESUME_PAGE }));
        send(page.map((row) => row.id));
        after = page.length < RESUME_PAGE ? undefined : page.at(-1)?.id;
      } while (after !== undefined);
    },
  };
}
