import { utf8 } from '../bytes/bytes.ts';
import { epochSeconds, id16 } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bytes, type FieldType, numbered, optional, required, structure, text, uint } from './schema.ts';

/** Notification services: of Android, of iOS and macOS, of Windows 10, of BlackBerry 10 (F5.2). */
export type PushServiceName = 'fcm' | 'apns' | 'wns' | 'bb10';

/** All notification services. */
export const PUSH_SERVICES: readonly PushServiceName[] = ['fcm', 'apns', 'wns', 'bb10'];

/** Where one device can be woken, read. */
export interface PushAddress {
  readonly service: PushServiceName;
  /** In the form of the service: APNs token in hexadecimal, FCM registration id, WNS channel URI, BlackBerry 10 address. */
  readonly address: string;
}

/**
 * Bearer secret of one device at its notification service; names no device. Devices and UEM pass it on as it is; who has to reach the service reads it
 * with `pushAddressOf`.
 */
export const pushToken: FieldType<Uint8Array> = bytes(16, LIMITS.pushTokenBytes);

/** A push address as the token that devices and UEM pass on: `service:address` in UTF-8. */
export function pushTokenOf({ service, address }: PushAddress): Uint8Array {
  return utf8(`${service}:${address}`);
}

const addressDecoder = new TextDecoder();

/** The push address in a token, or undefined when it names no notification service: a token comes from a device, which may tell anything. */
export function pushAddressOf(token: Uint8Array): PushAddress | undefined {
  const all = addressDecoder.decode(token);
  const colon = all.indexOf(':');
  const service = PUSH_SERVICES.find((name) => name === all.slice(0, colon));
  const address = all.slice(colon + 1);
  return service === undefined || !/^[\x21-\x7e]+$/.test(address) ? undefined : { service, address };
}

/** First frame on the push connection: the device registers, or comes back with its token. */
export interface PushRegister {
  /** `fcm`, `apns`, `wns`, `bb10`. */
  readonly service: string;
  readonly token?: Uint8Array | undefined;
  /** Which sender the token is for: APNs topic, FCM project, WNS package, BlackBerry 10 application. UEM's own when left out. */
  readonly application?: string | undefined;
}

export const pushRegister: MessageCodec<PushRegister> = message(
  'pushRegister',
  structure<PushRegister>({ service: required(0, text(1, 16)), token: optional(1, pushToken), application: optional(2, text()) }),
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
  /** When the notification service took it over. */
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

/** One wake-up on its way from UEM to the Infrastructure, which hands it to the notification service of the device (F5.2). */
export interface Notification {
  readonly token: Uint8Array;
  /** The notification service may give it another name. */
  readonly wakeUpId: Uint8Array;
  /** 0: now or never. */
  readonly expiresAtEpochS: number;
}

export interface Notify {
  readonly notifications: readonly Notification[];
}

const notification: FieldType<Notification> = structure<Notification>({
  token: required(0, pushToken),
  wakeUpId: required(1, id16),
  expiresAtEpochS: required(2, epochSeconds),
});

export const notify: MessageCodec<Notify> = message(
  'notify',
  structure<Notify>({ notifications: required(0, arrayOf(notification, 1, LIMITS.notifications)) }),
);

/**
 * What became of each notification, in the order of the request. `accepted`: the notification service has taken it over. `dropped`: it was for now or never,
 * or the service keeps nothing, and the device is away. `unregistered`: the token is not in force any more. `throttled`, `unavailable`: to be sent again later.
 */
export type NotifyStatus = 'accepted' | 'dropped' | 'unregistered' | 'throttled' | 'unavailable';

export interface NotifyResult {
  readonly statuses: readonly NotifyStatus[];
}

export const notifyResult: MessageCodec<NotifyResult> = message(
  'notifyResult',
  structure<NotifyResult>({
    statuses: required(0, arrayOf(numbered<NotifyStatus>('accepted', 'dropped', 'unregistered', 'throttled', 'unavailable'), 1, LIMITS.notifications)),
  }),
);
