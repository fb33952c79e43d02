import { verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/bytes/text.ts';
import { importPublicKey } from '../../src/providers/node/p256.ts';
import { PROVIDERS, runWholeFile, thrown, type WycheproofGroup } from './vectors.ts';

const keyOf = (group: WycheproofGroup): Uint8Array => fromHex((group.publicKey as { uncompressed: string }).uncompressed);

/** Wycheproof writes scalars without leading zeros, or with one more; the port takes 32 bytes. */
const scalarOf = (text: string): Uint8Array => fromHex(BigInt(`0x${text}`).toString(16).padStart(64, '0'));

describe.each(PROVIDERS)('Wycheproof P-256 with $name', ({ name, crypto }) => {
  it('ecdh_secp256r1_ecpoint, whole file', () => {
    let acceptable = 0;
    runWholeFile(
      'ecdh_secp256r1_ecpoint_test.json',
      (test) => {
        const agree = (): Uint8Array => crypto.p256Ecdh(scalarOf(test.private as string), fromHex(test.public as string));
        // The one acceptable case is a compressed point, which this protocol refuses.
        if (test.result === 'acceptable') acceptable++;
        if (test.result === 'valid') expect(agree()).toEqual(fromHex(test.shared as string));
        else expect(thrown(agree)).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
        return true;
      },
      { executed: 355 },
    );
    expect(acceptable).toBe(1);
  });

  it('ecdh_secp256r1_ecpoint, whole file, by full points', () => {
    runWholeFile(
      'ecdh_secp256r1_ecpoint_test.json',
      (test) => {
        const multiply = (): Uint8Array => crypto.p256Multiply(scalarOf(test.private as string), fromHex(test.public as string));
        if (test.result !== 'valid') {
          expect(thrown(multiply)).toMatchObject({ code: 'ERR_CRYPTO_PUBLIC_KEY' });
          return true;
        }
        const point = multiply();
        expect(point.subarray(1, 33)).toEqual(fromHex(test.shared as string));
        // k·T - (k·T - T) = T: holds for the right y only.
        const other = crypto.p256Subtract(point, fromHex(test.public as string));
        expect(crypto.p256Subtract(point, other)).toEqual(fromHex(test.public as string));
        return true;
      },
      { executed: 355 },
    );
  });

  it('ecdsa_secp256r1_sha256_p1363, whole file', () => {
    runWholeFile(
      'ecdsa_secp256r1_sha256_p1363_test.json',
      (test, group) => {
        expect(crypto.p256Verify(keyOf(group), fromHex(test.msg as string), fromHex(test.sig as string))).toBe(test.result === 'valid');
        return true;
      },
      { executed: 262 },
    );
  });

  it('ecdsa_secp256r1_sha256 (DER), whole file, on the library below the port', () => {
    const verifyDer = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
      if (name === 'node') return verify('sha256', message, importPublicKey(key), signature);
      try {
        return p256.verify(signature, message, key, { lowS: false, format: 'der' });
      } catch {
        return false;
      }
    };
    runWholeFile(
      'ecdsa_secp256r1_sha256_test.json',
      (test, group) => {
        expect(verifyDer(keyOf(group), fromHex(test.msg as string), fromHex(test.sig as string))).toBe(test.result === 'valid');
        return true;
      },
      { executed: 484 },
    );
  });
});
