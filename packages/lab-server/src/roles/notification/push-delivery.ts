import type { CancelTimer, Clock, CryptoProvider } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { idReference } from '../../journal/references.ts';
import type { LabStore } from '../../store/lab-store.ts';
import type { Journal } from '../role.ts';
import { type Offer, OfferQueue, type Untaken } from './offer.ts';
import type { PushLimits } from './push-limits.ts';
import type { PushSession } from './push-session.ts';
import { deleteWaiting } from './waiting-wake-ups.ts';
import { wakeUpFrame } from './wake-up-frames.ts';

/** What is done to a wake-up on purpose. A lost one is lost for good: only the regular poll of the device makes up for it. */
export type DeliveryFault = { readonly id: string } & (
  | { readonly kind: 'drop' }
  | { readonly kind: 'duplicate' }
  /** `reorder`: it waits until the next one for the device has gone ahead of it, at most so long. */
  | { readonly kind: 'delay' | 'reorder'; readonly delayMs: number }
);

/** The way of wake-ups to devices that are connected. */
export interface PushDelivery {
  /** Sends a wake-up that is stored nowhere. The offer ends when the device has taken it, and at the latest after `takeMs`; it may end before this returns. */
  offer(session: PushSession, wakeUp: wire.WakeUp, offer: Offer): void;
  /** Sends a wake-up that waits in the store; it is forgotten there when the device has taken it. */
  sendStored(session: PushSession, wakeUp: wire.WakeUp): void;
  /** A wake-up that was offered is being stored: called before it is, so that a late acknowledgement forgets it there. */
  isStored(session: PushSession, wakeUpId: Uint8Array): void;
  /** The device has taken a wake-up. */
  acknowledged(session: PushSession, wakeUpId: Uint8Array): void;
  /** The connection is gone. */
  closed(session: PushSession): void;
  stop(): void;
}

export function createPushDelivery(options: {
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly store: LabStore;
  readonly journal: Journal;
  readonly limits: Pick<PushLimits, 'takeMs' | 'unreadBytes'>;
  fault(session: PushSession): DeliveryFault | undefined;
  cutOff(session: PushSession, reason: string): void;
}): PushDelivery {
  const { clock, crypto, store, journal, limits } = options;
  const offers = new OfferQueue();
  // Held back until the next wake-up of the same device. BOUNDED by connections.
  const overtaken = new Map<PushSession, () => void>();
  let cancelTimer: CancelTimer | undefined;

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
      refs: idReference(crypto, wakeUpId),
    });

  const stop = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
  };

  const arm = (): void => {
    const { first } = offers;
    if (first === undefined || cancelTimer !== undefined) return;
    // Stays when the first one ends early, and finds the next one due: one timer an interval instead of one a wake-up.
    cancelTimer = clock.setTimer(Math.max(0, first.dueMs - clock.monotonicMs()), () => {
      cancelTimer = undefined;
      const nowMs = clock.monotonicMs();
      while (offers.first !== undefined && offers.first.dueMs <= nowMs) offers.first.end('sent');
      arm();
    });
  };

  /** Puts the wake-up on the wire; false when the device reads nothing any more. */
  const put = (session: PushSession, wakeUp: wire.WakeUp, untaken: Untaken): boolean => {
    if (session.state !== 'registered') return false;
    if (session.socket.unreadBytes > limits.unreadBytes) {
      // Not read any more: the wake-up waits for the next connection.
      options.cutOff(session, 'slow reader');
      return false;
    }
    if (!session.hasUntaken) session.untakenSinceMs = clock.monotonicMs();
    if (!session.addUntaken(untaken)) untaken.settle?.(false);
    note(session, 'wakeUp', wakeUp.wakeUpId, 'sent');
    session.socket.send(wakeUpFrame(wakeUp));
    overtaken.get(session)?.();
    return true;
  };

  /** Carries out a fault; true when the wake-up does not leave now. */
  const meet = (session: PushSession, wakeUp: wire.WakeUp, later: () => void): 'none' | 'lost' | 'twice' | 'held' => {
    const fault = options.fault(session);
    if (fault === undefined) return 'none';
    if (fault.kind === 'duplicate') return 'twice';
    if (fault.kind === 'drop') {
      note(session, 'wakeUp', wakeUp.wakeUpId, 'dropped', `fault ${fault.id}`);
      forget(session, wakeUp.wakeUpId);
      return 'lost';
    }
    note(session, 'wakeUp', wakeUp.wakeUpId, fault.kind === 'delay' ? 'delayed' : 'overtaken', `fault ${fault.id}`);
    const cancel = clock.setTimer(fault.delayMs, () => {
      overtaken.delete(session);
      later();
    });
    // One at a time for a device: a second one would let the first go.
    if (fault.kind === 'reorder' && !overtaken.has(session)) {
      overtaken.set(session, () => {
        overtaken.delete(session);
        cancel();
        later();
      });
    }
    return 'held';
  };

  // A failed write leaves the wake-up where it is: the device gets it once more, which does no harm.
  const forget = (session: PushSession, wakeUpId: Uint8Array): void => {
    const { key } = session;
    if (key === undefined) return;
    store.transaction((tx) => deleteWaiting(tx, key, wakeUpId)).catch(() => note(session, 'pushAck', wakeUpId, 'not stored', 'ERR_STORE_WRITE'));
  };

  const sendStored = (session: PushSession, wakeUp: wire.WakeUp): boolean =>
    put(session, wakeUp, { wakeUpId: wakeUp.wakeUpId, stored: true, nextUntaken: undefined });

  return {
    offer(session, wakeUp, offer) {
      const fault = session.state === 'registered' ? meet(session, wakeUp, () => sendStored(session, wakeUp)) : 'none';
      if (fault === 'lost') return offer.end('taken');
      if (fault === 'held') return offer.end('held');
      offers.add(offer, clock.monotonicMs() + limits.takeMs);
      if (!put(session, wakeUp, offer)) return offer.end('away');
      if (fault === 'twice') session.socket.send(wakeUpFrame(wakeUp));
      arm();
    },
    sendStored(session, wakeUp) {
      const fault = meet(session, wakeUp, () => sendStored(session, wakeUp));
      if (fault === 'lost' || fault === 'held') return;
      if (sendStored(session, wakeUp) && fault === 'twice') session.socket.send(wakeUpFrame(wakeUp));
    },
    isStored(session, wakeUpId) {
      const untaken = session.findUntaken(wakeUpId);
      if (untaken !== undefined) untaken.stored = true;
    },
    acknowledged(session, wakeUpId) {
      // Whatever it takes, it reads: only a device that takes nothing is slow. It was heard just now, with this frame.
      session.untakenSinceMs = session.heardMs;
      const untaken = session.takeUntaken(wakeUpId);
      // What was not sent on this connection costs no write.
      if (untaken === undefined) return;
      untaken.settle?.(true);
      if (untaken.stored) forget(session, wakeUpId);
    },
    closed(session) {
      for (const one of session.takeAllUntaken()) one.settle?.(false);
      overtaken.get(session)?.();
    },
    stop,
  };
}
