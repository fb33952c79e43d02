import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../src/bytes/bytes.ts';
import { fromHex } from '../../src/bytes/text.ts';
import { isProtocolError } from '../../src/errors/protocol-error.ts';
import { readCertificate } from '../../src/x509/certificate-reader.ts';
import { certificationRequest, certificationRequestInfo, readCertificationRequest } from '../../src/x509/csr.ts';
import { DerReader, readTime } from '../../src/x509/der-reader.ts';
import { DER_TAG, derBitString, derInteger, derSequence, derTime, derValue } from '../../src/x509/der-writer.ts';
import { ECDSA_WITH_SHA256 } from '../../src/x509/identifiers.ts';
import { crypto, DEVICE_KEY, deviceCertificate, rootCertificate } from './authority.ts';

const info = certificationRequestInfo({ publicKey: DEVICE_KEY.publicKey, commonName: 'device', challengePassword: 'AbC' });
const request = certificationRequest(info, crypto.p256Sign(DEVICE_KEY.scalar, info));
const certificate = deviceCertificate();

/** Name of the error, and a failure of the test for anything that is no error of ours. */
const refusal = (read: () => unknown): string => {
  try {
    read();
    return 'accepted';
  } catch (error) {
    if (isProtocolError(error)) return error.code;
    throw error;
  }
};
const format = expect.objectContaining({ code: 'ERR_CERTIFICATE_FORMAT' });

describe('bytes that are no certificate', () => {
  it.each([
    ['request', request, (bytes: Uint8Array) => readCertificationRequest(crypto, bytes)],
    ['certificate', certificate, readCertificate],
    ['root', rootCertificate(), readCertificate],
  ] as const)('every truncation and every trailing byte of a %s is refused', (_, whole, read) => {
    for (let length = 0; length < whole.length; length++) expect(refusal(() => read(whole.subarray(0, length)))).toBe('ERR_CERTIFICATE_FORMAT');
    expect(refusal(() => read(concatBytes(whole, Uint8Array.of(0))))).toBe('ERR_CERTIFICATE_FORMAT');
    expect(refusal(() => read(whole))).toBe('accepted');
  });

  it('every flipped bit of a request is refused', () => {
    for (let bit = 0; bit < 8 * request.length; bit++) {
      const changed = request.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(['ERR_CERTIFICATE_FORMAT', 'ERR_CRYPTO_SIGNATURE', 'ERR_CRYPTO_PUBLIC_KEY']).toContain(refusal(() => readCertificationRequest(crypto, changed)));
    }
  });

  it('random and mutated bytes end in an error of ours or in a certificate', () => {
    const mutated = fc
      .tuple(
        fc.constantFrom(request, certificate, info),
        fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.uint8Array({ maxLength: 8 }),
        fc.nat(700),
      )
      .map(([base, changes, inserted, at]) => {
        const bytes = concatBytes(base.subarray(0, at), inserted, base.subarray(at));
        for (const [offset, value] of changes) if (offset < bytes.length) bytes[offset] = value;
        return bytes;
      });
    const nested = fc.integer({ min: 1, max: 60 }).map((depth) => {
      let bytes = derSequence();
      for (let level = 0; level < depth; level++) bytes = derSequence(bytes);
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated, nested), (bytes) => {
        refusal(() => readCertificate(bytes));
        refusal(() => readCertificationRequest(crypto, bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('DER', () => {
  const reading = (hex: string): DerReader => new DerReader(fromHex(hex));

  it.each([
    ['indefinite length', '30800000'],
    ['long form of a short length', '308102'],
    ['long form of a length under 128', '30817f'],
    ['two length bytes where one is enough', '308200ff'],
    ['three length bytes', '3083010000'],
    ['length over the end', '300200'],
    ['no length', '30'],
    ['cut length', '3082ff'],
    ['nothing', ''],
  ])('refuses %s', (_, hex) => {
    expect(() => reading(hex).next(DER_TAG.sequence)).toThrow(format);
  });

  it.each([
    ['negative', '0201ff'],
    ['empty', '0200'],
    ['not the shortest', '02020001'],
  ])('refuses an integer that is %s', (_, hex) => {
    expect(() => reading(hex).integer()).toThrow(format);
  });

  it('reads integers without their sign byte', () => {
    expect(reading('02020080').integer()).toEqual(Uint8Array.of(0x80));
    expect(reading('020100').integer()).toEqual(Uint8Array.of(0));
    expect(derInteger(Uint8Array.of(0, 0, 0x80))).toEqual(fromHex('02020080'));
    expect(derInteger(new Uint8Array(0))).toEqual(fromHex('020100'));
  });

  it('refuses booleans that are not true, bit strings with odd ends, and depth and size over the limit', () => {
    expect(() => reading('010100').optionalTrue()).toThrow(format);
    expect(() => reading('010101').optionalTrue()).toThrow(format);
    expect(() => reading('0302017f').bitString()).toThrow(format);
    expect(() => reading('0300').bitString()).toThrow(format);
    expect(() => new DerReader(new Uint8Array(4_097))).toThrow(format);
    expect(() => new DerReader(new Uint8Array(0), 13)).toThrow(format);
    expect(() => derBitString(new Uint8Array(70_000))).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it.each(['2602310000Z', '260231000000Z', '20260101000000Z', '260101000000+0100', '269901000000Z', '260101240000Z', '2601010000600Z'])(
    'refuses the UTCTime %s',
    (text) => {
      expect(() => readTime(new DerReader(derValue(DER_TAG.utcTime, utf8(text))))).toThrow(format);
    },
  );

  it.each(['20491231235959Z', '20500101000000.5Z', '205001010000Z'])('refuses the GeneralizedTime %s', (text) => {
    expect(() => readTime(new DerReader(derValue(DER_TAG.generalizedTime, utf8(text))))).toThrow(format);
  });

  it('reads the times that it writes, and writes no others', () => {
    for (const timeMs of [Date.UTC(1950, 0, 1), Date.UTC(1999, 11, 31, 23, 59, 59), Date.UTC(2049, 11, 31), Date.UTC(2050, 0, 1), Date.UTC(9999, 11, 31)]) {
      expect(readTime(new DerReader(derTime(timeMs)))).toBe(timeMs);
    }
    for (const timeMs of [Date.UTC(1949, 11, 31), Date.UTC(10_000, 0, 1), Number.NaN]) {
      expect(() => derTime(timeMs)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
    }
  });
});

describe('certificate request', () => {
  it('is refused when another key signed it', () => {
    const other = certificationRequest(
      info,
      crypto.p256Sign(
        Uint8Array.from({ length: 32 }, () => 7),
        info,
      ),
    );
    expect(refusal(() => readCertificationRequest(crypto, other))).toBe('ERR_CRYPTO_SIGNATURE');
  });

  it('may lack a challenge password', () => {
    const bare = certificationRequestInfo({ publicKey: DEVICE_KEY.publicKey, commonName: 'device' });
    expect(readCertificationRequest(crypto, certificationRequest(bare, crypto.p256Sign(DEVICE_KEY.scalar, bare))).challengePassword).toBeUndefined();
  });

  it('is refused with a signature part of more than 32 bytes', () => {
    const long = derSequence(derInteger(new Uint8Array(33).fill(1)), derInteger(Uint8Array.of(1)));
    expect(refusal(() => readCertificationRequest(crypto, derSequence(info, ECDSA_WITH_SHA256, derBitString(long))))).toBe('ERR_CERTIFICATE_FORMAT');
    expect(() => certificationRequest(info, new Uint8Array(63))).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});
