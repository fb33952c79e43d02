import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { UemService } from '../transport.ts';

/** Media type of one whole frame, in both directions. */
export const FRAME_MEDIA_TYPE = 'application/vnd.uemkit.frame';
/** WebSocket subprotocol of the push connection: one frame a binary message. */
export const PUSH_SUBPROTOCOL = 'uemkit.push.1';
/** Path of the push connection. */
export const PUSH_PATH = '/uemkit/1/push';
/** Bounded: one frame with the largest body that the protocol knows. */
export const MAX_ANSWER_BYTES: number = wire.FRAME_HEADER_BYTES + wire.LIMITS.bodyBytes;
/** Bounded: a server cannot send a device away for longer than a day. */
const MAX_RETRY_AFTER_S = 86_400;

/** Path of a service. */
export function servicePath(service: UemService): string {
  return `/uemkit/1/${service}`;
}

/**
 * Checks what HTTP says of an answer before its body is looked at.
 * @throws `ERR_REJECTED_BUSY`, `ERR_TRANSPORT_HTTP`
 */
export function checkAnswerHead(status: number, contentType: string | undefined, retryAfter: string | undefined): void {
  if (status === 503) {
    const seconds = retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter) ? Math.min(Number(retryAfter), MAX_RETRY_AFTER_S) : undefined;
    throw new ProtocolError('ERR_REJECTED_BUSY', 'the server cannot answer now', { details: seconds === undefined ? {} : { retryAfterS: seconds } });
  }
  if (status !== 200) throw new ProtocolError('ERR_TRANSPORT_HTTP', `unexpected HTTP status ${status}`, { details: { status } });
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== FRAME_MEDIA_TYPE) {
    throw new ProtocolError('ERR_TRANSPORT_HTTP', 'the answer is not a frame', { details: { status } });
  }
}

/** The answer is longer than any frame. */
export function answerTooLong(): ProtocolError {
  return new ProtocolError('ERR_WIRE_LIMIT', 'the answer is longer than any frame', { details: { maxAnswerBytes: MAX_ANSWER_BYTES } });
}

/** Host and port of an address; a port is required, an IPv6 host stands in brackets. */
export interface HostAndPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** @throws `ERR_USAGE_ARGUMENT` when `address` is not `host:port`. */
export function parseAddress(address: string): HostAndPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an address is `host:port`', { details: { address } });
  return { host, port };
}
