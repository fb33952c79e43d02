import type { ProtocolError } from '@uemkit/protocol';

/** The services that a device asks by request and answer; docs/protocol has the HTTP binding of each. */
export type UemService = 'discovery' | 'activation' | 'device';

/**
 * Which servers are believed. A server must satisfy every part that is not empty; nobody satisfies a trust with nothing in it.
 * Roots: its chain ends in one of them and its name or address is in the certificate. Pins: the key of its own certificate is one of them.
 */
export interface Trust {
  /** DER certificates; `platform`: the roots that the platform comes with. */
  readonly roots: readonly Uint8Array[] | 'platform';
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiPins: readonly Uint8Array[];
}

/** What the device shows in mutual TLS. The private key stays with the `KeyStore`. */
export interface DeviceIdentity {
  readonly deviceId: string;
  /** DER, leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly keyId: string;
}

/** One frame to send, and where. */
export interface ExchangeRequest {
  /** `host:port`. */
  readonly address: string;
  readonly service: UemService;
  readonly frame: Uint8Array;
  readonly trust: Trust;
  /** Present for the `device` service. */
  readonly identity?: DeviceIdentity;
  /** The frame is not safe to repeat: a connection that closes is an error, also when it may have been closed at rest. */
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

/** The push connection that the device wants (F5.2). */
export interface PushRequest {
  /** `host:port`. */
  readonly address: string;
  readonly trust: Trust;
  /** One whole frame; must not throw. */
  onFrame(frame: Uint8Array): void;
  /** Called once after the connection opened; without an error when it ended cleanly. Must not throw. */
  onClose(error?: ProtocolError): void;
  /** Ends the opening. An open connection is ended by its `close`. */
  readonly signal?: AbortSignal | undefined;
}

/** An open push connection. */
export interface PushConnection {
  /** Does nothing on a closed connection. */
  send(frame: Uint8Array): void;
  /** Closes, also when the other end is dead; `onClose` follows. */
  close(): void;
  /** True when anything arrived since the last call, pings included. Absent when this transport cannot know. */
  heard?(): boolean;
  /** Asks the other end for a sign of life. */
  ping?(): void;
}

/**
 * How frames of one device reach UEM, the Infrastructure and the notification service. One object per device: it may hold one poll connection and one push connection.
 * Answers are whole frames, alerts included: what they mean is decided above. HTTP and socket trouble is `ERR_TRANSPORT_*`; 503 is `ERR_REJECTED_BUSY` with
 * `details.retryAfterS` when the server named a time. An abort rejects with `signal.reason`.
 */
export interface UemTransport {
  /** How the device proves its key to the `device` service, and so which of the two addresses of A6 it asks; `certificate` (mutual TLS) unless set. */
  readonly proof?: 'certificate' | 'signature' | undefined;
  /** An object equal to `trust` that devices of one process may share; absent: this transport has none to share. */
  sharedTrust?(trust: Trust): Trust;
  /** @throws `ERR_TRANSPORT_*`, `ERR_REJECTED_BUSY` */
  exchange(request: ExchangeRequest): Promise<Uint8Array>;
  /** Resolves when the connection is open. @throws `ERR_TRANSPORT_*` */
  openPush(request: PushRequest): Promise<PushConnection>;
  /** The device is at rest: closes the idle poll connection. The next `exchange` opens one again. */
  release(): void;
  /** Closes everything. Any later call is `ERR_USAGE_STATE`. */
  close(): Promise<void>;
}
