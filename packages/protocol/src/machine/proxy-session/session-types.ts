import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { RecordLimits } from '../../record/record-limits.ts';
import type { StreamBreak, StreamRefusal } from '../../wire/data-stream.ts';
import type { HandshakeBinding, HandshakeInitiatorOptions } from '../handshake/handshake-types.ts';
import type { TransitionListener } from '../table.ts';

/** What the owner of a session may ask of it. Calls about a stream that has ended do nothing. */
export type SessionCall =
  /** App alone: numbers go up, and none comes twice. */
  | { readonly type: 'open'; readonly streamId: number; readonly host: string; readonly port: number }
  /** Proxy alone: the answer to `opening`. */
  | { readonly type: 'accept'; readonly streamId: number }
  | { readonly type: 'refuse'; readonly streamId: number; readonly reason: StreamRefusal }
  /** At most `credit(streamId)` bytes. */
  | { readonly type: 'write'; readonly streamId: number; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly streamId: number }
  | { readonly type: 'reset'; readonly streamId: number; readonly reason: StreamBreak }
  /** So many received bytes have been read: the other end may send as many more. */
  | { readonly type: 'consumed'; readonly streamId: number; readonly bytes: number }
  /** The end of the session; its streams break. */
  | { readonly type: 'close' };

/** What a session tells its owner. */
export type SessionEvent =
  /** The handshake is over; streams may be opened. */
  | { readonly type: 'established' }
  /** Proxy alone: somebody wants a stream; answered by `accept` or `refuse`. */
  | { readonly type: 'opening'; readonly streamId: number; readonly host: string; readonly port: number }
  | { readonly type: 'opened'; readonly streamId: number }
  | { readonly type: 'refused'; readonly streamId: number; readonly reason: StreamRefusal }
  | { readonly type: 'data'; readonly streamId: number; readonly bytes: Uint8Array }
  | { readonly type: 'ended'; readonly streamId: number }
  | { readonly type: 'reset'; readonly streamId: number; readonly reason: StreamBreak }
  /** More may be written. */
  | { readonly type: 'credit'; readonly streamId: number };

export interface SessionLimits {
  readonly openStreams: number;
  readonly windowBytes: number;
  readonly quietMs: number;
  readonly pongMs: number;
  /** Of the keys of the records. */
  readonly records?: Partial<RecordLimits> | undefined;
}

interface SessionOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** Lower bounds than those of the protocol. */
  readonly limits?: Partial<SessionLimits> | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** The app. `start`, `psk` and key as in `HandshakeInitiatorOptions`. */
export interface ProxySessionInitiatorOptions extends SessionOptions, Pick<HandshakeInitiatorOptions, 'psk' | 'responderStaticKey'> {
  readonly binding: Extract<HandshakeBinding, { readonly name: 'px' | 'dc' }>;
  /** 16 bytes: which master session key. */
  readonly sessionKeyId: Uint8Array;
}

export interface ProxySessionResponderOptions extends SessionOptions {
  /** `dc`: inside of TLS, by Direct Connect. Absent: `px`. */
  readonly name?: 'px' | 'dc' | undefined;
}
