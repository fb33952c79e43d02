import { createECDH, createPrivateKey, createPublicKey, type ECDH, type KeyObject, sign, verify } from 'node:crypto';
import { concatBytes } from '../../bytes/bytes.ts';
import { isP256Scalar } from '../../bytes/p256-scalar.ts';
import { wipe } from '../../bytes/secret.ts';
import { fromHex, toBase64url } from '../../bytes/text.ts';
import { keyRefused, requireLength, requireUncompressed } from '../checks.ts';
import { plainBytes } from './plain-bytes.ts';

/** OpenSSL's name of P-256. */
export const CURVE = 'prime256v1';

/** DER of an EC private key without its public part (RFC 5915) around the 32 bytes of the scalar. */
const SEC1_HEAD = fromHex('303102010104' + '20');
const SEC1_TAIL = fromHex('a00a06082a8648ce3d030107');

/** Runs native code whose every failure means a point or scalar that we refuse. */
export function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch {
    throw keyRefused();
  }
}

function agreement(scalar: Uint8Array): ECDH {
  requireLength(scalar, 32, 'scalar');
  const ecdh = createECDH(CURVE);
  refusing(() => ecdh.setPrivateKey(scalar));
  return ecdh;
}

/** k·G. */
export function publicKeyNative(scalar: Uint8Array): Uint8Array {
  return plainBytes(agreement(scalar).getPublicKey());
}

/** x-coordinate of k·P, always 32 bytes. OpenSSL checks that P is on the curve. */
export function ecdhNative(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  requireUncompressed(point);
  const ecdh = agreement(scalar);
  const shared = refusing(() => ecdh.computeSecret(point));
  if (shared.length === 32) return plainBytes(shared);
  const padded = new Uint8Array(32);
  padded.set(shared, 32 - shared.length);
  return padded;
}

/** ECDSA with SHA-256, r||s. */
export function signNative(scalar: Uint8Array, message: Uint8Array): Uint8Array {
  requireLength(scalar, 32, 'scalar');
  // Importing a key does not check this: OpenSSL signs with 0.
  if (!isP256Scalar(scalar)) throw keyRefused();
  const der = concatBytes(SEC1_HEAD, scalar, SEC1_TAIL);
  try {
    const key = refusing(() => createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'sec1' }));
    return plainBytes(sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }));
  } finally {
    wipe(der);
  }
}

/** True when r||s verifies. */
export function verifyNative(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = importPublicKey(publicKey);
  return signature.length === 64 && verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** JWK is the fastest of the import forms on Node 20; it checks that the point is on the curve. */
export function importPublicKey(point: Uint8Array): KeyObject {
  requireUncompressed(point);
  const jwk = { kty: 'EC', crv: 'P-256', x: toBase64url(point.subarray(1, 33)), y: toBase64url(point.subarray(33)) };
  return refusing(() => createPublicKey({ key: jwk, format: 'jwk' }));
}
