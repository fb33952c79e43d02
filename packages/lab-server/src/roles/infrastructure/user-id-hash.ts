import { type CryptoProvider, concatBytes, lp, utf8 } from '@uemkit/protocol';

/** What the Infrastructure knows of a user: SHA-256(LP("uemkit/1 uid") || LP(uid)), `userId` in canonical form. */
export function userIdHash(crypto: CryptoProvider, userId: string): Uint8Array {
  return crypto.sha256(concatBytes(lp(utf8('uemkit/1 uid')), lp(utf8(userId))));
}
