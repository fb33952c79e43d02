import * as wire from '@uemkit/protocol/wire';

/** A device to be woken (F5.2). */
export interface WakeUpTarget {
  readonly deviceId: string;
  readonly pushToken: Uint8Array;
}

/** Way to the notification services, through the Infrastructure. */
export interface Notifier {
  /** Takes over the wake-ups; at most `MAX_WAKE_UPS_PER_CALL`. Must not throw; a lost one is made good by the next poll. */
  wakeUp(targets: readonly WakeUpTarget[]): void;
}

/** Bounded by the notifications of one `notify` message. */
export const MAX_WAKE_UPS_PER_CALL: number = wire.LIMITS.notifications;
