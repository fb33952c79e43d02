import { epochSeconds, id16 } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { arrayOf, bytes, type FieldType, numbered, optional, required, structure, text, uint } from './schema.ts';

/** Bearer secret of one device at its notification service; names no device. */
export const pushToken: FieldType<Uint8Array> = bytes(16, 64);

/** First frame on the push connection: the device registers, or comes back with its token. */
export interface PushRegister {
  /** `fcm`, `apns`, `wns`, `bb10`. */
  readonly service: string;
  readonly token?: Uint8Array | undefined;
}

export const pushRegister: MessageCodec<PushRegister> = message(
  'pushRegister',
  structure<PushRegister>({ service: required(0, text(1, 16)), token: optional(1, pushToken) }),
);

/** The token in force; another one than asked for when that is not valid any more. */
export interface PushRegistered {
  readonly token: Uint8Array;
  /** Silence after which each end may take the connection for dead. */
  readonly pingIntervalS: number;
}

export const pushRegistered: MessageCodec<PushRegistered> = message(
  'pushRegistered',
  structure<PushRegistered>({ token: required(0, pushToken), pingIntervalS: required(1, uint(1, 86_400)) }),
);

/** Something is pending at UEM (F5.2). Carries no data: the device asks. */
export interface WakeUp {
  readonly wakeUpId: Uint8Array;
  readonly sentAtEpochMs: number;
}

export const wakeUp: MessageCodec<WakeUp> = message('wakeUp', structure<WakeUp>({ wakeUpId: required(0, id16), sentAtEpochMs: required(1, uint()) }));

/** The device has taken the wake-up; the service forgets it. */
export interface PushAck {
  readonly wakeUpId: Uint8Array;
}

export const pushAck: MessageCodec<PushAck> = message('pushAck', structure<PushAck>({ wakeUpId: required(0, id16) }));

/** The service ends the connection on purpose. */
export interface PushClose {
  readonly reason: 'replaced' | 'revoked' | 'goingAway';
}

export const pushClose: MessageCodec<PushClose> = message(
  'pushClose',
  structure<PushClose>({ reason: required(0, numbered<PushClose['reason']>('replaced', 'revoked', 'goingAway')) }),
);

/** One notification on its way from UEM through the Infrastructure to the notification service (F5.2). */
export interface Notification {
  readonly token: Uint8Array;
  readonly wakeUpId: Uint8Array;
  /** 0: now or never. */
  readonly expiresAtEpochS: number;
  readonly sentAtEpochMs: number;
}

export interface Notify {
  readonly notifications: readonly Notification[];
}

const notification: FieldType<Notification> = structure<Notification>({
  token: required(0, pushToken),
  wakeUpId: required(1, id16),
  expiresAtEpochS: required(2, epochSeconds),
  sentAtEpochMs: required(3, uint()),
});

export const notify: MessageCodec<Notify> = message('notify', structure<Notify>({ notifications: required(0, arrayOf(notification, 1, 500)) }));

/** What became of each notification, in the order of the request. `expired`: its time was over, or it was for now or never and the device not connected. */
export type NotifyStatus = 'delivered' | 'stored' | 'unregistered' | 'throttled' | 'expired';

export interface NotifyResult {
  readonly statuses: readonly NotifyStatus[];
}

export const notifyResult: MessageCodec<NotifyResult> = message(
  'notifyResult',
  structure<NotifyResult>({
    statuses: required(0, arrayOf(numbered<NotifyStatus>('delivered', 'stored', 'unregistered', 'throttled', 'expired'), 1, 500)),
  }),
);
