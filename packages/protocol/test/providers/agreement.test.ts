import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { fromHex } from '../../src/bytes/text.ts';
import { isProtocolError } from '../../src/errors/protocol-error.ts';
import { nobleCrypto } from '../../src/providers/noble/index.ts';
import { nodeCrypto } from '../../src/providers/node/index.ts';
import { scryptNative } from '../../src/providers/node/scrypt.ts';

const noble = nobleCrypto();
const node = nodeCrypto();

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Bytes with lengths that crowd around the limits of blocks. */
const data = fc.oneof(
  fc.uint8Array({ maxLength: 70 }),
  fc
    .constantFrom(0, 1, 15, 16, 17, 31, 32, 33, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1_024)
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
);
const exactly = (lengthBytes: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: lengthBytes, maxLength: lengthBytes });
const bytes32 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
/** Scalars: any, small, close to the order, powers of two. */
const scalar = fc
  .oneof(
    fc.bigInt({ min: 1n, max: ORDER - 1n }),
    fc.bigInt({ min: 1n, max: 40n }),
    fc.bigInt({ min: ORDER - 40n, max: ORDER - 1n }),
    fc.nat({ max: 255 }).map((bit) => 1n << BigInt(bit)),
  )
  .map(bytes32);
const point = scalar.map((k) => node.p256PublicKey(k));

/** What a call gives: its value, or the code of its error. */
function outcome<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (isProtocolError(error)) return error.code;
    throw error;
  }
}

describe('noble and node:crypto agree', () => {
  it('on SHA-256, HMAC and HKDF', () => {
    fc.assert(
      fc.property(data, data, exactly(32), fc.nat({ max: 300 }), (a, b, key, lengthBytes) => {
        expect(node.sha256(a)).toEqual(noble.sha256(a));
        expect(node.hmacSha256(a, b)).toEqual(noble.hmacSha256(a, b));
        expect(node.hkdfExtract(a, b)).toEqual(noble.hkdfExtract(a, b));
        expect(node.hkdfExpand(key, a, lengthBytes)).toEqual(noble.hkdfExpand(key, a, lengthBytes));
      }),
      { numRuns: sized(100, 300) },
    );
  });

  it('on public keys, agreement and multiplication', () => {
    fc.assert(
      fc.property(scalar, point, (k, p) => {
        expect(node.p256PublicKey(k)).toEqual(noble.p256PublicKey(k));
        const product = noble.p256Multiply(k, p);
        expect(node.p256Multiply(k, p)).toEqual(product);
        expect(node.p256Ecdh(k, p)).toEqual(product.slice(1, 33));
        expect(noble.p256Ecdh(k, p)).toEqual(product.slice(1, 33));
      }),
      { numRuns: sized(50, 150) },
    );
  });

  it('on sums and differences, the identity included', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        const [p, q] = [node.p256PublicKey(a), node.p256PublicKey(b)];
        const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
        const expected = (value: bigint): Uint8Array | string => {
          const k = ((value % ORDER) + ORDER) % ORDER;
          return k === 0n ? 'ERR_CRYPTO_PUBLIC_KEY' : noble.p256PublicKey(bytes32(k));
        };
        expect(outcome(() => node.p256Add(p, q))).toEqual(expected(number(a) + number(b)));
        expect(outcome(() => noble.p256Add(p, q))).toEqual(expected(number(a) + number(b)));
        expect(outcome(() => node.p256Subtract(p, q))).toEqual(expected(number(a) - number(b)));
        expect(outcome(() => noble.p256Subtract(p, q))).toEqual(expected(number(a) - number(b)));
      }),
      { numRuns: sized(33, 100) },
    );
  });

  it('on which 65 bytes are a point', () => {
    const almost = fc.tuple(point, fc.nat({ max: 64 }), fc.nat({ max: 255 })).map(([p, at, byte]) => {
      p[at] = byte;
      return p;
    });
    fc.assert(
      fc.property(fc.oneof(almost, exactly(65), data), scalar, (bytes, k) => {
        expect(outcome(() => node.p256Ecdh(k, bytes))).toEqual(outcome(() => noble.p256Ecdh(k, bytes)));
        expect(outcome(() => node.p256Multiply(k, bytes))).toEqual(outcome(() => noble.p256Multiply(k, bytes)));
        expect(outcome(() => node.p256Verify(bytes, k, new Uint8Array(64)))).toEqual(outcome(() => noble.p256Verify(bytes, k, new Uint8Array(64))));
      }),
      { numRuns: sized(66, 200) },
    );
  });

  it('on which 32 bytes are a scalar', () => {
    const near = fc.bigInt({ min: ORDER - 3n, max: ORDER + 3n }).map(bytes32);
    fc.assert(
      fc.property(fc.oneof(near, fc.constant(new Uint8Array(32)), exactly(32), data), (k) => {
        const expected = outcome(() => noble.p256PublicKey(k));
        expect(outcome(() => node.p256PublicKey(k))).toEqual(expected);
        const signed = (crypto: typeof node): unknown => outcome(() => crypto.p256Sign(k, k).length);
        expect(signed(node)).toEqual(typeof expected === 'string' ? expected : 64);
        expect(signed(noble)).toEqual(typeof expected === 'string' ? expected : 64);
      }),
      { numRuns: sized(50, 150) },
    );
  });

  it('on signatures, good and damaged', () => {
    fc.assert(
      fc.property(scalar, data, fc.nat({ max: 63 }), fc.nat({ max: 255 }), (k, message, at, byte) => {
        const key = node.p256PublicKey(k);
        for (const [signer, verifier] of [
          [noble, node],
          [node, noble],
        ] as const) {
          const signature = signer.p256Sign(k, message);
          expect(verifier.p256Verify(key, message, signature)).toBe(true);
          const damaged = signature.slice();
          damaged[at] = byte;
          expect(node.p256Verify(key, message, damaged)).toBe(noble.p256Verify(key, message, damaged));
        }
      }),
      { numRuns: sized(26, 80) },
    );
  });

  it('on A256CBC-HS512, good and damaged', () => {
    fc.assert(
      fc.property(exactly(64), exactly(16), data, data, fc.nat(), fc.integer({ min: 1, max: 255 }), (key, iv, associatedData, plaintext, at, change) => {
        const [a, b] = [noble.cbcHs512(key), node.cbcHs512(key)];
        const sealed = a.seal(iv, associatedData, plaintext);
        expect(b.seal(iv, associatedData, plaintext)).toEqual(sealed);
        expect(b.open(iv, associatedData, sealed.ciphertext, sealed.tag)).toEqual(plaintext);
        const damaged = sealed.ciphertext.slice();
        damaged[at % damaged.length] = (damaged[at % damaged.length] as number) ^ change;
        for (const cipher of [a, b]) expect(outcome(() => cipher.open(iv, associatedData, damaged, sealed.tag))).toBe('ERR_CRYPTO_OPEN');
      }),
      { numRuns: sized(66, 200) },
    );
  });

  it('on AES-256-GCM, good and damaged', () => {
    fc.assert(
      fc.property(exactly(32), exactly(12), data, data, fc.nat(), fc.integer({ min: 1, max: 255 }), (key, nonce, associatedData, plaintext, at, change) => {
        const [a, b] = [noble.gcm(key), node.gcm(key)];
        const sealed = a.seal(nonce, associatedData, plaintext);
        expect(b.seal(nonce, associatedData, plaintext)).toEqual(sealed);
        expect(b.open(nonce, associatedData, sealed)).toEqual(plaintext);
        const damaged = sealed.slice();
        damaged[at % damaged.length] = (damaged[at % damaged.length] as number) ^ change;
        for (const cipher of [a, b]) expect(outcome(() => cipher.open(nonce, associatedData, damaged))).toBe('ERR_CRYPTO_OPEN');
      }),
      { numRuns: sized(66, 200) },
    );
  });

  it('on scrypt', async () => {
    await fc.assert(
      fc.asyncProperty(
        data,
        data,
        fc.constantFrom(2, 16, 1_024),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 90 }),
        async (password, salt, N, r, p, lengthBytes) => {
          expect(await node.scrypt(password, salt, { N, r, p }, lengthBytes)).toEqual(await noble.scrypt(password, salt, { N, r, p }, lengthBytes));
        },
      ),
      { numRuns: sized(10, 30) },
    );
  });

  it('on equality', () => {
    fc.assert(
      fc.property(data, data, (a, b) => {
        const same = Buffer.compare(a, b) === 0;
        for (const crypto of [noble, node]) expect([crypto.equal(a, b), crypto.equal(a, a.slice())]).toEqual([same, true]);
      }),
    );
  });
});

describe('fixed points of SPAKE2+ in the portable provider', () => {
  it('give the same products with and without a table', () => {
    const m = fromHex('04886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f5ff355163e43ce224e0b0e65ff02ac8e5c7be09419c785e0ca547d55a12e2d20');
    const fresh = nobleCrypto();
    for (let use = 1; use <= 20; use++) {
      const k = bytes32(BigInt(use) * 0x1_0001_0001_0001n + ORDER / 2n);
      expect(fresh.p256Multiply(k, m)).toEqual(node.p256Multiply(k, m));
    }
  });
});

describe('nodeCrypto', () => {
  it('runs no more scrypt calls at once than asked for, and all of them in the end', async () => {
    const crypto = nodeCrypto({ scryptConcurrency: 1 });
    const order: number[] = [];
    const call = async (number: number, N: number): Promise<void> => {
      await crypto.scrypt(Uint8Array.of(number), new Uint8Array(0), { N, r: 8, p: 1 }, 32);
      order.push(number);
    };
    // The first takes by far the longest: with two at once it would not end first.
    await Promise.all([call(0, 16_384), call(1, 2), call(2, 2), call(3, 2)]);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('refuses a call when too many wait, and serves the others', async () => {
    const scrypt = scryptNative(1, 1);
    const call = (): Promise<Uint8Array> => scrypt(new Uint8Array(0), new Uint8Array(0), { N: 2, r: 1, p: 1 }, 32);
    const [first, second, third] = await Promise.allSettled([call(), call(), call()]);
    expect([first?.status, second?.status, third?.status]).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(third).toMatchObject({ reason: { code: 'ERR_REJECTED_BUSY' } });
    expect(await call()).toHaveLength(32);
  });

  it('goes on after a call that failed', async () => {
    const crypto = nodeCrypto({ scryptConcurrency: 1 });
    await expect(crypto.scrypt(new Uint8Array(0), new Uint8Array(0), { N: 3, r: 1, p: 1 }, 32)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect(await crypto.scrypt(new Uint8Array(0), new Uint8Array(0), { N: 2, r: 1, p: 1 }, 32)).toHaveLength(32);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a scrypt concurrency of %s', (scryptConcurrency) => {
    expect(() => nodeCrypto({ scryptConcurrency })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});
