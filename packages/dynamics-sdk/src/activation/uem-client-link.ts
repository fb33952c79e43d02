import type { StreamLink } from '@uemkit/protocol';

/** A connection to an app of the same device: whole frames and records both ways, see `handshakeStream` of the protocol. */
export interface AppLink extends StreamLink {
  /** Ends the connection. Must not throw. */
  close(): void;
}

/** The UEM Client of this device, which asks UEM for an access key on behalf of the app (F3.3). */
export interface UemClientLink {
  /** Platform ids of both, as the operating system reports them (docs/protocol/08-identity.md). Both ends must mean the same. */
  readonly platformIds: { readonly app: string; readonly uemClient: string };
  /** Opens a connection. @throws ProtocolError `ERR_TRANSPORT_*`; an abort rejects with `signal.reason` */
  connect(signal: AbortSignal): Promise<AppLink>;
}
