import type { ProtocolError } from '@uemkit/protocol';

/**
 * Which NOC is believed: it must satisfy every part that is not empty, and nobody satisfies a trust with nothing in it.
 * Roots: its chain ends in one of them and its name or address is in the certificate. Pins: the key of its own certificate is one of them.
 */
export interface NocTrust {
  /** DER certificates; `platform`: the roots that the platform comes with. */
  readonly roots: readonly Uint8Array[] | 'platform';
  /** SHA-256 of the SubjectPublicKeyInfo, 32 bytes each. */
  readonly spkiPins: readonly Uint8Array[];
}

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
}
