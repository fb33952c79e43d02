import { type Clock, type CryptoProvider, wire } from '@uemkit/protocol';
import { idReferences } from '../../journal/references.ts';
import type { LabStore } from '../../store/lab-store.ts';
import type { Journal } from '../role.ts';
import type { PushSession } from './push-session.ts';
import { deletePending } from './push-tokens.ts';

/** What is done to a wake-up on purpose. A lost one is lost for good: only the regular poll of the device makes up for it. */
export type DeliveryFault = { readonly id: string } & (
  | { readonly kind: 'drop' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'delay'; readonly delayMs: number }
);

/** The way of wake-ups to devices that are connected. */
export interface PushDelivery {
  /** `stored`: it waits in the store until the device has taken it. False when the device was cut off instead. */
  send(session: PushSession, wakeUp: wire.WakeUp, kept: 'stored' | 'now-or-never'): boolean;
  /** The device has taken a wake-up. */
  acknowledged(session: PushSession, wakeUpId: Uint8Array): void;
}

export function createPushDelivery(options: {
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly store: LabStore;
  readonly journal: Journal;
  readonly unreadBytes: number;
  fault(): DeliveryFault | undefined;
  cutOff(session: PushSession, reason: string): void;
}): PushDelivery {
  const { clock, crypto, store, journal } = options;

  const note = (session: PushSession, request: string, wakeUpId: Uint8Array, answer: string, reason?: string): void =>
    journal.record({
      timeMs: clock.nowMs(),
      role: 'notification',
      service: 'wakeUp',
      step: 'F5.2',
      request,
      answer,
      source: session.source,
      reason,
      refs: idReferences(crypto, [wakeUpId]),
    });

  // A failed write leaves the wake-up where it is: the device gets it once more, which does no harm.
  const forget = (session: PushSession, wakeUpId: Uint8Array): void => {
    const { key } = session;
    if (key === undefined) return;
    store.transaction((tx) => deletePending(tx, key, wakeUpId)).catch(() => note(session, 'pushAck', wakeUpId, 'not stored', 'ERR_STORE_WRITE'));
  };

  const deliver = (session: PushSession, wakeUp: wire.WakeUp, kept: 'stored' | 'now-or-never'): boolean => {
    if (session.state !== 'registered') return false;
    if (session.socket.unreadBytes > options.unreadBytes) {
      // Not read any more: the wake-up waits for the next connection.
      options.cutOff(session, 'slow reader');
      return false;
    }
    note(session, 'wakeUp', wakeUp.wakeUpId, 'sent');
    session.socket.send(wire.wakeUp.encode(wakeUp));
    if (kept === 'stored') session.unacknowledged ??= { wakeUpId: wakeUp.wakeUpId, sinceMs: clock.monotonicMs() };
    return true;
  };

  return {
    send(session, wakeUp, kept) {
      const fault = options.fault();
      if (fault === undefined) return deliver(session, wakeUp, kept);
      if (fault.kind === 'duplicate') return deliver(session, wakeUp, kept) && deliver(session, wakeUp, kept);
      if (fault.kind === 'drop') {
        note(session, 'wakeUp', wakeUp.wakeUpId, 'dropped', `fault ${fault.id}`);
        forget(session, wakeUp.wakeUpId);
      } else {
        note(session, 'wakeUp', wakeUp.wakeUpId, 'delayed', `fault ${fault.id}`);
        clock.setTimer(fault.delayMs, () => deliver(session, wakeUp, kept));
      }
      return true;
    },
    acknowledged(session, wakeUpId) {
      // Whatever it takes, it reads: only a device that takes nothing is slow.
      session.unacknowledged = undefined;
      forget(session, wakeUpId);
    },
  };
}
