import { concatBytes, lp, utf8 } from '../bytes/bytes.ts';
import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import type { Entropy } from '../ports/entropy.ts';
import { randomCrockford } from './crockford.ts';
import { deriveSecret, extract, NO_CONTEXT } from './kdf.ts';
import { HASH_LABELS, labelBytes, SECRET_LABELS } from './labels.ts';
import { DEFAULT_SCRYPT_COST, type StretchRequest } from './stretch.ts';

/** Characters of an access key; 5 bits each, 75 in all. */
export const ACCESS_KEY_CHARACTERS = 15;
const GROUP_CHARACTERS = 5;
/** A typed key with blanks and hyphens anywhere; more is no access key. */
const MAX_INPUT_CHARACTERS = 64;
const ONE_FORM = /^[0-9A-HJKMNP-TV-Z]{15}$/;

/** A new access key, uniform, without hyphens. */
export function generateAccessKey(entropy: Entropy): string {
  return randomCrockford(entropy, ACCESS_KEY_CHARACTERS);
}

/** An access key as people read it: `01234-56789-ABCDE`. */
export function formatAccessKey(accessKey: string): string {
  return (accessKey.match(new RegExp(`.{${GROUP_CHARACTERS}}`, 'g')) ?? []).join('-');
}

/**
 * An access key as typed, brought to its one form: blanks and hyphens go, a-z become capitals, O is 0, I and L are 1.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when that gives no access key.
 * @example normalizeAccessKey('o1234-56789-abcde') // '0123456789ABCDE'
 */
export function normalizeAccessKey(typed: string): string {
  // Capitals of ASCII only: `toUpperCase` would make letters of other alphabets fit.
  const plain = typed
    .slice(0, MAX_INPUT_CHARACTERS + 1)
    .replace(/[ -]/g, '')
    .replace(/[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  if (typed.length > MAX_INPUT_CHARACTERS || !ONE_FORM.test(plain)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'not an access key');
  return plain;
}

/**
 * Checks an access key that came over the wire.
 * @throws ProtocolError `ERR_WIRE_FIELD` when it is not in its one form.
 */
export function requireAccessKey(accessKey: string): void {
  // check: form of an access key
  if (!ONE_FORM.test(accessKey)) throw new ProtocolError('ERR_WIRE_FIELD', 'not an access key');
}

/** S = SHA-256(LP("uemkit/1 ak salt") || LP(user id)). */
export function accessKeySalt(crypto: CryptoProvider, userId: string): Uint8Array {
  return crypto.sha256(concatBytes(lp(labelBytes(HASH_LABELS.accessKeySalt)), lp(utf8(userId))));
}

/** Typed path: the scrypt call that gives K_ak. The key stands alone there, so it is stretched. */
export function typedAccessKeyStretch(crypto: CryptoProvider, accessKey: string, userId: string): StretchRequest {
  return {
    password: accessKeyInput(accessKey, new Uint8Array(0)),
    salt: accessKeySalt(crypto, userId),
    cost: DEFAULT_SCRYPT_COST,
    lengthBytes: 32,
  };
}

/** Assisted path: K_ak = EX(S, LP(access key) || LP(nonce)). With 256 random bits in it nothing is left to guess. */
export function assistedAccessKey(crypto: CryptoProvider, accessKey: string, userId: string, nonce: Uint8Array): SecretBytes<'access-key'> {
  // check: length of the nonce
  if (nonce.length !== 32) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'nonce of an access key must have 32 bytes');
  const input = accessKeyInput(accessKey, nonce);
  const key = extract<'access-key'>(crypto, accessKeySalt(crypto, userId), input);
  wipe(input);
  return key;
}

/** akHash: what the app shows the NOC (F3.7). It does not lead to the key of `sc`. */
export function nocHash(crypto: CryptoProvider, accessKey: SecretBytes<'access-key'>): SecretBytes<'noc-hash'> {
  return deriveSecret(crypto, accessKey, SECRET_LABELS.nocHash, NO_CONTEXT, 32);
}

/** psk_sc: the key under the MAC of the set-up message (F3.9). */
export function setUpPsk(crypto: CryptoProvider, accessKey: SecretBytes<'access-key'>): SecretBytes<'psk'> {
  return deriveSecret(crypto, accessKey, SECRET_LABELS.setUpKey, NO_CONTEXT, 32);
}

/** What UEM registers at the NOC: SHA-256(LP("uemkit/1 ak verifier") || LP(akHash)). Whoever steals it cannot show it. */
export function nocVerifier(crypto: CryptoProvider, hash: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(lp(labelBytes(HASH_LABELS.nocVerifier)), lp(hash)));
}

function accessKeyInput(accessKey: string, nonce: Uint8Array): Uint8Array {
  // check: one form of an access key
  if (normalizeAccessKey(accessKey) !== accessKey) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'access key is not in its one form');
  return concatBytes(lp(utf8(accessKey)), lp(nonce));
}
