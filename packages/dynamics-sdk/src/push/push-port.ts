import type { AppActivationRecord, ProtocolError, TypedEventTarget } from '@uemkit/protocol';
import type { NocLinkOptions } from '../connections/noc-link.ts';

/** Documented states of a push channel: not connected yet, open, closed for good, failed for good. */
export type PushChannelState = 'none' | 'open' | 'closed' | 'error';

/** Documented numbers of the events. `pingfail` never comes: nobody pings the application server here. */
export const PUSH_CHANNEL_EVENTS = { open: 1, close: 2, error: 3, message: 4, pingfail: 5 } as const;

/** Events of a push channel: name and `detail`. A lost network is none of them: the channel stays open, and what comes meanwhile is kept. */
export interface PushChannelEvents {
  /** The NOC knows the channel. Give the token to the application server, over a connection that nobody else reads: whoever has it may send. */
  open: { readonly token: string; readonly pushChannelHost: string };
  /** Closed for good, by `disconnect` or because the app is locked, wiped or closed: that is the `reason` then. */
  close: { readonly reason?: ProtocolError | undefined };
  /** Failed for good. */
  error: { readonly error: ProtocolError };
  /** Text of the application server. */
  message: { readonly data: string };
}

/** One push channel: an application server sends short texts to the app, through its Proxy and the NOC (docs/protocol/13). */
export interface PushChannel extends TypedEventTarget<PushChannelEvents> {
  readonly name: string;
  readonly state: PushChannelState;
  /** Opens the channel, or opens it again under a new token; `open` or `error` says how it went. Does nothing while it is open or being opened. */
  connect(): void;
  /** Closes it for good; the token is worth nothing as soon as the NOC has heard of it. */
  disconnect(): void;
}

/** Option `pushChannels` of a runtime, made by `pushChannels`. A runtime without does not pay for it. */
export interface PushChannels {
  attach(host: PushHost): AttachedPushChannels;
}

/** The runtime that channels belong to. */
export interface PushHost {
  readonly ports: Omit<NocLinkOptions, 'linkId' | 'masterLinkKey'>;
  /** Why the app has no network now. */
  closedBy(): ProtocolError | undefined;
  /** The activation in force; undefined until there is one. */
  activated(): AppActivationRecord | undefined;
}

export interface AttachedPushChannels {
  /** The channel of this name; the same one for the same name. */
  channel(name: string): PushChannel;
  /** The state of the app has changed. */
  review(): void;
}
