import { type Clock, type CryptoProvider, type Entropy, isProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { idReference } from '../journal/references.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import type { Journal } from '../roles/role.ts';
import { MAX_WAKE_UPS_PER_CALL, type Notifier, type WakeUpTarget } from '../roles/uem/notifier.ts';
import { createRetryQueue, type RetryQueue } from './retry-queue.ts';
import { callRole } from './role-call.ts';

/** How long a notification service keeps a wake-up for a device that is away. */
export const WAKE_UP_LIFE_S = 86_400;
/** Devices of one notification service that may wait to be woken; a device polls anyway. */
export const MAX_WAITING_DEVICES = 100_000;

/** The notifier of UEM, with an end. */
export interface LinkNotifier extends Notifier {
  /** Devices that are still to be woken. */
  readonly waiting: number;
  close(): void;
}

export interface NotifierOptions {
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly entropy: Entropy;
  /** UEM alone knows which device a wake-up is for; the other roles see its token and its id. */
  readonly journal: Journal;
  /** Way to the Infrastructure. */
  readonly infrastructure: RoleLink;
  /** The notification service does not know the token any more. */
  unregistered(target: WakeUpTarget): void;
}

/**
 * F5.2: wakes devices through the Infrastructure. A device that waits to be woken already is not queued twice; what could not be handed over, or was throttled,
 * is tried again with growing pauses. Each notification service has a queue and calls of its own, so that one that is dead, or does not even answer, holds back its own wake-ups and no others,
 * however many are dead.
 */
export function createNotifier(options: NotifierOptions): LinkNotifier {
  const { clock, crypto, entropy, journal } = options;
  const note = ({ deviceId }: WakeUpTarget, notification: wire.Notification, receivedMs: number, answer: string, reason?: string): void =>
    journal.record({
      timeMs: clock.nowMs(),
      role: 'uem',
      service: 'notifications',
      step: 'F5.2',
      request: 'notify',
      answer,
      source: '',
      deviceId,
      reason,
      receivedMs,
      refs: idReference(crypto, notification.wakeUpId),
    });
  const send = async (targets: readonly WakeUpTarget[]): Promise<readonly WakeUpTarget[]> => {
    const nowMs = clock.nowMs();
    const notifications = targets.map(
      ({ pushToken }): wire.Notification => ({
        token: pushToken,
        wakeUpId: entropy.randomBytes(16),
        expiresAtEpochS: Math.floor(nowMs / 1_000) + WAKE_UP_LIFE_S,
      }),
    );
    let statuses: readonly wire.NotifyStatus[];
    try {
      ({ statuses } = await callRole(options.infrastructure, 'notifications', wire.notify.encode({ notifications }), wire.notifyResult));
    } catch (error) {
      const reason = isProtocolError(error) ? `${error.code} ${error.message}` : 'bug';
      for (const [index, target] of targets.entries()) note(target, notifications[index] as wire.Notification, nowMs, 'not delivered', reason);
      throw error;
    }
    for (const [index, target] of targets.entries()) {
      note(target, notifications[index] as wire.Notification, nowMs, statuses[index] ?? 'unknown');
      if (statuses[index] === 'unregistered') options.unregistered(target);
    }
    return targets.filter((_, index) => statuses[index] === 'throttled' || statuses[index] === 'unavailable');
  };
  const newQueue = (): RetryQueue<WakeUpTarget> => createRetryQueue<WakeUpTarget>({ clock, batch: MAX_WAKE_UPS_PER_CALL, capacity: MAX_WAITING_DEVICES, send });
  // BOUNDED by the notification services that there are, and one for tokens of none.
  const queues = new Map<wire.PushServiceName | 'none', RetryQueue<WakeUpTarget>>();
  const queueOf = ({ pushToken }: WakeUpTarget): RetryQueue<WakeUpTarget> => {
    const service = wire.pushAddressOf(pushToken)?.service ?? 'none';
    const queue = queues.get(service) ?? newQueue();
    queues.set(service, queue);
    return queue;
  };
  let isClosed = false;
  return {
    wakeUp(targets) {
      if (!isClosed) for (const target of targets) queueOf(target).put(toHex(target.pushToken), target);
    },
    get waiting() {
      return [...queues.values()].reduce((sum, { waiting }) => sum + waiting, 0);
    },
    close() {
      isClosed = true;
      for (const queue of queues.values()) queue.close();
    },
  };
}
