import { concatBytes, lp, u64be, utf8 } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { HASH_LABELS, labelBytes } from './labels.ts';

/*
 * offset size field
 * 0      16   tid, new for each token
 * 16     16   linkId
 * 32     8    expiry, Unix seconds, big-endian
 * 40     16   HMAC(K_tok, LP("uemkit/1 tok") || LP(tid || linkId || expiry || tenantId)), first 16 bytes
 */
/** Length of a token. */
export const TOKEN_BYTES = 56;
const SIGNED_BYTES = 40;
const TAG_BYTES = 16;

/** What a token says. The app passes it on unread (F3.9); UEM compares the first 32 bytes with the envelope. */
export interface NocToken {
  readonly tokenId: Uint8Array;
  readonly linkId: Uint8Array;
  readonly expiryEpochS: number;
}

/** Makes a token; done by the NOC (F3.8). */
export function sealNocToken(crypto: CryptoProvider, key: SecretBytes<'noc-token'>, token: NocToken, tenantId: string): Uint8Array {
  if (token.tokenId.length !== 16 || token.linkId.length !== 16) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'token id or link id has another length');
  const signed = concatBytes(token.tokenId, token.linkId, u64be(token.expiryEpochS));
  return concatBytes(signed, tag(crypto, key, signed, tenantId));
}

/**
 * Checks a token before anything is forwarded; done by the NOC (F3.10). The tag is checked before the date.
 * @throws ProtocolError `ERR_REJECTED_CREDENTIALS`, one error for a token of another link's NOC, tenant, form or age.
 */
export function openNocToken(crypto: CryptoProvider, key: SecretBytes<'noc-token'>, token: Uint8Array, tenantId: string, nowEpochS: number): NocToken {
  const refused = new ProtocolError('ERR_REJECTED_CREDENTIALS', 'token is not valid');
  const signed = token.subarray(0, SIGNED_BYTES);
  // A token of another length has no tag of 16 bytes, so it fails here too.
  // check: F3.10 tag of the token
  if (!crypto.equal(tag(crypto, key, signed, tenantId), token.subarray(SIGNED_BYTES))) throw refused;
  const expiryEpochS = Number(new DataView(token.buffer, token.byteOffset).getBigUint64(32));
  // check: F3.10 date of the token
  if (nowEpochS >= expiryEpochS) throw refused;
  return { tokenId: token.slice(0, 16), linkId: token.slice(16, 32), expiryEpochS };
}

function tag(crypto: CryptoProvider, key: SecretBytes<'noc-token'>, signed: Uint8Array, tenantId: string): Uint8Array {
  const input = concatBytes(lp(labelBytes(HASH_LABELS.token)), lp(concatBytes(signed, utf8(tenantId))));
  return crypto.hmacSha256(key, input).slice(0, TAG_BYTES);
}
