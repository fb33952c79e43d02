import { createHmac, createSecretKey, hash } from 'node:crypto';
import { requireExpandable } from '../checks.ts';
import { plainBytes } from './plain-bytes.ts';

const HASH_BYTES = 32;

/** SHA-256. */
export function sha256Native(data: Uint8Array): Uint8Array {
  return plainBytes(hash('sha256', data, 'buffer'));
}

/** HMAC-SHA-256. */
export function hmacSha256Native(key: Uint8Array, data: Uint8Array): Uint8Array {
  return plainBytes(createHmac('sha256', createSecretKey(key)).update(data).digest());
}

/** HKDF-Expand alone, which `hkdfSync` cannot do (RFC 5869, 2.3). */
export function hkdfExpandNative(pseudoRandomKey: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array {
  requireExpandable(pseudoRandomKey, lengthBytes);
  const key = createSecretKey(pseudoRandomKey);
  const output = new Uint8Array(lengthBytes);
  let block: Uint8Array = new Uint8Array(0);
  for (let counter = 1, at = 0; at < lengthBytes; counter++, at += HASH_BYTES) {
    block = createHmac('sha256', key).update(block).update(info).update(Uint8Array.of(counter)).digest();
    output.set(block.subarray(0, lengthBytes - at), at);
  }
  return output;
}
