import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { fromHex } from '../../src/bytes/text.ts';
import { load, PROVIDERS } from './vectors.ts';

describe.each(PROVIDERS)('RFC vectors with $name', ({ crypto }) => {
  it('RFC 7518 B.3: A256CBC-HS512', () => {
    const b3 = load<Record<string, string>>('rfc/rfc7518-b3.json');
    const [key, iv, aad, plaintext] = ['key', 'iv', 'associatedData', 'plaintext'].map((field) => fromHex(b3[field] as string)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const sealed = { ciphertext: fromHex(b3.ciphertext as string), tag: fromHex(b3.tag as string) };
    expect(crypto.cbcHs512(key).seal(iv, aad, plaintext)).toEqual(sealed);
    expect(crypto.cbcHs512(key).open(iv, aad, sealed.ciphertext, sealed.tag)).toEqual(plaintext);
  });

  it('RFC 5903 8.1: P-256 key agreement', () => {
    const group = load<Record<string, string>>('rfc/rfc5903-8.1.json');
    const field = (name: string): Uint8Array => fromHex(group[name] as string);
    const point = (x: string, y: string): Uint8Array => concatBytes(Uint8Array.of(4), field(x), field(y));
    expect(crypto.p256PublicKey(field('i'))).toEqual(point('gix', 'giy'));
    expect(crypto.p256PublicKey(field('r'))).toEqual(point('grx', 'gry'));
    expect(crypto.p256Ecdh(field('i'), point('grx', 'gry'))).toEqual(field('girx'));
    expect(crypto.p256Multiply(field('r'), point('gix', 'giy'))).toEqual(point('girx', 'giry'));
  });

  it('RFC 5869 A.1 to A.3: HKDF-SHA-256', () => {
    const { tests } = load<{ tests: readonly (Record<string, string> & { lengthBytes: number })[] }>('rfc/rfc5869-a.json');
    for (const test of tests) {
      const [salt, ikm, info] = ['salt', 'ikm', 'info'].map((field) => fromHex(test[field] as string)) as [Uint8Array, Uint8Array, Uint8Array];
      const pseudoRandomKey = crypto.hkdfExtract(salt, ikm);
      expect(pseudoRandomKey).toEqual(fromHex(test.prk as string));
      expect(crypto.hkdfExpand(pseudoRandomKey, info, test.lengthBytes)).toEqual(fromHex(test.okm as string));
    }
    expect(tests).toHaveLength(3);
  });
});
