import { concatBytes, u64le, utf8 } from '../bytes/bytes.ts';
import { type SecretBytes, secret, wipe } from '../bytes/secret.ts';
import { fromHex } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { requireUncompressedPoint } from './public-key.ts';

/*
 * SPAKE2+ as in RFC 9383, suite P256-SHA256-HKDF-HMAC. The cofactor of P-256 is 1, so every point on the curve but the identity is in the group;
 * the provider refuses points off the curve and results that are the identity.
 */

/** The point M of RFC 9383, section 4, uncompressed. */
export const SPAKE2_M: Uint8Array = fromHex(
  '04886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f5ff355163e43ce224e0b0e65ff02ac8e5c7be09419c785e0ca547d55a12e2d20',
);

/** The point N of RFC 9383, section 4, uncompressed. */
export const SPAKE2_N: Uint8Array = fromHex(
  '04d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b4907d60aa6bfade45008a636337f5168c64d9bd36034808cd564490b1e656edbe7',
);

const CONFIRMATION_KEYS = utf8('ConfirmationKeys');
const SHARED_KEY = utf8('SharedKey');

/** What both sides agree on before the exchange. Identities are never empty, or a third party could stand in for one (RFC 9383, 9). */
export interface Spake2Identities {
  readonly context: Uint8Array;
  readonly prover: Uint8Array;
  readonly verifier: Uint8Array;
}

/** Held by the device for the time of one run. */
export interface Spake2Witness {
  readonly w0: SecretBytes<'w0'>;
  readonly w1: SecretBytes<'w1'>;
}

/** Held by the server in place of the password: L = w1·G. */
export interface Spake2Verifier {
  readonly w0: SecretBytes<'w0'>;
  readonly L: Uint8Array;
}

/** The two shares as they stood on the wire. */
export interface Spake2Shares {
  readonly shareP: Uint8Array;
  readonly shareV: Uint8Array;
}

/** What both sides end with. A key is used only after the other side's confirmation has been compared. */
export interface Spake2Secrets {
  readonly confirmP: SecretBytes<'confirmation'>;
  readonly confirmV: SecretBytes<'confirmation'>;
  readonly sharedKey: SecretBytes<'spake2-shared'>;
}

/** shareP = x·G + w0·M. `x` is a fresh random scalar. */
export function proverShare(crypto: CryptoProvider, w0: SecretBytes<'w0'>, x: SecretBytes<'spake2-scalar'>): Uint8Array {
  return share(crypto, SPAKE2_M, w0, x);
}

/** shareV = y·G + w0·N. `y` is a fresh random scalar. */
export function verifierShare(crypto: CryptoProvider, w0: SecretBytes<'w0'>, y: SecretBytes<'spake2-scalar'>): Uint8Array {
  return share(crypto, SPAKE2_N, w0, y);
}

/**
 * The device's half: Z = x·(shareV - w0·N), V = w1·(shareV - w0·N). Wipes `x`.
 * @throws ProtocolError `ERR_CRYPTO_PUBLIC_KEY` when shareV is no point of the group or leads to the identity.
 */
export function proverSecrets(
  crypto: CryptoProvider,
  identities: Spake2Identities,
  witness: Spake2Witness,
  x: SecretBytes<'spake2-scalar'>,
  shares: Spake2Shares,
): Spake2Secrets {
  requireIdentities(identities);
  try {
    const base = unblind(crypto, shares.shareV, SPAKE2_N, witness.w0);
    const z = crypto.p256Multiply(x, base);
    const v = crypto.p256Multiply(witness.w1, base);
    wipe(base);
    return secrets(crypto, identities, shares, z, v, witness.w0);
  } finally {
    wipe(x);
  }
}

/**
 * The server's half: Z = y·(shareP - w0·M), V = y·L. Wipes `y`.
 * @throws ProtocolError `ERR_CRYPTO_PUBLIC_KEY` when shareP is no point of the group or leads to the identity.
 */
export function verifierSecrets(
  crypto: CryptoProvider,
  identities: Spake2Identities,
  verifier: Spake2Verifier,
  y: SecretBytes<'spake2-scalar'>,
  shares: Spake2Shares,
): Spake2Secrets {
  requireIdentities(identities);
  try {
    const base = unblind(crypto, shares.shareP, SPAKE2_M, verifier.w0);
    const z = crypto.p256Multiply(y, base);
    const v = crypto.p256Multiply(y, verifier.L);
    wipe(base);
    return secrets(crypto, identities, shares, z, v, verifier.w0);
  } finally {
    wipe(y);
  }
}

function requireIdentities({ prover, verifier }: Spake2Identities): void {
  // check: SPAKE2+ identities
  if (prover.length === 0 || verifier.length === 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an identity of SPAKE2+ is empty');
}

function share(crypto: CryptoProvider, blind: Uint8Array, w0: Uint8Array, scalar: Uint8Array): Uint8Array {
  const own = crypto.p256PublicKey(scalar);
  const mask = crypto.p256Multiply(w0, blind);
  const blinded = crypto.p256Add(own, mask);
  wipe(own, mask);
  return blinded;
}

function unblind(crypto: CryptoProvider, received: Uint8Array, blind: Uint8Array, w0: Uint8Array): Uint8Array {
  // check: form of a SPAKE2+ share
  requireUncompressedPoint(received);
  const mask = crypto.p256Multiply(w0, blind);
  const base = crypto.p256Subtract(received, mask);
  wipe(mask);
  return base;
}

/** RFC 9383, 3.3 and 3.4: the transcript TT with lengths of 8 bytes little-endian, then the keys. Wipes `z` and `v`. */
function secrets(
  crypto: CryptoProvider,
  identities: Spake2Identities,
  { shareP, shareV }: Spake2Shares,
  z: Uint8Array,
  v: Uint8Array,
  w0: Uint8Array,
): Spake2Secrets {
  const { context, prover, verifier } = identities;
  const parts = [context, prover, verifier, SPAKE2_M, SPAKE2_N, shareP, shareV, z, v, w0];
  const transcript = concatBytes(...parts.flatMap((part) => [u64le(part.length), part]));
  const main = crypto.sha256(transcript);
  const pseudoRandomKey = crypto.hkdfExtract(new Uint8Array(0), main);
  const confirmationKeys = crypto.hkdfExpand(pseudoRandomKey, CONFIRMATION_KEYS, 64);
  const result: Spake2Secrets = {
    confirmP: secret(crypto.hmacSha256(confirmationKeys.subarray(0, 32), shareV)),
    confirmV: secret(crypto.hmacSha256(confirmationKeys.subarray(32), shareP)),
    sharedKey: secret(crypto.hkdfExpand(pseudoRandomKey, SHARED_KEY, 32)),
  };
  wipe(z, v, transcript, main, pseudoRandomKey, confirmationKeys);
  return result;
}
