import type { ProtocolError } from '../errors/protocol-error.ts';

/** Takes what arrives over a link. */
export interface FrameReceiver {
  /** One whole frame. */
  received(frame: Uint8Array): void;
  /** The link is gone; without an error when it ended cleanly. */
  closed(error?: ProtocolError): void;
}

/**
 * Carries whole frames between two machines.
 * A link of requests and answers resolves `send` with the answer and needs no `receive`; a stream hands what arrives to its receiver.
 */
export interface Link {
  /** @throws `ERR_TRANSPORT_*`, `ERR_REJECTED_BUSY`; an abort rejects with `signal.reason`. */
  send(frame: Uint8Array, signal: AbortSignal): void | Promise<Uint8Array | void>;
  /** Called once, before the first `send`. */
  receive?(receiver: FrameReceiver): void;
}
