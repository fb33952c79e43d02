import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { fromBase64url, isProtocolError } from '@uemkit/protocol';
import type { AccountKey } from '../push-accounts.ts';
import { isRecord, objectOf } from './provider.ts';

/** A JSON Web Token (RFC 7519) in compact form, read and not trusted yet. */
export interface JsonWebToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signedText: string;
  readonly signature: Uint8Array;
}

/** Longest token that is looked at. */
export const MAX_JSON_WEB_TOKEN_BYTES = 8_192;

/** Parts of a token; undefined when it is none. */
export function readJsonWebToken(text: string): JsonWebToken | undefined {
  const parts = text.split('.');
  if (parts.length !== 3 || text.length > MAX_JSON_WEB_TOKEN_BYTES) return undefined;
  try {
    const [header, claims, signature] = parts.map(fromBase64url) as [Uint8Array, Uint8Array, Uint8Array];
    const { alg, kid } = objectOf(header) ?? {};
    const read = objectOf(claims);
    if (typeof alg !== 'string' || !isRecord(read)) return undefined;
    return { algorithm: alg, keyId: typeof kid === 'string' ? kid : undefined, claims: read, signedText: `${parts[0]}.${parts[1]}`, signature };
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** True when the key of its id among `keys` has signed the token, with the algorithm that belongs to the kind of key (never the one that the token asks for). */
export function isSignedBy(token: JsonWebToken, keys: readonly AccountKey[]): boolean {
  // A service account may have one key only and leave its id out.
  const key = keys.find(({ keyId }) => keyId === token.keyId) ?? (token.keyId === undefined && keys.length === 1 ? keys[0] : undefined);
  if (key === undefined) return false;
  const publicKey: KeyObject = createPublicKey(key.publicKey);
  const isEc = publicKey.asymmetricKeyType === 'ec';
  if (token.algorithm !== (isEc ? 'ES256' : 'RS256')) return false;
  return verify('sha256', Buffer.from(token.signedText), isEc ? { key: publicKey, dsaEncoding: 'ieee-p1363' } : publicKey, token.signature);
}
