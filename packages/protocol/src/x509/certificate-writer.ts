import { utf8 } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import type { CertificateContent, CertificatePurpose } from './certificate-content.ts';
import { contextTag, DER_TAG, derBitString, derInteger, derOctetString, derSequence, derTime, derTrue, derValue } from './der-writer.ts';
import { commonNameOnly, ECDSA_WITH_SHA256, extension, keyIdentifier, OID, publicKeyInfo, signatureValue } from './identifiers.ts';

const CRITICAL = derTrue();
const VERSION_3 = derValue(contextTag(0, 'constructed'), derInteger(Uint8Array.of(2)));
/** Bit 0, seven unused bits. */
const KEY_USAGE_DIGITAL_SIGNATURE = derValue(DER_TAG.bitString, Uint8Array.of(7, 0x80));
/** Bits 5 and 6: keyCertSign, cRLSign. */
const KEY_USAGE_AUTHORITY = derValue(DER_TAG.bitString, Uint8Array.of(1, 0x06));

/**
 * TBSCertificate (RFC 5280, 4.1) in DER: the bytes that the issuer signs.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`
 */
export function certificateInfo(crypto: CryptoProvider, content: CertificateContent): Uint8Array {
  const { serial, issuer, commonName, publicKey, notBeforeMs, notAfterMs, purpose } = content;
  const first = serial[0] ?? 0;
  if (serial.length > 20 || first < 1 || first > 127) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'serial number is not of the profile');
  const extensions = derSequence(
    ...purposeExtensions(purpose),
    extension(OID.subjectKeyIdentifier, undefined, derOctetString(keyIdentifier(crypto, publicKey))),
    extension(OID.authorityKeyIdentifier, undefined, derSequence(derValue(contextTag(0, 'primitive'), keyIdentifier(crypto, issuer.publicKey)))),
  );
  return derSequence(
    VERSION_3,
    derInteger(serial),
    ECDSA_WITH_SHA256,
    commonNameOnly(issuer.commonName),
    derSequence(derTime(notBeforeMs), derTime(notAfterMs)),
    commonNameOnly(commonName),
    publicKeyInfo(publicKey),
    derValue(contextTag(3, 'constructed'), extensions),
  );
}

/** The whole certificate in DER; `signature` is r||s of the issuer over `info`. */
export function certificate(info: Uint8Array, signature: Uint8Array): Uint8Array {
  return derSequence(info, ECDSA_WITH_SHA256, derBitString(signatureValue(signature)));
}

function purposeExtensions(purpose: CertificatePurpose): readonly Uint8Array[] {
  if (purpose.kind === 'authority') {
    const constraints = derSequence(derTrue(), derInteger(Uint8Array.of(purpose.pathLength)));
    return [extension(OID.basicConstraints, CRITICAL, constraints), extension(OID.keyUsage, CRITICAL, KEY_USAGE_AUTHORITY)];
  }
  const usages = purpose.usages.map((usage) => OID[usage]);
  const names = [
    ...purpose.dnsNames.map((name) => derValue(contextTag(2, 'primitive'), ascii(name))),
    ...purpose.uris.map((uri) => derValue(contextTag(6, 'primitive'), ascii(uri))),
    ...purpose.ipAddresses.map((address) => derValue(contextTag(7, 'primitive'), ipAddress(address))),
  ];
  const extensions = [
    extension(OID.basicConstraints, CRITICAL, derSequence()),
    extension(OID.keyUsage, CRITICAL, KEY_USAGE_DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, CRITICAL, derSequence(...usages)),
  ];
  return names.length === 0 ? extensions : [...extensions, extension(OID.subjectAltName, undefined, derSequence(...names))];
}

function ascii(text: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'name in a certificate is not ASCII');
  return utf8(text);
}

function ipAddress(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 4 && bytes.length !== 16) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'IP address has neither 4 nor 16 bytes');
  return bytes;
}
