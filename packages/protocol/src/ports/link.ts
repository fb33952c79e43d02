import type { ProtocolError } from '../errors/protocol-error.ts';

/** Takes what arrives over a stream. */
export interface FrameReceiver {
  /** One whole frame. */
  received(frame: Uint8Array): void;
  /** The link is gone; without an error when it ended cleanly. */
  closed(error?: ProtocolError): void;
}

/** Carries a frame there and its answer back, as HTTP does. */
export interface RequestLink {
  /**
   * The answer; undefined when nobody waits for it any more.
   * @throws `ERR_TRANSPORT_*`, `ERR_REJECTED_BUSY`; an abort rejects with `signal.reason`.
   */
  exchange(frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** Carries frames both ways, whenever one is sent. */
export interface StreamLink {
  /** @throws `ERR_TRANSPORT_CLOSED` */
  send(frame: Uint8Array): void;
  /** Called once, before the first `send`. */
  receive(receiver: FrameReceiver): void;
}

/** Carries whole frames between two machines. */
export type Link = RequestLink | StreamLink;
