import { concatBytes, sameBytes } from '../bytes/bytes.ts';
import { fromHex } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type DerReader, formatError } from './der-reader.ts';
import { DER_TAG, derInteger, derSequence, derSet, derUtf8String, derValue } from './der-writer.ts';

/** Object identifiers in DER, with tag and length. */
export const OID: Readonly<Record<OidName, Uint8Array>> = {
  commonName: fromHex('0603550403'),
  challengePassword: fromHex('06092a864886f70d010907'),
  subjectKeyIdentifier: fromHex('0603551d0e'),
  keyUsage: fromHex('0603551d0f'),
  subjectAltName: fromHex('0603551d11'),
  basicConstraints: fromHex('0603551d13'),
  authorityKeyIdentifier: fromHex('0603551d23'),
  extendedKeyUsage: fromHex('0603551d25'),
  serverAuth: fromHex('06082b06010505070301'),
  clientAuth: fromHex('06082b06010505070302'),
};

type OidName =
  | 'commonName'
  | 'challengePassword'
  | 'subjectKeyIdentifier'
  | 'keyUsage'
  | 'subjectAltName'
  | 'basicConstraints'
  | 'authorityKeyIdentifier'
  | 'extendedKeyUsage'
  | 'serverAuth'
  | 'clientAuth';

/** AlgorithmIdentifier ecdsa-with-SHA256 (RFC 5758, 3.2), the only one. */
export const ECDSA_WITH_SHA256: Uint8Array = fromHex('300a06082a8648ce3d040302');

/** SubjectPublicKeyInfo of P-256 up to the point (RFC 5480). */
const SPKI_PREFIX = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
export const POINT_BYTES = 65;
const SIGNATURE_BYTES = 64;

/** SubjectPublicKeyInfo in DER of an uncompressed P-256 point. */
export function publicKeyInfo(publicKey: Uint8Array): Uint8Array {
  return concatBytes(SPKI_PREFIX, publicKey);
}

/** Reads a SubjectPublicKeyInfo: the point, 65 bytes. Whether it lies on the curve shows when it is used. */
export function readPublicKeyInfo(reader: DerReader): Uint8Array {
  const { raw } = reader.next(DER_TAG.sequence);
  const point = raw.subarray(SPKI_PREFIX.length);
  if (point.length !== POINT_BYTES || point[0] !== 4 || !sameBytes(raw.subarray(0, SPKI_PREFIX.length), SPKI_PREFIX))
    throw formatError('public key is not an uncompressed point of P-256');
  return point.slice();
}

/** Refuses any other signature algorithm. */
export function requireEcdsaWithSha256(reader: DerReader): void {
  if (!sameBytes(reader.next(DER_TAG.sequence).raw, ECDSA_WITH_SHA256)) throw formatError('signature algorithm is not ECDSA with SHA-256');
}

/** Ecdsa-Sig-Value (RFC 3279, 2.2.3) of r||s. */
export function signatureValue(signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'signature is not r||s of P-256');
  return derSequence(derInteger(signature.subarray(0, 32)), derInteger(signature.subarray(32)));
}

/** r||s of an Ecdsa-Sig-Value inside a bit string. */
export function readSignatureValue(reader: DerReader, bitString: Uint8Array): Uint8Array {
  const outer = reader.inside({ tag: DER_TAG.bitString, content: bitString, raw: bitString });
  const pair = outer.enter(DER_TAG.sequence);
  outer.end();
  const signature = new Uint8Array(SIGNATURE_BYTES);
  for (const end of [32, 64]) {
    const part = pair.integer();
    if (part.length > 32) throw formatError('signature part is longer than 32 bytes');
    signature.set(part, end - part.length);
  }
  pair.end();
  return signature;
}

/** A distinguished name of one common name. */
export function commonNameOnly(commonName: string): Uint8Array {
  return derSequence(derSet(derSequence(OID.commonName, derUtf8String(commonName))));
}

/** Key identifier: the first 160 bits of SHA-256 of the point (RFC 7093, 2, method 1). */
export function keyIdentifier(crypto: CryptoProvider, publicKey: Uint8Array): Uint8Array {
  return crypto.sha256(publicKey).slice(0, 20);
}

/** Extension (RFC 5280, 4.1). */
export function extension(oid: Uint8Array, critical: Uint8Array | undefined, value: Uint8Array): Uint8Array {
  const octets = derValue(DER_TAG.octetString, value);
  return critical === undefined ? derSequence(oid, octets) : derSequence(oid, critical, octets);
}
