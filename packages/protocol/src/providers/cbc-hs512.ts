import { u64be } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CbcHs512 } from '../ports/crypto-provider.ts';
import { openFailed, requireLength } from './checks.ts';

/** What A256CBC-HS512 is made of; each provider brings its own. */
export interface CbcHs512Parts {
  /** AES-256-CBC with PKCS#7 padding. */
  encrypt(iv: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Throws anything when a length or the padding is wrong. */
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /** HMAC-SHA-512 over the parts in order. */
  mac(...parts: readonly Uint8Array[]): Uint8Array;
  equal(a: Uint8Array, b: Uint8Array): boolean;
  wipe(): void;
}

const IV_BYTES = 16;
const TAG_BYTES = 32;
const HALF_KEY_BYTES = 32;

/** Splits the key: MAC key first, then AES key (RFC 7518, 5.2.2.1). The halves are copies. */
export function cbcHs512Keys(key: Uint8Array): { readonly macKey: Uint8Array; readonly aesKey: Uint8Array } {
  requireLength(key, 2 * HALF_KEY_BYTES, 'key of A256CBC-HS512');
  return { macKey: key.slice(0, HALF_KEY_BYTES), aesKey: key.slice(HALF_KEY_BYTES) };
}

/** A256CBC-HS512 (RFC 7518, 5.2.5): encrypt, then MAC over associated data, iv, ciphertext and bit length of the associated data. */
export function composeCbcHs512(parts: CbcHs512Parts): CbcHs512 {
  let wiped = false;
  const requireKey = (): void => {
    if (wiped) throw new ProtocolError('ERR_USAGE_STATE', 'key has been wiped');
  };
  const tagOf = (iv: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array =>
    parts.mac(associatedData, iv, ciphertext, u64be(8 * associatedData.length)).subarray(0, TAG_BYTES);
  return {
    seal(iv, associatedData, plaintext) {
      requireKey();
      requireLength(iv, IV_BYTES, 'iv');
      const ciphertext = parts.encrypt(iv, plaintext);
      return { ciphertext, tag: tagOf(iv, associatedData, ciphertext) };
    },
    open(iv, associatedData, ciphertext, tag) {
      requireKey();
      // The tag comes first: decrypting unauthenticated bytes would make a padding oracle.
      if (!parts.equal(tagOf(iv, associatedData, ciphertext), tag)) throw openFailed();
      try {
        return parts.decrypt(iv, ciphertext);
      } catch {
        throw openFailed();
      }
    },
    wipe() {
      wiped = true;
      parts.wipe();
    },
  };
}
