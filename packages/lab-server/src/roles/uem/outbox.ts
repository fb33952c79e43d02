import { isProtocolError } from '@uemkit/protocol';
import { deviceSummaryById } from '../../state/devices.ts';
import { listDueWakeUps } from '../../state/wake-ups.ts';
import type { LabStore } from '../../store/lab-store.ts';
import { MAX_WAKE_UPS_PER_CALL, type Notifier, type WakeUpTarget } from './notifier.ts';

/** Where a device is woken: nowhere without a token, then it only polls. */
export interface PushPlace {
  readonly pushToken?: Uint8Array | undefined;
}

/** Collects devices to be woken, and hands them to the notifier together. */
export interface Outbox {
  /**
   * A command for this device is durable (F5.2). Calls of one turn become one call of the notifier; a device is in it once.
   * @param known its push token, when the caller has just read it; absent: it is looked up
   */
  wake(deviceId: string, known?: PushPlace): void;
  /** After a start: wakes everybody who was to be woken and has not asked since. */
  resume(): void;
}

/** After a start there may be as many as there are devices: they are read for this alone, and not remembered. */
const TOKEN: ReadonlySet<'pushToken'> = new Set(['pushToken'] as const);

/** Devices that are read in one go after a start. */
const RESUME_PAGE = 500;

export function createOutbox(options: { readonly store: LabStore; readonly notifier: Notifier }): Outbox {
  const { store, notifier } = options;
  // BOUNDED by the devices whose commands became durable in one turn.
  let waiting = new Map<string, PushPlace | undefined>();

  const flush = (): void => {
    const places = waiting;
    waiting = new Map();
    try {
      send(places);
    } catch (error) {
      // The server is being stopped, or cannot read: the devices stay marked and are woken after the next start.
      if (!isProtocolError(error)) throw error;
    }
  };

  const send = (places: ReadonlyMap<string, PushPlace | undefined>): void => {
    const targets: WakeUpTarget[] = [];
    for (const [deviceId, known] of places) {
      const { pushToken } = known ?? store.read((view) => deviceSummaryById(view, deviceId, TOKEN)) ?? {};
      if (pushToken !== undefined) targets.push({ deviceId, pushToken });
    }
    for (let at = 0; at < targets.length; at += MAX_WAKE_UPS_PER_CALL) notifier.wakeUp(targets.slice(at, at + MAX_WAKE_UPS_PER_CALL));
  };

  return {
    wake(deviceId, known) {
      if (waiting.size === 0) queueMicrotask(flush);
      waiting.set(deviceId, known);
    },
    resume() {
      let after: string | undefined;
      do {
        const from = after;
        const page = store.read((view) => listDueWakeUps(view, { after: from, limit: RESUME_PAGE }));
        send(new Map(page.map((row) => [row.id, undefined])));
        after = page.length < RESUME_PAGE ? undefined : page.at(-1)?.id;
      } while (after !== undefined);
    },
  };
}
