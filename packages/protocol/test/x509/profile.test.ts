import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { fromHex } from '../../src/bytes/text.ts';
import { readCertificate } from '../../src/x509/certificate-reader.ts';
import { verifyChain } from '../../src/x509/chain.ts';
import { certificationRequest, readCertificationRequest } from '../../src/x509/csr.ts';
import { DerReader } from '../../src/x509/der-reader.ts';
import {
  contextTag,
  DER_TAG,
  derBitString,
  derInteger,
  derOctetString,
  derSequence,
  derSet,
  derTime,
  derTrue,
  derUtf8String,
  derValue,
} from '../../src/x509/der-writer.ts';
import { ECDSA_WITH_SHA256, OID, publicKeyInfo, readPublicKeyInfo, signatureValue } from '../../src/x509/identifiers.ts';
import { AUTHORITY, crypto, DAY_MS, DEVICE_KEY, deviceCertificate, issue, leafPurpose, NOW_MS, ROOT, rootCertificate, testKey } from './authority.ts';

/*
 * Certificates that are well-formed DER and right in everything but one point of the profile. The writer refuses to make them, so they are put together here.
 */

const format = expect.objectContaining({ code: 'ERR_CERTIFICATE_FORMAT' });
const usage = expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' });
const DIGITAL_SIGNATURE = Uint8Array.of(7, 0x80);
const CERT_SIGN = Uint8Array.of(1, 0x06);

interface Parts {
  readonly serial?: Uint8Array;
  readonly commonName?: string;
  readonly constraints?: Uint8Array;
  /** Content of the bit string. */
  readonly keyUsage?: Uint8Array;
  readonly names?: readonly Uint8Array[];
  readonly more?: readonly Uint8Array[];
  /** Place of the extension that is left out. */
  readonly without?: number;
}

const extension = (oid: Uint8Array, value: Uint8Array, critical = true): Uint8Array =>
  critical ? derSequence(oid, derTrue(), derOctetString(value)) : derSequence(oid, derOctetString(value));
const name = (text: string): Uint8Array => derSequence(derSet(derSequence(OID.commonName, derUtf8String(text))));
const uri = (text: string): Uint8Array => derValue(contextTag(6, 'primitive'), new TextEncoder().encode(text));

function made({
  serial = Uint8Array.of(1),
  commonName = 'device',
  constraints = derSequence(),
  keyUsage = DIGITAL_SIGNATURE,
  names,
  more = [],
  without,
}: Parts): Uint8Array {
  const extensions = [
    extension(OID.basicConstraints, constraints),
    extension(OID.keyUsage, derValue(DER_TAG.bitString, keyUsage)),
    extension(OID.extendedKeyUsage, derSequence(OID.clientAuth)),
    extension(OID.subjectKeyIdentifier, derOctetString(new Uint8Array(20)), false),
    ...(names === undefined ? [] : [extension(OID.subjectAltName, derSequence(...names), false)]),
    ...more,
  ];
  const info = derSequence(
    derValue(contextTag(0, 'constructed'), derInteger(Uint8Array.of(2))),
    derValue(DER_TAG.integer, serial),
    ECDSA_WITH_SHA256,
    name('root'),
    derSequence(derTime(NOW_MS), derTime(NOW_MS + DAY_MS)),
    name(commonName),
    publicKeyInfo(DEVICE_KEY.publicKey),
    derValue(contextTag(3, 'constructed'), derSequence(...extensions.filter((_, place) => place !== without))),
  );
  return derSequence(info, ECDSA_WITH_SHA256, derBitString(signatureValue(new Uint8Array(64).fill(1))));
}

const authority = (pathLength: Uint8Array): Uint8Array => derSequence(derTrue(), derValue(DER_TAG.integer, pathLength));

describe('a certificate outside the profile', () => {
  it('is told from one inside it by one point alone', () => {
    expect(readCertificate(made({})).commonName).toBe('device');
    expect(readCertificate(made({ serial: new Uint8Array(20).fill(1) })).serial).toHaveLength(40);
    expect(readCertificate(made({ constraints: authority(Uint8Array.of(0)), keyUsage: CERT_SIGN })).purpose.kind).toBe('authority');
    expect(readCertificate(made({ names: Array<Uint8Array>(16).fill(uri('a')) })).purpose).toMatchObject({ uris: Array(16).fill('a') });
    expect(readCertificate(made({ more: [extension(fromHex('0603551d24'), derSequence(), false)] })).commonName).toBe('device');
  });

  it.each<[string, Parts]>([
    ['a serial number of 21 bytes', { serial: new Uint8Array(21).fill(1) }],
    ['the serial number zero', { serial: Uint8Array.of(0) }],
    ['an empty common name', { commonName: '' }],
    ['an unknown critical extension', { more: [extension(fromHex('0603551d24'), derSequence())] }],
    ['a path length of two bytes', { constraints: authority(Uint8Array.of(1, 0)), keyUsage: CERT_SIGN }],
    ['an authority that may not sign certificates', { constraints: authority(Uint8Array.of(0)) }],
    ['a leaf that may not sign', { keyUsage: CERT_SIGN }],
    ['a key usage of two bytes', { keyUsage: Uint8Array.of(7, 0x80, 0) }],
    ['a key usage of no byte', { keyUsage: Uint8Array.of(0) }],
    ['a key usage with 32 unused bits', { keyUsage: Uint8Array.of(32, 0x80) }],
    ['a key usage with a bit among the unused ones', { keyUsage: Uint8Array.of(7, 0x81) }],
    ['no basic constraints', { without: 0 }],
    ['no key usage', { without: 1 }],
    ['no extended key usage', { without: 2 }],
    ['no subject key identifier', { without: 3 }],
    ['17 names', { names: Array<Uint8Array>(17).fill(uri('a')) }],
  ])('is refused: %s', (_, parts) => {
    expect(() => readCertificate(made(parts))).toThrow(format);
  });
});

describe('what the writer refuses', () => {
  const leaf = { kind: 'leaf', usages: ['serverAuth'], uris: [], dnsNames: [], ipAddresses: [] } as const;

  it.each([
    ['a serial number that begins with zero', { serial: Uint8Array.of(0, 1) }],
    ['a name that is not ASCII', { purpose: { ...leaf, dnsNames: ['bücher.example'] } }],
    ['an address of five bytes', { purpose: { ...leaf, ipAddresses: [new Uint8Array(5)] } }],
  ])('%s', (_, change) => {
    expect(() => deviceCertificate(change)).toThrow(usage);
  });
});

describe('DER', () => {
  it.each([
    ['three length bytes', '3083000100', 256],
    ['a short length in the long form', '308101', 1],
    ['two length bytes where one is enough', '308200ff', 255],
  ])('refuses %s, with all the bytes that it announces', (_, head, contentBytes) => {
    expect(() => new DerReader(concatBytes(fromHex(head), new Uint8Array(contentBytes))).next(DER_TAG.sequence)).toThrow(format);
  });

  it('refuses a boolean of two bytes', () => {
    expect(() => new DerReader(fromHex('0102ffff')).optionalTrue()).toThrow(format);
  });
});

describe('public keys', () => {
  const info = publicKeyInfo(DEVICE_KEY.publicKey);
  const at = (index: number, value: number): Uint8Array => info.map((byte, i) => (i === index ? value : byte));

  it('are points of P-256, uncompressed', () => {
    expect(readPublicKeyInfo(new DerReader(info))).toEqual(DEVICE_KEY.publicKey);
    expect(() => readPublicKeyInfo(new DerReader(at(26, 0x06)))).toThrow(format);
    for (let index = 2; index < 26; index++) expect(() => readPublicKeyInfo(new DerReader(at(index, (info[index] as number) ^ 1)))).toThrow(format);
  });
});

describe('certificate request', () => {
  it('is refused when its challenge password is there twice', () => {
    const attribute = (text: string): Uint8Array => derSequence(OID.challengePassword, derSet(derUtf8String(text)));
    const request = (...attributes: readonly Uint8Array[]): Uint8Array => {
      const parts = [derInteger(Uint8Array.of(0)), name('device'), publicKeyInfo(DEVICE_KEY.publicKey), derValue(contextTag(0, 'constructed'), ...attributes)];
      const info = derSequence(...parts);
      return certificationRequest(info, crypto.p256Sign(DEVICE_KEY.scalar, info));
    };
    expect(readCertificationRequest(crypto, request(attribute('one'))).challengePassword).toBe('one');
    expect(() => readCertificationRequest(crypto, request(attribute('one'), attribute('two')))).toThrow(format);
  });
});

describe('chain', () => {
  it('is refused when it has more certificates than it needs', () => {
    const below = { commonName: 'Lab devices', key: testKey('intermediate') };
    const intermediate = issue({ issuer: ROOT, commonName: below.commonName, key: below.key, purpose: { kind: 'authority', pathLength: 0 } });
    const leaf = issue({ issuer: below, commonName: 'device', key: DEVICE_KEY, purpose: leafPurpose() });
    const question = { roots: [rootCertificate(ROOT, AUTHORITY)], usage: 'clientAuth', nowMs: NOW_MS } as const;
    expect(verifyChain(crypto, { ...question, certificates: [leaf, intermediate] }).commonName).toBe('device');
    const chain = expect.objectContaining({ code: 'ERR_CERTIFICATE_CHAIN' });
    expect(() => verifyChain(crypto, { ...question, certificates: [leaf, intermediate, rootCertificate()] })).toThrow(chain);
  });
});
