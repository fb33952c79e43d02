import type { ProxyInstance } from '@uemkit/protocol/wire';

/** Host and port of a server of the organisation. */
export interface ConnectTarget {
  /** DNS name or IP address; without brackets. Resolved at the far end of the way. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

export interface WayOptions {
  /** Ends the opening. An open stream is ended by its `destroy`. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time until the target is connected, milliseconds. */
  readonly timeoutMs?: number | undefined;
  /**
   * True: only where the way itself protects what passes from end to end, which is through a Proxy; on any other way `ERR_CONNECTION_UNSUPPORTED`, and nothing is sent. For what has
   * no TLS of its own.
   */
  readonly sealed?: boolean | undefined;
  /** Called when the session that this opening has begun did not come about, since the Proxy is not there; also after the caller gave up. For who chooses between Proxies. */
  absent?(): void;
}

/**
 * Bytes to a target and from it, in order. Both halves end apart: closing `writable` is the end of what the app sends, and `readable` ends when the target sends no more.
 * Back-pressure goes through both: nothing is read from the far end that nobody reads here.
 */
export interface ByteStream {
  readonly readable: ReadableStream<Uint8Array>;
  /** A chunk that was written belongs to the stream. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when both halves have ended cleanly. Rejects with ProtocolError `ERR_CONNECTION_LOST`, or with what `destroy` was given. */
  readonly closed: Promise<void>;
  /** Ends both halves at once; they fail with `error`. Does nothing on a stream that has ended. */
  destroy(error?: Error): void;
}

/** One way to targets: through one Proxy, or without any. It knows no other way, so nothing falls back silently. */
export interface ConnectionWay {
  /**
   * Resolves when the target itself is connected.
   * @throws ProtocolError `ERR_CONNECTION_NOC` (NOC not reached), `ERR_CONNECTION_LINK` (NOC refused the link), `ERR_CONNECTION_PROXY` (Proxy not there),
   * `ERR_CONNECTION_TARGET` (the far end did not reach the target), `ERR_CONNECTION_DENIED` (policy of the far end), `ERR_CONNECTION_LOST` (broke meanwhile),
   * `ERR_TRANSPORT_TIMEOUT`; an abort rejects with `signal.reason`
   */
  open(target: ConnectTarget, options: WayOptions): Promise<ByteStream>;
}

/** The ways of an app. Each is asked for with every connection; what it keeps between two (a link, a session) it keeps inside. */
export interface ConnectionWays {
  /** Without a Proxy (F10.3b). */
  readonly direct: ConnectionWay;
  /** Through this Proxy by the NOC (F10.3a). */
  noc(proxy: ProxyInstance): ConnectionWay;
  /** Direct Connect to this Proxy (F11); absent where the platform cannot. */
  directConnect?: ((proxy: ProxyInstance) => ConnectionWay) | undefined;
}
