import { sameBytes } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { DerReader, formatError, readText } from './der-reader.ts';
import { contextTag, DER_TAG, derBitString, derInteger, derSequence, derSet, derUtf8String, derValue } from './der-writer.ts';
import {
  commonNameOnly,
  ECDSA_WITH_SHA256,
  OID,
  publicKeyInfo,
  readPublicKeyInfo,
  readSignatureValue,
  requireEcdsaWithSha256,
  signatureValue,
} from './identifiers.ts';

/** What a device puts into its certificate request (F1.3). */
export interface CertificationRequestContent {
  /** 65 bytes, uncompressed. */
  readonly publicKey: Uint8Array;
  /** Subject; the server ignores it. */
  readonly commonName: string;
  /** Ties the request to the activation (crypto design 2); left out when it is for a renewal. */
  readonly challengePassword?: string | undefined;
}

/** What a server reads from a certificate request whose signature verifies. */
export interface CertificationRequest {
  readonly publicKey: Uint8Array;
  readonly challengePassword: string | undefined;
}

const VERSION_1 = derInteger(Uint8Array.of(0));
const ATTRIBUTES = contextTag(0, 'constructed');

/** CertificationRequestInfo (RFC 2986, 4.1) in DER: the bytes that the device key signs. */
export function certificationRequestInfo(content: CertificationRequestContent): Uint8Array {
  const { publicKey, commonName, challengePassword } = content;
  const attributes = challengePassword === undefined ? [] : [derSequence(OID.challengePassword, derSet(derUtf8String(challengePassword)))];
  return derSequence(VERSION_1, commonNameOnly(commonName), publicKeyInfo(publicKey), derValue(ATTRIBUTES, ...attributes));
}

/** The whole request in DER; `signature` is r||s over `requestInfo`. */
export function certificationRequest(requestInfo: Uint8Array, signature: Uint8Array): Uint8Array {
  return derSequence(requestInfo, ECDSA_WITH_SHA256, derBitString(signatureValue(signature)));
}

/**
 * Reads a request and checks that its key signed it. The subject is passed over: a server decides itself whom it certifies.
 * @throws ProtocolError `ERR_CERTIFICATE_FORMAT`, `ERR_CRYPTO_SIGNATURE`, `ERR_CRYPTO_PUBLIC_KEY`
 */
export function readCertificationRequest(crypto: CryptoProvider, der: Uint8Array): CertificationRequest {
  const outer = new DerReader(der);
  const request = outer.enter(DER_TAG.sequence);
  outer.end();
  const infoValue = request.next(DER_TAG.sequence);
  requireEcdsaWithSha256(request);
  const signature = readSignatureValue(request, request.bitString());
  request.end();
  const info = request.inside(infoValue);
  if (!sameBytes(info.next(DER_TAG.integer).raw, VERSION_1)) throw formatError('certificate request is not version 1');
  info.next(DER_TAG.sequence);
  const publicKey = readPublicKeyInfo(info);
  const challengePassword = readAttributes(info.enter(ATTRIBUTES));
  info.end();
  if (!crypto.p256Verify(publicKey, infoValue.raw, signature))
    throw new ProtocolError('ERR_CRYPTO_SIGNATURE', 'the certificate request is not signed by its key');
  return { publicKey, challengePassword };
}

/** Only the challenge password has a meaning; it may be there once. */
function readAttributes(attributes: DerReader): string | undefined {
  let challengePassword: string | undefined;
  while (!attributes.atEnd) {
    const attribute = attributes.enter(DER_TAG.sequence);
    const oid = attribute.next(DER_TAG.oid);
    const values = attribute.next(DER_TAG.set);
    attribute.end();
    if (!sameBytes(oid.raw, OID.challengePassword)) continue;
    if (challengePassword !== undefined) throw formatError('challenge password is there twice');
    const set = attribute.inside(values);
    challengePassword = readText(set.next(set.isNext(DER_TAG.printableString) ? DER_TAG.printableString : DER_TAG.utf8String).content);
    set.end();
  }
  return challengePassword;
}
