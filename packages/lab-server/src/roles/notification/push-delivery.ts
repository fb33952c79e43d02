import { type CancelTimer, type Clock, type CryptoProvider, sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { idReferences } from '../../journal/references.ts';
import type { LabStore } from '../../store/lab-store.ts';
import type { Journal } from '../role.ts';
import { MAX_UNTAKEN, type PushLimits } from './push-limits.ts';
import type { PushSession, Untaken } from './push-session.ts';
import { deleteWaiting } from './waiting-wake-ups.ts';

/** What is done to a wake-up on purpose. A lost one is lost for good: only the regular poll of the device makes up for it. */
export type DeliveryFault = { readonly id: string } & (
  | { readonly kind: 'drop' }
  | { readonly kind: 'duplicate' }
  /** `reorder`: it waits until the next one for the device has gone ahead of it, at most so long. */
  | { readonly kind: 'delay' | 'reorder'; readonly delayMs: number }
);

/** `taken`: the device has it. `sent`: it left, and the device has not said that it took it. `held`: it leaves later. `away`: it cannot leave. */
export type Offered = 'taken' | 'sent' | 'held' | 'away';

/** The way of wake-ups to devices that are connected. */
export interface PushDelivery {
  /** Sends a wake-up that is stored nowhere; resolves when the device has taken it, and at the latest after `takeMs`. */
  offer(session: PushSession, wakeUp: wire.WakeUp): Promise<Offered>;
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

/** Whoever made an offer, and waits for its end. */
interface OfferOwner {
  ended(offer: Offer): void;
}

/** A wake-up whose sender waits to hear whether the device took it. A class without closures of its own: each wake-up makes one. */
class Offer implements Untaken {
  readonly wakeUpId: Uint8Array;
  readonly dueMs: number;
  readonly #owner: OfferOwner;
  readonly #resolve: (how: Offered) => void;
  stored = false;
  #isOpen = true;

  constructor(wakeUpId: Uint8Array, dueMs: number, owner: OfferOwner, resolve: (how: Offered) => void) {
    this.wakeUpId = wakeUpId;
    this.dueMs = dueMs;
    this.#owner = owner;
    this.#resolve = resolve;
  }

  settle(taken: boolean): void {
    this.end(taken ? 'taken' : 'away');
  }

  /** The first end counts. */
  end(how: Offered): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#owner.ended(this);
    this.#resolve(how);
  }
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
  // All offers wait equally long, so the first is always the next one due. BOUNDED by MAX_UNTAKEN for each connection.
  const offers = new Set<Offer>();
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
      refs: idReferences(crypto, [wakeUpId]),
    });

  const stop = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
  };

  const arm = (): void => {
    const [first] = offers;
    if (first === undefined || cancelTimer !== undefined) return;
    cancelTimer = clock.setTimer(Math.max(0, first.dueMs - clock.monotonicMs()), () => {
      cancelTimer = undefined;
      const nowMs = clock.monotonicMs();
      for (const offer of offers) {
        if (offer.dueMs > nowMs) break;
        offer.end('sent');
      }
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
    session.untaken ??= [];
    if (session.untaken.length === 0) session.untakenSinceMs = clock.monotonicMs();
    if (session.untaken.length < MAX_UNTAKEN) session.untaken.push(untaken);
    else untaken.settle?.(false);
    note(session, 'wakeUp', wakeUp.wakeUpId, 'sent');
    session.socket.send(wire.wakeUp.encode(wakeUp));
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

  const owner: OfferOwner = {
    ended(offer) {
      offers.delete(offer);
      if (offers.size === 0) stop();
    },
  };

  const sendStored = (session: PushSession, wakeUp: wire.WakeUp): boolean => put(session, wakeUp, { wakeUpId: wakeUp.wakeUpId, stored: true });

  return {
    offer(session, wakeUp) {
      const fault = session.state === 'registered' ? meet(session, wakeUp, () => sendStored(session, wakeUp)) : 'none';
      if (fault === 'lost') return Promise.resolve('taken');
      if (fault === 'held') return Promise.resolve('held');
      return new Promise((resolve) => {
        const offer = new Offer(wakeUp.wakeUpId, clock.monotonicMs() + limits.takeMs, owner, resolve);
        offers.add(offer);
        if (!put(session, wakeUp, offer)) return offer.end('away');
        if (fault === 'twice') session.socket.send(wire.wakeUp.encode(wakeUp));
        arm();
      });
    },
    sendStored(session, wakeUp) {
      const fault = meet(session, wakeUp, () => sendStored(session, wakeUp));
      if (fault === 'lost' || fault === 'held') return;
      if (sendStored(session, wakeUp) && fault === 'twice') session.socket.send(wire.wakeUp.encode(wakeUp));
    },
    isStored(session, wakeUpId) {
      const untaken = session.untaken?.find((one) => sameBytes(one.wakeUpId, wakeUpId));
      if (untaken !== undefined) untaken.stored = true;
    },
    acknowledged(session, wakeUpId) {
      // Whatever it takes, it reads: only a device that takes nothing is slow.
      session.untakenSinceMs = clock.monotonicMs();
      const at = session.untaken?.findIndex((one) => sameBytes(one.wakeUpId, wakeUpId)) ?? -1;
      // What was not sent on this connection costs no write.
      if (at < 0) return;
      const [untaken] = (session.untaken as Untaken[]).splice(at, 1) as [Untaken];
      untaken.settle?.(true);
      if (untaken.stored) forget(session, wakeUpId);
    },
    closed(session) {
      const untaken = session.untaken ?? [];
      session.untaken = undefined;
      for (const one of untaken) one.settle?.(false);
      overtaken.get(session)?.();
    },
    stop,
  };
}
