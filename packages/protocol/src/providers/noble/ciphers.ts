import { cbc, gcm } from '@noble/ciphers/aes.js';
import { equalBytes } from '@noble/ciphers/utils.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import type { CbcHs512Parts } from '../cbc-hs512.ts';
import type { GcmParts } from '../gcm.ts';

/** AES-CBC with PKCS#7 padding and HMAC-SHA-512. Takes over both keys. */
export function nobleCbcParts(aesKey: Uint8Array, macKey: Uint8Array): CbcHs512Parts {
  return {
    encrypt: (iv, plaintext) => cbc(aesKey, iv).encrypt(plaintext),
    decrypt: (iv, ciphertext) => cbc(aesKey, iv).decrypt(ciphertext),
    mac(...parts) {
      const state = hmac.create(sha512, macKey);
      for (const part of parts) state.update(part);
      return state.digest();
    },
    equal: equalBytes,
    wipe: () => wipe(aesKey, macKey),
  };
}

function behind(headBytes: number, bytes: Uint8Array): Uint8Array {
  return headBytes === 0 ? bytes : concatBytes(new Uint8Array(headBytes), bytes);
}

/** AES-GCM with tags of 16 bytes. Takes over the key. */
export function nobleGcmParts(key: Uint8Array): GcmParts {
  return {
    encrypt: (nonce, associatedData, plaintext, headBytes = 0) => behind(headBytes, gcm(key, nonce, associatedData).encrypt(plaintext)),
    decrypt: (nonce, associatedData, ciphertextAndTag) => gcm(key, nonce, associatedData).decrypt(ciphertextAndTag),
    wipe: () => wipe(key),
  };
}
