import { type CryptoProvider, type Entropy, keySchedule, requireCanonicalUserId, type SecretBytes, toHex, userIdHash } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { WriteView } from '../../store/lab-store.ts';
import { addLinkOfKey, keyOfVerifier, type VerifierRecord } from './noc-keys.ts';
import { putLink } from './noc-links.ts';

/** Connection data that every app of this NOC gets (F3.8). */
export interface NocPlace {
  readonly coreId: string;
  /** `host:port` of the listeners that apps connect to. */
  readonly relayAddresses: readonly string[];
}

export interface VerifyKeyOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly tokenKey: SecretBytes<'noc-token'>;
  readonly place: NocPlace;
}

/**
 * F3.7 and F3.8: an app shows the hash of its access key and gets a link with its key, and a token for the set-up. Undefined: there is no such key, whatever is
 * wrong with it. Pure but for what it writes.
 */
export function verifyKey(options: VerifyKeyOptions, tx: WriteView, asked: wire.NocVerify, nowMs: number): wire.NocProvision | undefined {
  const { crypto, entropy, tokenKey, place } = options;
  requireCanonicalUserId(asked.userId);
  const verifier = keySchedule.nocVerifier(crypto, asked.accessKeyHash);
  const key = keyOfVerifier(tx, verifier);
  if (key === undefined || !isUsable(options, key, asked.userId, nowMs)) return undefined;

  const tokenId = entropy.randomBytes(16);
  const linkId = entropy.randomBytes(16);
  const masterLinkKey = entropy.randomBytes(32);
  const { tenantId, expiresAtMs, keyId } = key;
  const tokenExpiryEpochS = Math.floor(expiresAtMs / 1_000);
  addLinkOfKey(tx, keyId, toHex(linkId), nowMs);
  const ids = { linkId: toHex(linkId), keyId };
  putLink(tx, { ...ids, masterLinkKey, status: 'provisional', tenantId, createdAtMs: nowMs, expiresAtMs: tokenExpiryEpochS * 1_000 });
  const token = keySchedule.sealNocToken(crypto, tokenKey, { tokenId, linkId, expiryEpochS: tokenExpiryEpochS }, tenantId);
  const { coreId, relayAddresses } = place;
  return { linkId, masterLinkKey, tenantId, coreId, relayAddresses, token, tokenExpiryEpochS };
}

/** The record was found by the verifier, so what is compared here tells nobody anything; in constant time all the same. */
function isUsable({ crypto }: VerifyKeyOptions, key: VerifierRecord, userId: string, nowMs: number): boolean {
  // check: F3.7 the key is the user's
  if (!crypto.equal(key.userIdHash, userIdHash(crypto, userId))) return false;
  // check: F3.7 the key lives
  return nowMs < key.expiresAtMs;
}
