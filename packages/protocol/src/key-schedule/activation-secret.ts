import { concatBytes, lp, u64le, utf8 } from '../bytes/bytes.ts';
import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { toBase64url } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider, ScryptCost } from '../ports/crypto-provider.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { SecretKind } from '../wire/activation.ts';
import { randomCrockford } from './crockford.ts';
import { deriveSecret, extract, NO_CONTEXT } from './kdf.ts';
import { SECRET_LABELS } from './labels.ts';
import { randomScalar, reduceToScalar } from './scalar.ts';
import type { Spake2Verifier, Spake2Witness } from './spake2plus.ts';
import type { StretchRequest } from './stretch.ts';

/** w0s and w1s, 40 bytes each: 64 bits more than the order, so that the remainder is uniform (RFC 9383, 3.2). */
export const STRETCHED_BYTES = 80;
/** Salt of A2. */
export const ACTIVATION_SALT_BYTES = 16;

const GENERATED_PASSWORD_CHARACTERS = 10;
const MAX_PASSWORD_BYTES = 255;
const MIN_COST_N = 2 ** 14;
const MAX_COST_N = 2 ** 17;
const COST_R = 8;
const MAX_COST_P = 4;

/** Whose secret it is. Both ids go into the stretched bytes, so a verifier fits one user of one server. */
export interface ActivationIdentity {
  /** Canonical form. */
  readonly userId: string;
  readonly coreId: string;
}

/** A machine-made activation password: 10 characters, 50 bits, lower case because it is typed on phones. */
export function generateActivationPassword(entropy: Entropy): string {
  return randomCrockford(entropy, GENERATED_PASSWORD_CHARACTERS).toLowerCase();
}

/**
 * A password as it goes into the derivation: NFC, no other mapping (RFC 8265, OpaqueString), UTF-8.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when it is empty, over 255 bytes, or no Unicode text.
 */
export function passwordBytes(password: string): Uint8Array {
  const bytes = utf8(password.normalize('NFC'));
  if (!password.isWellFormed() || bytes.length === 0 || bytes.length > MAX_PASSWORD_BYTES) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'activation password is empty, too long, or not Unicode text');
  }
  return bytes;
}

/** The secret of a QR code as it goes into the derivation: its base64url text. */
export function qrSecretBytes(qrSecret: Uint8Array): Uint8Array {
  return utf8(toBase64url(qrSecret));
}

/**
 * The cost that A2 asks of the device. A server must not be able to make guessing cheap, nor the device run out of memory.
 * @throws ProtocolError `ERR_WIRE_FIELD` outside N = 2^14 to 2^17, r = 8, p = 1 to 4.
 */
export function requireScryptCost(cost: readonly number[]): ScryptCost {
  const [N = 0, r, p = 0] = cost;
  const allowed = cost.length === 3 && Number.isInteger(Math.log2(N)) && N >= MIN_COST_N && N <= MAX_COST_N && r === COST_R && p >= 1 && p <= MAX_COST_P;
  // check: F1.4 scrypt cost
  if (!allowed) throw new ProtocolError('ERR_WIRE_FIELD', 'the server asks for a scrypt cost that is not allowed');
  return { N, r: COST_R, p };
}

/** Kind 0: the scrypt call that gives w0s || w1s of a password. */
export function passwordStretch(password: string, identity: ActivationIdentity, salt: Uint8Array, cost: ScryptCost): StretchRequest {
  const bytes = passwordBytes(password);
  const request: StretchRequest = { password: stretchInput(bytes, identity), salt, cost, lengthBytes: STRETCHED_BYTES };
  wipe(bytes);
  return request;
}

/** Kind 1: w0s || w1s of a QR secret, XL(EX(salt, P), "act qr", -, 80). 128 random bits need no stretching. */
export function stretchQrSecret(crypto: CryptoProvider, qrSecret: Uint8Array, identity: ActivationIdentity, salt: Uint8Array): SecretBytes<'stretched'> {
  const text = qrSecretBytes(qrSecret);
  const input = stretchInput(text, identity);
  const key = extract<'qr'>(crypto, salt, input);
  const stretched = deriveSecret<'stretched'>(crypto, key, SECRET_LABELS.activationQr, NO_CONTEXT, STRETCHED_BYTES);
  wipe(text, input, key);
  return stretched;
}

/** The device's witness; wipes `stretched`. Undefined (chance 2^-255) when a scalar is 0: the server would have taken another salt. */
export function witnessFromStretched(stretched: Uint8Array): Spake2Witness | undefined {
  if (stretched.length !== STRETCHED_BYTES) throw new ProtocolError('ERR_INTERNAL', 'stretched secret has another length');
  const w0 = reduceToScalar<'w0'>(stretched.subarray(0, STRETCHED_BYTES / 2));
  const w1 = reduceToScalar<'w1'>(stretched.subarray(STRETCHED_BYTES / 2));
  wipe(stretched);
  return w0 === undefined || w1 === undefined ? undefined : { w0, w1 };
}

/** What the server stores in place of the secret; wipes `stretched`. Undefined: stretch again with a new salt. */
export function verifierFromStretched(crypto: CryptoProvider, stretched: Uint8Array): Spake2Verifier | undefined {
  const witness = witnessFromStretched(stretched);
  if (witness === undefined) return undefined;
  const L = crypto.p256PublicKey(witness.w1);
  wipe(witness.w1);
  return { w0: witness.w0, L };
}

/** A verifier that no secret fits. It serves runs of unknown, expired or exhausted users up to A5, so that they look like a wrong password. */
export function fakeVerifier(crypto: CryptoProvider, entropy: Entropy): Spake2Verifier {
  const w1 = randomScalar<'w1'>(entropy);
  const L = crypto.p256PublicKey(w1);
  wipe(w1);
  return { w0: randomScalar(entropy), L };
}

/** Number of a secret kind on the wire and in the fake salt. */
const KIND_NUMBERS: Readonly<Record<SecretKind, number>> = { password: 0, qr: 1 };

/** Salt that a user without a secret of this kind gets, the same on every try: HMAC(k_fake, LP(user id) || u8 kind), first 16 bytes. */
export function fakeSalt(crypto: CryptoProvider, fakeKey: SecretBytes<'fake-salt'>, userId: string, kind: SecretKind): Uint8Array {
  return crypto.hmacSha256(fakeKey, concatBytes(lp(utf8(userId)), Uint8Array.of(KIND_NUMBERS[kind]))).slice(0, ACTIVATION_SALT_BYTES);
}

/** P of RFC 9383, 3.2: each part behind its length, 8 bytes little-endian. */
function stretchInput(secretText: Uint8Array, { userId, coreId }: ActivationIdentity): Uint8Array {
  const parts = [secretText, utf8(userId), utf8(coreId)];
  return concatBytes(...parts.flatMap((part) => [u64le(part.length), part]));
}
