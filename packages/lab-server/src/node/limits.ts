import * as wire from '@uemkit/protocol/wire';

/** Bounds of one TLS listener. */
export interface ListenerLimits {
  /** Open connections; one more is closed at once. */
  readonly connections: number;
  /** Request line and headers together. */
  readonly headerBytes: number;
  /** From the connection to the end of the TLS handshake. */
  readonly tlsHandshakeMs: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  /** A connection without a request is closed after this time. */
  readonly keepAliveMs: number;
  /** Requests that wait for their answer at once; one more gets 503. */
  readonly requestsInWork: number;
  /** The reader of an answer that goes on is cut off when it takes nothing for this time. */
  readonly streamStallMs: number;
}

/** Bounds that a listener has unless it is told otherwise. */
export const LISTENER_LIMITS: ListenerLimits = {
  connections: 20_000,
  headerBytes: 8_192,
  tlsHandshakeMs: 15_000,
  headersMs: 15_000,
  requestMs: 30_000,
  keepAliveMs: 60_000,
  requestsInWork: 10_000,
  streamStallMs: 60_000,
};

/** Requests in work at the admin listener: bodies are long there and are read before anybody looks at who sends them, so strangers could fill the memory. */
export const MAX_ADMIN_REQUESTS = 128;

/** Requests in work at the listener of devices that sign: TLS has authenticated nobody there, and their frames may be long. */
export const MAX_SIGNED_REQUESTS = 1_000;

/** Largest frame of the protocol: header, body, signature and MAC. */
export const FRAME_BYTES: number = wire.FRAME_HEADER_BYTES + wire.LIMITS.bodyBytes + 64 + 32;
/** Largest frame from a peer that TLS has not authenticated: A5 carries a certificate request. */
export const ANONYMOUS_FRAME_BYTES: number = wire.FRAME_HEADER_BYTES + wire.LIMITS.certificateBodyBytes + 64 + 32;
/** Largest frame on a push connection. */
export const PUSH_FRAME_BYTES: number = wire.FRAME_HEADER_BYTES + wire.LIMITS.unauthenticatedBodyBytes;

/** A Proxy asks UEM about the app of a session that stands each time when so much time has passed: for no longer does a session outlive its app. */
export const PROXY_AGAIN_MS = 15_000;

/** Requests that one HTTP/2 connection to the provider APIs may have under way; APNs grants as many to a sender that it knows. */
export const MAX_STREAMS = 1_000;
/** Answer of a provider API that a sender reads. */
export const MAX_PROVIDER_ANSWER_BYTES = 65_536;
