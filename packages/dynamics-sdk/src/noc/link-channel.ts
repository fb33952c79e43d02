import type { keySchedule, ProtocolError } from '@uemkit/protocol';
import type { NocTrust } from './noc-trust.ts';

/** A connection to the NOC for a link, as bytes (docs/protocol/12). */
export interface LinkChannelRequest {
  /** `host:port`. */
  readonly address: string;
  readonly trust: NocTrust;
  /** A piece of what the NOC sends. Must not throw. */
  onBytes(bytes: Uint8Array): void;
  /** `send` may be called again after it said no. Must not throw. */
  onRoom(): void;
  /** The other end sends no more; where a platform cannot tell, `onClose` alone comes. Must not throw. */
  onEnd(): void;
  /** Called once after the connection opened. Must not throw. */
  onClose(error?: ProtocolError): void;
  /** Ends the opening. */
  readonly signal: AbortSignal;
}

/** An open connection. */
export interface LinkChannel {
  /** What ties the link to this connection; `none` where the platform cannot say. */
  readonly binding: keySchedule.ChannelBinding;
  /** False: `pause` does nothing, and bytes go on coming. */
  readonly canPause: boolean;
  /** False: wait for `onRoom` before more is sent. Does nothing on a closed connection. */
  send(bytes: Uint8Array): boolean;
  /** Reads nothing until `resume`, where that can be. */
  pause(): void;
  resume(): void;
  /** Everything was sent; what comes goes on where the platform can do that. */
  end(): void;
  /** Closes at once, also when the other end is dead. */
  close(): void;
}

/** An open TLS connection to a Proxy (F11.2). */
export interface DirectChannel extends LinkChannel {
  /** SHA-256 of the SubjectPublicKeyInfo of its certificate. */
  readonly serverKeyHash: Uint8Array;
}
