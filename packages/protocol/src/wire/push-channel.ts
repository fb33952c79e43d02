import { id16 } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bytes, numbered, optional, required, structure, uint } from './schema.ts';

/*
 * Push channels (docs/protocol/13-services-of-the-proxy.md, 13.3): what an application server sends to an app through Proxy and NOC.
 */

const number = uint(0, 0xffff_ffff);
const channelIds = arrayOf(id16, 0, LIMITS.pushChannels);
const sealed = bytes(1, LIMITS.pushSealedBytes);

/** The app wants no connection to somebody else, but what comes for its push channels; over the link, in place of 0x37 and 0x38. */
export interface ConnectPush {
  /** All channels of the app that are open; what the NOC knew of others is forgotten. */
  readonly channelIds: readonly Uint8Array[];
}

export const connectPush: MessageCodec<ConnectPush> = message('connectPush', structure<ConnectPush>({ channelIds: required(0, channelIds) }));

/** Other channels are open now; the whole list again. */
export interface PushChannels {
  /** For the answer. */
  readonly number: number;
  readonly channelIds: readonly Uint8Array[];
}

export const pushChannels: MessageCodec<PushChannels> = message(
  'pushChannels',
  structure<PushChannels>({ number: required(0, number), channelIds: required(1, channelIds) }),
);

/** The list is durable at the NOC. */
export interface PushChannelsSet {
  readonly number: number;
}

export const pushChannelsSet: MessageCodec<PushChannelsSet> = message('pushChannelsSet', structure<PushChannelsSet>({ number: required(0, number) }));

/** What has come for a channel; sent again over the next connection until it is acknowledged. */
export interface PushMessage {
  readonly number: number;
  readonly channelId: Uint8Array;
  /** For the app alone. */
  readonly sealed: Uint8Array;
}

export const pushMessage: MessageCodec<PushMessage> = message(
  'pushMessage',
  structure<PushMessage>({ number: required(0, number), channelId: required(1, id16), sealed: required(2, sealed) }),
);

/** The app has it: the NOC forgets it. */
export interface PushMessageAck {
  readonly number: number;
}

export const pushMessageAck: MessageCodec<PushMessageAck> = message('pushMessageAck', structure<PushMessageAck>({ number: required(0, number) }));

/** A Proxy has something for a channel, or asks whether there is such a channel. */
export interface PushNotify {
  readonly channelId: Uint8Array;
  /** Absent: only asked. */
  readonly sealed?: Uint8Array | undefined;
}

export const pushNotify: MessageCodec<PushNotify> = message('pushNotify', structure<PushNotify>({ channelId: required(0, id16), sealed: optional(1, sealed) }));

/** `accepted`: it is durable, and goes to the app; `unknown`: no such channel of the tenant of this Proxy is open; `full`: too much waits for the app. */
export type PushNotifyResult = 'accepted' | 'unknown' | 'full';

export interface PushNotified {
  readonly result: PushNotifyResult;
}

export const pushNotified: MessageCodec<PushNotified> = message(
  'pushNotified',
  structure<PushNotified>({ result: required(0, numbered<PushNotifyResult>('accepted', 'unknown', 'full')) }),
);

/** What is sealed between Proxy and app. */
export interface PushContent {
  /** New for each message: the app takes none twice. */
  readonly messageId: Uint8Array;
  /** By the clock of the Proxy. */
  readonly sentAtEpochMs: number;
  /** Text in UTF-8, as the application server has sent it. */
  readonly body: Uint8Array;
}

export const pushContent: MessageCodec<PushContent> = message(
  'pushContent',
  structure<PushContent>({ messageId: required(0, id16), sentAtEpochMs: required(1, uint()), body: required(2, bytes(0, LIMITS.pushBodyBytes)) }),
);
