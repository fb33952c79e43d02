import { concatBytes, utf8 } from '../../bytes/bytes.ts';
import { fromHex, toHex } from '../../bytes/text.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import { type ConformanceCase, check, checkBytes, checkRefuses } from './conformance-case.ts';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const G = fromHex('046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5');

const bytes32 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);
const negated = (point: Uint8Array): Uint8Array => concatBytes(point.slice(0, 33), bytes32(PRIME - numberOf(point.slice(33))));
const scalar = (seed: number): Uint8Array => new Uint8Array(32).fill(seed);

/** Forms that are no uncompressed point of P-256. Libraries take some of them, so the providers must not pass them on. */
function badPoints(good: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const offCurve = good.slice();
  offCurve[64] = (offCurve[64] as number) ^ 1;
  const first = (byte: number): Uint8Array => concatBytes(Uint8Array.of(byte), good.slice(1));
  return [
    ['nothing', new Uint8Array(0)],
    ['encoded infinity', Uint8Array.of(0)],
    ['compressed', concatBytes(Uint8Array.of(2 + ((good[64] as number) & 1)), good.slice(1, 33))],
    ['hybrid', first(6 + ((good[64] as number) & 1))],
    ['first byte 5', first(5)],
    ['first byte 0', first(0)],
    ['without first byte', good.slice(1)],
    ['one byte short', good.slice(0, 64)],
    ['one byte long', concatBytes(good, Uint8Array.of(0))],
    ['off the curve', offCurve],
    ['all zero', concatBytes(Uint8Array.of(4), new Uint8Array(64))],
    ['x not below the prime', concatBytes(Uint8Array.of(4), bytes32(PRIME), good.slice(33))],
    ['y not below the prime', concatBytes(good.slice(0, 33), scalar(0xff))],
  ];
}

const BAD_SCALARS: readonly (readonly [string, Uint8Array])[] = [
  ['zero', scalar(0)],
  ['the order', bytes32(ORDER)],
  ['the order plus one', bytes32(ORDER + 1n)],
  ['all ones', scalar(0xff)],
];

/** P-256: points, agreement, arithmetic, signatures. */
export const curveCases: readonly ConformanceCase<CryptoProvider>[] = [
  {
    name: 'public keys of 1 and n-1 are G and -G',
    run(crypto) {
      checkBytes(crypto.p256PublicKey(bytes32(1n)), G, '1');
      checkBytes(crypto.p256PublicKey(bytes32(ORDER - 1n)), negated(G), 'n-1');
    },
  },
  {
    name: 'key agreement (RFC 5903, 8.1)',
    run(crypto) {
      const i = fromHex('c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433');
      const r = fromHex('c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53');
      const shared = fromHex('d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de');
      checkBytes(crypto.p256Ecdh(i, crypto.p256PublicKey(r)), shared, 'initiator');
      checkBytes(crypto.p256Ecdh(r, crypto.p256PublicKey(i)), shared, 'responder');
      checkBytes(crypto.p256Multiply(i, crypto.p256PublicKey(r)).slice(1, 33), shared, 'full point');
    },
  },
  {
    name: 'an x-coordinate of zero is a valid result, with all 32 bytes',
    run(crypto) {
      // Wycheproof ecdh_secp256r1_ecpoint, tcId 3.
      const k = fromHex('0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a');
      const point = fromHex(
        '0458fd4168a87795603e2b04390285bdca6e57de6027fe211dd9d25e2212d29e62080d36bd224d7405509295eed02a17150e03b314f96da37445b0d1d29377d12c',
      );
      checkBytes(crypto.p256Ecdh(k, point), new Uint8Array(32), 'x = 0');
      checkBytes(crypto.p256Multiply(k, point).slice(1, 33), new Uint8Array(32), 'x = 0 as a full point');
    },
  },
  {
    name: 'multiplication at the edges agrees with addition',
    run(crypto) {
      const point = crypto.p256PublicKey(scalar(3));
      let sum = point;
      checkBytes(crypto.p256Multiply(bytes32(1n), point), point, '1');
      for (let k = 2n; k <= 5n; k++) {
        sum = crypto.p256Add(sum, point);
        checkBytes(crypto.p256Multiply(bytes32(k), point), sum, `${k}`);
        checkBytes(crypto.p256Multiply(bytes32(ORDER - k), point), negated(sum), `n-${k}`);
      }
      checkBytes(crypto.p256Multiply(bytes32(ORDER - 1n), point), negated(point), 'n-1');
      checkBytes(crypto.p256Multiply(scalar(9), G), crypto.p256PublicKey(scalar(9)), 'of G');
      checkBytes(crypto.p256Multiply(bytes32((ORDER + 1n) / 2n), crypto.p256Add(point, point)), point, 'half of the double');
    },
  },
  {
    name: 'addition and subtraction, with the identity refused',
    run(crypto) {
      const [a, b] = [crypto.p256PublicKey(bytes32(5n)), crypto.p256PublicKey(bytes32(7n))];
      checkBytes(crypto.p256Add(a, b), crypto.p256PublicKey(bytes32(12n)), '5 + 7');
      checkBytes(crypto.p256Subtract(b, a), crypto.p256PublicKey(bytes32(2n)), '7 - 5');
      checkBytes(crypto.p256Subtract(a, b), negated(crypto.p256PublicKey(bytes32(2n))), '5 - 7');
      checkBytes(crypto.p256Add(a, a), crypto.p256PublicKey(bytes32(10n)), '5 + 5');
      checkBytes(crypto.p256Subtract(a, negated(a)), crypto.p256PublicKey(bytes32(10n)), '5 - -5');
      checkRefuses('ERR_CRYPTO_PUBLIC_KEY', 'P - P', () => crypto.p256Subtract(a, a));
      checkRefuses('ERR_CRYPTO_PUBLIC_KEY', 'P + -P', () => crypto.p256Add(a, negated(a)));
    },
  },
  {
    name: 'refuses everything that is not an uncompressed point of the curve, in every method',
    run(crypto) {
      const good = crypto.p256PublicKey(scalar(4));
      const signature = crypto.p256Sign(scalar(4), utf8('m'));
      for (const [what, bad] of badPoints(good)) {
        for (const k of [scalar(4), bytes32(1n), bytes32(ORDER - 1n)]) {
          checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `agreement, ${what}`, () => crypto.p256Ecdh(k, bad));
          checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `multiplication, ${what}`, () => crypto.p256Multiply(k, bad));
        }
        checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `addition, ${what}`, () => crypto.p256Add(bad, good));
        checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `addition, second, ${what}`, () => crypto.p256Add(good, bad));
        checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `subtraction, ${what}`, () => crypto.p256Subtract(bad, good));
        checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `subtraction, second, ${what}`, () => crypto.p256Subtract(good, bad));
        checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `verification, ${what}`, () => crypto.p256Verify(bad, utf8('m'), signature));
      }
    },
  },
  {
    name: 'refuses scalars that are zero, not below the order, or not of 32 bytes',
    run(crypto) {
      const uses: readonly (readonly [string, (k: Uint8Array) => unknown])[] = [
        ['public key', (k) => crypto.p256PublicKey(k)],
        ['agreement', (k) => crypto.p256Ecdh(k, G)],
        ['multiplication', (k) => crypto.p256Multiply(k, G)],
        ['signature', (k) => crypto.p256Sign(k, utf8('m'))],
      ];
      for (const [use, work] of uses) {
        for (const [what, bad] of BAD_SCALARS) checkRefuses('ERR_CRYPTO_PUBLIC_KEY', `${use}, ${what}`, () => work(bad));
        for (const lengthBytes of [0, 31, 33]) {
          checkRefuses('ERR_USAGE_ARGUMENT', `${use}, ${lengthBytes} bytes`, () => work(new Uint8Array(lengthBytes).fill(1)));
        }
      }
    },
  },
  {
    name: 'signatures of 64 bytes verify, also with the high s, and no others do',
    run(crypto) {
      const [k, message] = [scalar(6), utf8('message')];
      const key = crypto.p256PublicKey(k);
      const signature = crypto.p256Sign(k, message);
      check(signature.length === 64, 'length');
      check(crypto.p256Verify(key, message, signature), 'own signature');
      const [r, s] = [signature.slice(0, 32), signature.slice(32)];
      check(crypto.p256Verify(key, message, concatBytes(r, bytes32(ORDER - numberOf(s)))), 'the other s');
      check(!crypto.p256Verify(key, utf8('massage'), signature), 'another message');
      check(!crypto.p256Verify(crypto.p256PublicKey(scalar(7)), message, signature), 'another key');
      for (const bad of [
        concatBytes(new Uint8Array(32), s),
        concatBytes(r, new Uint8Array(32)),
        new Uint8Array(64),
        scalar(0xff),
        concatBytes(scalar(0xff), s),
      ]) {
        check(!crypto.p256Verify(key, message, bad), `r or s out of range: ${toHex(bad)}`);
      }
      for (const bad of [
        new Uint8Array(0),
        signature.slice(1),
        concatBytes(signature, Uint8Array.of(0)),
        concatBytes(Uint8Array.of(0), r, Uint8Array.of(0), s),
      ]) {
        check(!crypto.p256Verify(key, message, bad), `${bad.length} bytes`);
      }
    },
  },
];
