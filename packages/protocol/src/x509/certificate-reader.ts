import { sameBytes } from '../bytes/bytes.ts';
import { toHex } from '../bytes/text.ts';
import type { Certificate, CertificatePurpose, CertificateUsage } from './certificate-content.ts';
import { DerReader, formatError, readText, readTime } from './der-reader.ts';
import { contextTag, DER_TAG } from './der-writer.ts';
import { OID, readPublicKeyInfo, readSignatureValue, requireEcdsaWithSha256 } from './identifiers.ts';

const VERSION = contextTag(0, 'constructed');
const EXTENSIONS = contextTag(3, 'constructed');
const MAX_SERIAL_BYTES = 20;
const MAX_NAMES = 16;
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

/**
 * Reads one certificate of the profile of docs/protocol/08-identity.md; any other is refused.
 * @throws ProtocolError `ERR_CERTIFICATE_FORMAT`
 */
export function readCertificate(der: Uint8Array): Certificate {
  const outer = new DerReader(der);
  const whole = outer.enter(DER_TAG.sequence);
  outer.end();
  const info = whole.next(DER_TAG.sequence);
  requireEcdsaWithSha256(whole);
  const signature = readSignatureValue(whole, whole.bitString());
  whole.end();
  return { der, signedBytes: info.raw, signature, ...readInfo(whole.inside(info)) };
}

function readInfo(info: DerReader): Omit<Certificate, 'der' | 'signedBytes' | 'signature'> {
  const version = info.enter(VERSION);
  if (toHex(version.integer()) !== '02') throw formatError('certificate is not version 3');
  version.end();
  const serial = info.integer();
  if (serial.length > MAX_SERIAL_BYTES || serial[0] === 0) throw formatError('serial number is zero or too long');
  requireEcdsaWithSha256(info);
  const issuerName = info.next(DER_TAG.sequence);
  readCommonName(info.inside(issuerName));
  const validity = info.enter(DER_TAG.sequence);
  const notBeforeMs = readTime(validity);
  const notAfterMs = readTime(validity);
  validity.end();
  const subjectName = info.next(DER_TAG.sequence);
  const commonName = readCommonName(info.inside(subjectName));
  const publicKey = readPublicKeyInfo(info);
  const outer = info.enter(EXTENSIONS);
  const extensions = readExtensions(outer.enter(DER_TAG.sequence));
  outer.end();
  info.end();
  return {
    serial: toHex(serial),
    issuerName: issuerName.raw,
    subjectName: subjectName.raw,
    commonName,
    publicKey,
    notBeforeMs,
    notAfterMs,
    purpose: readPurpose(extensions),
    subjectKeyId: readSubjectKeyId(required(extensions.subjectKeyIdentifier)),
    authorityKeyId: extensions.authorityKeyIdentifier === undefined ? undefined : readAuthorityKeyId(extensions.authorityKeyIdentifier),
  };
}

/** A name of exactly one common name. */
function readCommonName(name: DerReader): string {
  const set = name.enter(DER_TAG.set);
  name.end();
  const attribute = set.enter(DER_TAG.sequence);
  set.end();
  if (!sameBytes(attribute.next(DER_TAG.oid).raw, OID.commonName)) throw formatError('name is not one common name');
  const text = readText(attribute.next(DER_TAG.utf8String).content);
  attribute.end();
  if (text === '') throw formatError('common name is empty');
  return text;
}

type ExtensionName = 'basicConstraints' | 'keyUsage' | 'extendedKeyUsage' | 'subjectAltName' | 'subjectKeyIdentifier' | 'authorityKeyIdentifier';
type Extensions = { [Name in ExtensionName]?: DerReader };

const EXTENSION_NAMES: readonly ExtensionName[] = [
  'basicConstraints',
  'keyUsage',
  'extendedKeyUsage',
  'subjectAltName',
  'subjectKeyIdentifier',
  'authorityKeyIdentifier',
];

/** Unknown extensions are passed over unless they are critical (RFC 5280, 4.2). */
function readExtensions(list: DerReader): Extensions {
  const extensions: Extensions = {};
  while (!list.atEnd) {
    const one = list.enter(DER_TAG.sequence);
    const oid = one.next(DER_TAG.oid).raw;
    const critical = one.optionalTrue();
    const value = one.enter(DER_TAG.octetString);
    one.end();
    const name = EXTENSION_NAMES.find((candidate) => sameBytes(OID[candidate], oid));
    if (name === undefined) {
      if (critical) throw formatError('certificate has an unknown critical extension');
    } else if (extensions[name] === undefined) {
      extensions[name] = value;
    } else {
      throw formatError('certificate has an extension twice');
    }
  }
  return extensions;
}

function required(value: DerReader | undefined): DerReader {
  if (value === undefined) throw formatError('certificate lacks an extension of the profile');
  return value;
}

function readPurpose(extensions: Extensions): CertificatePurpose {
  const outer = required(extensions.basicConstraints);
  const constraints = outer.enter(DER_TAG.sequence);
  outer.end();
  const isAuthority = constraints.optionalTrue();
  const keyUsage = readKeyUsage(required(extensions.keyUsage));
  if (isAuthority) {
    const pathLength = constraints.integer();
    constraints.end();
    if (pathLength.length !== 1) throw formatError('path length is too large');
    if ((keyUsage & KEY_CERT_SIGN) === 0) throw formatError('authority may not sign certificates');
    return { kind: 'authority', pathLength: pathLength[0] as number };
  }
  constraints.end();
  if ((keyUsage & DIGITAL_SIGNATURE) === 0) throw formatError('certificate may not sign');
  const names = extensions.subjectAltName === undefined ? { uris: [], dnsNames: [], ipAddresses: [] } : readNames(extensions.subjectAltName);
  return { kind: 'leaf', usages: readUsages(required(extensions.extendedKeyUsage)), ...names };
}

/** First byte of the named bits; ours are all in it. */
function readKeyUsage(reader: DerReader): number {
  const { content } = reader.next(DER_TAG.bitString);
  reader.end();
  const [unused, bits] = content;
  if (content.length !== 2 || unused === undefined || bits === undefined || unused > 7 || (bits & ((1 << unused) - 1)) !== 0)
    throw formatError('key usage is not of the profile');
  return bits;
}

function readUsages(reader: DerReader): readonly CertificateUsage[] {
  const list = reader.enter(DER_TAG.sequence);
  reader.end();
  const usages: CertificateUsage[] = [];
  while (!list.atEnd) {
    const oid = list.next(DER_TAG.oid).raw;
    if (sameBytes(oid, OID.clientAuth)) usages.push('clientAuth');
    else if (sameBytes(oid, OID.serverAuth)) usages.push('serverAuth');
  }
  return usages;
}

function readNames(reader: DerReader): { uris: string[]; dnsNames: string[]; ipAddresses: Uint8Array[] } {
  const list = reader.enter(DER_TAG.sequence);
  reader.end();
  const names = { uris: [] as string[], dnsNames: [] as string[], ipAddresses: [] as Uint8Array[] };
  for (let count = 0; !list.atEnd; count++) {
    if (count === MAX_NAMES) throw formatError('certificate has too many names');
    const uri = list.optional(contextTag(6, 'primitive'));
    const dnsName = uri === undefined ? list.optional(contextTag(2, 'primitive')) : undefined;
    if (uri !== undefined) names.uris.push(readText(uri.content));
    else if (dnsName !== undefined) names.dnsNames.push(readText(dnsName.content));
    else names.ipAddresses.push(list.next(contextTag(7, 'primitive')).content.slice());
  }
  return names;
}

function readSubjectKeyId(reader: DerReader): Uint8Array {
  const { content } = reader.next(DER_TAG.octetString);
  reader.end();
  return content;
}

function readAuthorityKeyId(reader: DerReader): Uint8Array {
  const sequence = reader.enter(DER_TAG.sequence);
  reader.end();
  const { content } = sequence.next(contextTag(0, 'primitive'));
  sequence.end();
  return content;
}
