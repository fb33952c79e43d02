import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { fromHex } from '../../src/bytes/text.ts';
import { PROVIDERS, runWholeFile, thrown, type WycheproofTest } from './vectors.ts';

const hex = (test: WycheproofTest, ...names: string[]): Uint8Array[] => names.map((name) => fromHex(test[name] as string));

describe.each(PROVIDERS)('Wycheproof ciphers with $name', ({ name, crypto, cbcParts, gcmParts }) => {
  it('a256cbc_hs512, whole file', () => {
    runWholeFile(
      'a256cbc_hs512_test.json',
      (test) => {
        const [key, iv, aad, message, ciphertext, tag] = hex(test, 'key', 'iv', 'aad', 'msg', 'ct', 'tag') as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        const cipher = crypto.cbcHs512(key);
        if (test.result === 'valid') {
          expect(cipher.seal(iv, aad, message)).toEqual({ ciphertext, tag });
          expect(cipher.open(iv, aad, ciphertext, tag)).toEqual(message);
        } else {
          expect(thrown(() => cipher.open(iv, aad, ciphertext, tag))).toMatchObject({ code: 'ERR_CRYPTO_OPEN' });
        }
        return true;
      },
      { executed: 94 },
    );
  });

  it('aes_cbc_pkcs5, whole file, on the cipher below A256CBC-HS512', () => {
    runWholeFile(
      'aes_cbc_pkcs5_test.json',
      (test) => {
        const [key, iv, message, ciphertext] = hex(test, 'key', 'iv', 'msg', 'ct') as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
        const cipher = cbcParts(key, new Uint8Array(32));
        if (test.result === 'valid') {
          expect(cipher.encrypt(iv, message)).toEqual(ciphertext);
          expect(cipher.decrypt(iv, ciphertext)).toEqual(message);
        } else {
          expect(thrown(() => cipher.decrypt(iv, ciphertext))).toBeDefined();
        }
        return true;
      },
      { executed: 216 },
    );
  });

  it('hmac_sha512, whole file, on the MAC below A256CBC-HS512', () => {
    runWholeFile(
      'hmac_sha512_test.json',
      (test, group) => {
        const [key, message, tag] = hex(test, 'key', 'msg', 'tag') as [Uint8Array, Uint8Array, Uint8Array];
        const mac = cbcParts(new Uint8Array(32), key).mac(message.subarray(0, 1), message.subarray(1));
        expect(crypto.equal(mac.subarray(0, (group.tagSize as number) / 8), tag)).toBe(test.result === 'valid');
        return true;
      },
      { executed: 174 },
    );
  });

  const gcmCase = (test: WycheproofTest, cipher: ReturnType<typeof gcmParts> | ReturnType<typeof crypto.gcm>): true => {
    const [iv, aad, message, ciphertext, tag] = hex(test, 'iv', 'aad', 'msg', 'ct', 'tag') as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const sealed = concatBytes(ciphertext, tag);
    const seal = 'encrypt' in cipher ? cipher.encrypt : cipher.seal;
    const open = 'decrypt' in cipher ? cipher.decrypt : cipher.open;
    if (test.result === 'valid') {
      expect(seal(iv, aad, message)).toEqual(sealed);
      expect(open(iv, aad, sealed)).toEqual(message);
    } else {
      expect(thrown(() => open(iv, aad, sealed))).toBeDefined();
    }
    return true;
  };

  it('aes_gcm, whole file, on the cipher below the port', () => {
    // Our nonces have 12 bytes; each library has its own bounds for other lengths.
    const outside = name === 'noble' ? 'noble takes nonces from 8 bytes on' : 'OpenSSL takes nonces up to 128 bytes';
    runWholeFile(
      'aes_gcm_test.json',
      (test, group) => {
        const ivBits = group.ivSize as number;
        if (name === 'noble' ? ivBits > 0 && ivBits < 64 : ivBits > 1024) return outside;
        return gcmCase(test, gcmParts(fromHex(test.key as string)));
      },
      name === 'noble' ? { executed: 292, skipped: { [outside]: 24 } } : { executed: 313, skipped: { [outside]: 3 } },
    );
  });

  it('aes_gcm, what the port takes', () => {
    runWholeFile(
      'aes_gcm_test.json',
      (test, group) => {
        if (group.keySize !== 256) return 'the port has AES-256 only';
        if (group.ivSize !== 96) return 'the port has nonces of 12 bytes only';
        return gcmCase(test, crypto.gcm(fromHex(test.key as string)));
      },
      { executed: 66, skipped: { 'the port has AES-256 only': 211, 'the port has nonces of 12 bytes only': 39 } },
    );
  });
});
