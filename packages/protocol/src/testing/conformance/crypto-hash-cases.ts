import { utf8 } from '../../bytes/bytes.ts';
import { fromHex } from '../../bytes/text.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import { type ConformanceCase, check, checkBytes, checkRefuses, checkRejects } from './conformance-case.ts';

const NONE = new Uint8Array(0);

/** Hashes, key derivation and comparison. */
export const hashCases: readonly ConformanceCase<CryptoProvider>[] = [
  {
    name: 'SHA-256 of "abc" (FIPS 180-4)',
    run(crypto) {
      checkBytes(crypto.sha256(utf8('abc')), fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'), 'SHA-256');
      checkBytes(crypto.sha256(NONE), fromHex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'), 'SHA-256 of nothing');
    },
  },
  {
    name: 'HMAC-SHA-256 with short, empty and long keys (RFC 4231, cases 2 and 6)',
    run(crypto) {
      const short = crypto.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?'));
      checkBytes(short, fromHex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'), 'short key');
      const long = crypto.hmacSha256(new Uint8Array(131).fill(0xaa), utf8('Test Using Larger Than Block-Size Key - Hash Key First'));
      checkBytes(long, fromHex('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'), 'long key');
      checkBytes(crypto.hmacSha256(NONE, NONE), fromHex('b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad'), 'empty key');
    },
  },
  {
    name: 'HKDF-SHA-256 (RFC 5869, A.1 and A.3)',
    run(crypto) {
      const key = crypto.hkdfExtract(fromHex('000102030405060708090a0b0c'), new Uint8Array(22).fill(0x0b));
      checkBytes(key, fromHex('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5'), 'A.1 extract');
      const output = crypto.hkdfExpand(key, fromHex('f0f1f2f3f4f5f6f7f8f9'), 42);
      checkBytes(output, fromHex('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'), 'A.1 expand');
      const unsalted = crypto.hkdfExtract(NONE, new Uint8Array(22).fill(0x0b));
      checkBytes(unsalted, fromHex('19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04'), 'A.3 extract');
    },
  },
  {
    name: 'HKDF-Expand gives 0 to 8160 bytes and wants a key of 32 bytes or more',
    run(crypto) {
      const key = new Uint8Array(32).fill(7);
      checkBytes(crypto.hkdfExpand(key, NONE, 0), NONE, 'no bytes');
      const most = crypto.hkdfExpand(key, NONE, 8_160);
      check(most.length === 8_160, 'most bytes');
      checkBytes(crypto.hkdfExpand(key, NONE, 33), most.slice(0, 33), 'a shorter output is the start of a longer one');
      checkRefuses('ERR_USAGE_ARGUMENT', 'one byte too many', () => crypto.hkdfExpand(key, NONE, 8_161));
      checkRefuses('ERR_USAGE_ARGUMENT', 'negative length', () => crypto.hkdfExpand(key, NONE, -1));
      checkRefuses('ERR_USAGE_ARGUMENT', 'half a byte', () => crypto.hkdfExpand(key, NONE, 0.5));
      checkRefuses('ERR_USAGE_ARGUMENT', 'short key', () => crypto.hkdfExpand(key.slice(1), NONE, 32));
    },
  },
  {
    name: 'scrypt (RFC 7914, section 12)',
    async run(crypto) {
      const empty = await crypto.scrypt(NONE, NONE, { N: 16, r: 1, p: 1 }, 64);
      const expected = '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906';
      checkBytes(empty, fromHex(expected), 'empty input');
      const many = await crypto.scrypt(utf8('password'), utf8('NaCl'), { N: 1_024, r: 8, p: 16 }, 64);
      const second = 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640';
      checkBytes(many, fromHex(second), 'p = 16');
    },
  },
  {
    name: 'scrypt takes every cost that a client accepts, several at once, and refuses others',
    async run(crypto) {
      const costs = [16_384, 32_768].map((N) => ({ N, r: 8, p: 1 }));
      const [one, two, again] = await Promise.all([...costs, ...costs].map((cost) => crypto.scrypt(utf8('a'), utf8('b'), cost, 80)));
      check(one?.length === 80 && two?.length === 80, 'length');
      check(again !== undefined, 'third call');
      checkBytes(again, one, 'same input, same output');
      for (const cost of [
        { N: 3, r: 8, p: 1 },
        { N: 1, r: 8, p: 1 },
        { N: 16, r: 0, p: 1 },
        { N: 16, r: 8, p: 0.5 },
        { N: 2 ** 24, r: 8, p: 1 },
      ]) {
        await checkRejects('ERR_USAGE_ARGUMENT', JSON.stringify(cost), () => crypto.scrypt(NONE, NONE, cost, 32));
      }
      await checkRejects('ERR_USAGE_ARGUMENT', 'no output', () => crypto.scrypt(NONE, NONE, { N: 16, r: 1, p: 1 }, 0));
    },
  },
  {
    name: 'equal compares content and length',
    run(crypto) {
      check(crypto.equal(NONE, NONE), 'empty');
      check(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), 'same');
      check(!crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), 'last byte');
      check(!crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(0, 2)), 'first byte');
      check(!crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1)), 'shorter');
      check(!crypto.equal(NONE, Uint8Array.of(0)), 'longer');
    },
  },
];
