import { type CryptoProvider, fromHex, keySchedule, ProtocolError, type SecretBytes, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ReadView } from '../../store/lab-store.ts';
import { type LinkRecord, linkOfSession, liveLink } from './noc-links.ts';

const { sc } = keySchedule.HANDSHAKES;
/** Where the ids of a token stand (docs/protocol/04, 4.5). */
const LINK_ID_AT = 16;
const LINK_ID_END = 32;

/** M1 of `sc` on its way to UEM (F3.10). */
export interface ForwardedSetUp {
  readonly message: wire.NocSetUp;
  readonly linkId: string;
}

export interface ForwardOptions {
  readonly crypto: CryptoProvider;
  readonly tokenKey: SecretBytes<'noc-token'>;
}

/**
 * F3.9, F3.10: the set-up message of an app for UEM, when its token is one of ours.
 * @throws ProtocolError `ERR_WIRE_*`; `ERR_REJECTED_CREDENTIALS` for any token that is none, whatever is wrong with it
 */
export function setUpToForward({ crypto, tokenKey }: ForwardOptions, view: ReadView, bytes: Uint8Array, nowMs: number): ForwardedSetUp {
  const frame = wire.parseFrame(bytes, { maxBodyBytes: sc.bodyBytes.start, trailerBytes: sc.trailerBytes.start });
  const { instance, pskId } = wire.handshakeStart.decode(frame);
  // `link` begins the same way (F10.2); it is not served here yet.
  if (instance !== 'sc' || pskId === undefined) throw new ProtocolError('ERR_WIRE_FIELD', 'handshakeStart: only sc passes here');
  const link = linkOfToken(view, pskId, nowMs);
  const token = keySchedule.openNocToken(crypto, tokenKey, pskId, link?.tenantId ?? '', Math.floor(nowMs / 1_000));
  // check: F3.10 the link of the token lives
  if (link === undefined) throw new ProtocolError('ERR_REJECTED_CREDENTIALS', 'the link of the token is gone');
  const message: wire.NocSetUp = { tokenId: token.tokenId, keyId: fromHex(link.keyId), linkId: token.linkId, tenantId: link.tenantId, setUp: bytes };
  return { message, linkId: link.linkId };
}

function linkOfToken(view: ReadView, token: Uint8Array, nowMs: number): LinkRecord | undefined {
  return liveLink(view, toHex(token.subarray(LINK_ID_AT, LINK_ID_END)), nowMs);
}

/** The session that an answer of UEM opens; undefined when the answer is an alert. */
export function sessionOf(answer: Uint8Array): string | undefined {
  if (wire.peekFrameName(answer) !== 'handshakeReply') return undefined;
  const frame = wire.parseFrame(answer, { maxBodyBytes: sc.bodyBytes.reply, trailerBytes: sc.trailerBytes.reply });
  return toHex(wire.handshakeReply.decode(frame).sessionId);
}

/**
 * F3.11: an envelope passes when its session was opened over a link of ours that lives.
 * @throws ProtocolError `ERR_WIRE_*`, `ERR_REJECTED_CREDENTIALS`
 */
export function requireKnownSession(view: ReadView, frame: wire.Frame, nowMs: number): void {
  const { sessionId } = wire.nocEnvelope.decode(frame);
  if (linkOfSession(view, toHex(sessionId), nowMs) === undefined) throw new ProtocolError('ERR_REJECTED_CREDENTIALS', 'no session of a link that lives');
}
