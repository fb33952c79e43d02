import { ProtocolError } from '@uemkit/protocol';
import { type FrameName, LIMITS } from '@uemkit/protocol/wire';

/** ALPN of frames on the TLS stream (docs/protocol/09-http-binding.md, 9.6). */
export const NOC_ALPN = 'uemkit-noc/1';
/** Path and subprotocol of the WebSocket: one frame a binary message. */
export const NOC_PATH = '/uemkit/1/noc';
export const NOC_SUBPROTOCOL = 'uemkit.noc.1';
/** ALPN of links (docs/protocol/12-data-path.md). */
export const LINK_ALPN = 'uemkit-link/1';
/** Path and subprotocol of the same over a WebSocket. */
export const LINK_PATH = '/uemkit/1/link';
export const LINK_SUBPROTOCOL = 'uemkit.link.1';
/** Longest message that the NOC takes there. */
export const LINK_MESSAGE_BYTES = 16_384;
/** ALPN of Direct Connect. */
export const DIRECT_ALPN = 'uemkit-dc/1';
/** Longest body of a frame of the NOC: 0x33 around the longest record. */
export const NOC_BODY_BYTES: number = LIMITS.certificateBodyBytes + 256;
const MAC_BYTES = 32;

/** Trailer of the frames that the NOC sends; of any other one the length is not known, so the stream ends. */
export function nocTrailerBytes(name: FrameName): number {
  if (name === 'handshakeReply') return MAC_BYTES;
  if (name === 'nocProvision' || name === 'nocEnvelope' || name === 'alert') return 0;
  throw new ProtocolError('ERR_WIRE_TYPE', `the NOC does not send ${name}`);
}
