import type { ProtocolError } from '@uemkit/protocol';
import type { DirectChannel, LinkChannel, LinkChannelRequest } from './link-channel.ts';
import type { NocTrust } from './noc-trust.ts';

export type { NocTrust };

/** A connection to the NOC that the app wants (F3.7). */
export interface NocRequest {
  /** `host:port`. */
  readonly address: string;
  readonly trust: NocTrust;
  /** One whole frame; must not throw. */
  onFrame(frame: Uint8Array): void;
  /** Called once after the connection opened; without an error when it ended cleanly. Must not throw. */
  onClose(error?: ProtocolError): void;
  /** Ends the opening. An open connection is ended by its `close`. */
  readonly signal: AbortSignal;
}

/** An open connection to the NOC. */
export interface NocConnection {
  /** Does nothing on a closed connection. */
  send(frame: Uint8Array): void;
  /** Closes, also when the other end is dead. */
  close(): void;
}

/** How frames of an app reach the NOC. */
export interface NocTransport {
  /** Resolves when the connection is open and the NOC is the one of `trust`. @throws ProtocolError `ERR_TRANSPORT_*`; an abort rejects with `signal.reason` */
  openNoc(request: NocRequest): Promise<NocConnection>;
  /** The same for a link (F10.2), as bytes; absent: this transport is for activation alone. @throws as `openNoc` */
  openLink?(request: LinkChannelRequest): Promise<LinkChannel>;
  /** TLS to a Proxy itself, for Direct Connect (F11.2); `trust` and `address` are those of the Proxy. Absent: the platform cannot. @throws as `openNoc` */
  openDirect?(request: LinkChannelRequest): Promise<DirectChannel>;
}
