import { ProtocolError } from '../errors/protocol-error.ts';
import type { Gcm } from '../ports/crypto-provider.ts';
import { openFailed, requireLength } from './checks.ts';

/** AES-GCM of one provider under one key, without checks. */
export interface GcmParts {
  /** `headBytes` (0 when left out) zero bytes, then ciphertext and tag. */
  encrypt(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, headBytes?: number): Uint8Array;
  /** Throws anything when the tag is wrong or missing. */
  decrypt(nonce: Uint8Array, associatedData: Uint8Array, ciphertextAndTag: Uint8Array): Uint8Array;
  wipe(): void;
}

/** Bytes of the tag at the end of each ciphertext. */
export const GCM_TAG_BYTES = 16;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function requireGcmKey(key: Uint8Array): void {
  requireLength(key, KEY_BYTES, 'key of AES-256-GCM');
}

/** The port's form of AES-256-GCM: fixed sizes, one error. */
export function composeGcm(parts: GcmParts): Gcm {
  let wiped = false;
  const requireKey = (): void => {
    if (wiped) throw new ProtocolError('ERR_USAGE_STATE', 'key has been wiped');
  };
  return {
    seal(nonce, associatedData, plaintext, headBytes = 0) {
      requireKey();
      requireLength(nonce, NONCE_BYTES, 'nonce');
      return parts.encrypt(nonce, associatedData, plaintext, headBytes);
    },
    open(nonce, associatedData, ciphertextAndTag) {
      requireKey();
      if (nonce.length !== NONCE_BYTES) throw openFailed();
      try {
        return parts.decrypt(nonce, associatedData, ciphertextAndTag);
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
