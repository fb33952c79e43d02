import { type Clock, type Entropy, toHex, wire } from '@uemkit/protocol';
import type { RoleLink } from '../roles/link-guard.ts';
import { MAX_WAKE_UPS_PER_CALL, type Notifier, type WakeUpTarget } from '../roles/uem/notifier.ts';
import { createRetryQueue } from './retry-queue.ts';
import { callRole } from './role-call.ts';

/** How long a notification service keeps a wake-up for a device that is away. */
export const WAKE_UP_LIFE_S = 86_400;
/** Devices that may wait to be woken; a device polls anyway. */
export const MAX_WAITING_DEVICES = 100_000;

/** The notifier of UEM, with an end. */
export interface LinkNotifier extends Notifier {
  /** Devices that are still to be woken. */
  readonly waiting: number;
  close(): void;
}

export interface NotifierOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Way to the Infrastructure. */
  readonly infrastructure: RoleLink;
  /** The notification service does not know the token any more. */
  unregistered(target: WakeUpTarget): void;
}

/** F5.2: wakes devices through the Infrastructure. A device that waits to be woken already is not queued twice; unreachable services are tried again. */
export function createNotifier(options: NotifierOptions): LinkNotifier {
  const { clock, entropy } = options;
  const send = async (targets: readonly WakeUpTarget[]): Promise<void> => {
    const nowMs = clock.nowMs();
    const notifications = targets.map(
      ({ pushToken }): wire.Notification => ({
        token: pushToken,
        wakeUpId: entropy.randomBytes(16),
        expiresAtEpochS: Math.floor(nowMs / 1_000) + WAKE_UP_LIFE_S,
        sentAtEpochMs: nowMs,
      }),
    );
    const { statuses } = await callRole(options.infrastructure, 'notifications', wire.notify.encode({ notifications }), wire.notifyResult);
    for (const [index, target] of targets.entries()) if (statuses[index] === 'unregistered') options.unregistered(target);
  };
  const queue = createRetryQueue<WakeUpTarget>({ clock, batch: MAX_WAKE_UPS_PER_CALL, capacity: MAX_WAITING_DEVICES, send });
  return {
    wakeUp(targets) {
      for (const target of targets) queue.put(toHex(target.pushToken), target);
    },
    get waiting() {
      return queue.waiting;
    },
    close: () => queue.close(),
  };
}
