import type { AppLink } from './uem-client-link.ts';

/** An activated Dynamics app of the same device, which may be asked for an access key for this one (F3.4). */
export interface SiblingLink {
  /** Platform id of that app, as the operating system reports it (docs/protocol/08-identity.md). */
  readonly platformId: string;
  /** Opens a connection. @throws ProtocolError `ERR_TRANSPORT_*` when it is not there; an abort rejects with `signal.reason` */
  connect(signal: AbortSignal): Promise<AppLink>;
}

/** The apps of the same device that this one may ask. */
export interface Siblings {
  /** Platform id of this app, as the operating system reports it to the others. Both ends must mean the same. */
  readonly platformId: string;
  /** SHA-256 of the certificates of signers whose apps are believed, 64 hexadecimal digits each; the own one must be named too. */
  readonly signers: readonly string[];
  /** In the order in which they are asked. Those of another space of the device (Knox Workspace), or of another signer, are passed over. */
  readonly links: readonly SiblingLink[];
}
