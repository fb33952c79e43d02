import { type CipherGCMTypes, createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { wipe } from '../../bytes/secret.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { CbcHs512Parts } from '../cbc-hs512.ts';
import { GCM_TAG_BYTES, type GcmParts } from '../gcm.ts';
import { joinBuffers, plainBytes } from './plain-bytes.ts';

/** A key object, made once: on Node 24 raw keys cost about 10 µs more on each call. The raw key is wiped. */
function takeKey(key: Uint8Array): { readonly get: () => KeyObject; readonly drop: () => void } {
  let handle: KeyObject | undefined = createSecretKey(key);
  wipe(key);
  return {
    get() {
      if (handle === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'key has been wiped');
      return handle;
    },
    drop() {
      handle = undefined;
    },
  };
}

/** Constant-time comparison; lengths are public. */
export function equalNative(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** AES-CBC with PKCS#7 padding and HMAC-SHA-512. Takes over both keys. */
export function nodeCbcParts(aesKey: Uint8Array, macKey: Uint8Array): CbcHs512Parts {
  const algorithm = `aes-${8 * aesKey.length}-cbc`;
  const [aes, mac] = [takeKey(aesKey), takeKey(macKey)];
  return {
    encrypt(iv, plaintext) {
      const cipher = createCipheriv(algorithm, aes.get(), iv);
      return joinBuffers(cipher.update(plaintext), cipher.final());
    },
    decrypt(iv, ciphertext) {
      const cipher = createDecipheriv(algorithm, aes.get(), iv);
      return joinBuffers(cipher.update(ciphertext), cipher.final());
    },
    mac(...parts) {
      const state = createHmac('sha512', mac.get());
      for (const part of parts) state.update(part);
      return plainBytes(state.digest());
    },
    equal: equalNative,
    wipe() {
      aes.drop();
      mac.drop();
    },
  };
}

/** AES-GCM with tags of 16 bytes. Takes over the key. */
export function nodeGcmParts(key: Uint8Array): GcmParts {
  const algorithm = `aes-${8 * key.length}-gcm` as CipherGCMTypes;
  const aes = takeKey(key);
  return {
    encrypt(nonce, associatedData, plaintext, headBytes = 0) {
      const cipher = createCipheriv(algorithm, aes.get(), nonce, { authTagLength: GCM_TAG_BYTES });
      cipher.setAAD(associatedData);
      const sealed = joinBuffers(cipher.update(plaintext), cipher.final(), GCM_TAG_BYTES, headBytes);
      sealed.set(cipher.getAuthTag(), sealed.length - GCM_TAG_BYTES);
      return sealed;
    },
    decrypt(nonce, associatedData, ciphertextAndTag) {
      const cipher = createDecipheriv(algorithm, aes.get(), nonce, { authTagLength: GCM_TAG_BYTES });
      const end = ciphertextAndTag.length - GCM_TAG_BYTES;
      cipher.setAAD(associatedData);
      cipher.setAuthTag(ciphertextAndTag.subarray(end));
      return joinBuffers(cipher.update(ciphertextAndTag.subarray(0, end)), cipher.final());
    },
    wipe: () => aes.drop(),
  };
}
