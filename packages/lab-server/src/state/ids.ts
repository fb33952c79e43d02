import { type CryptoProvider, type Entropy, toHex } from '@uemkit/protocol';

/** A random UUID (RFC 9562, version 4). */
export function randomUuid(entropy: Entropy): string {
  const bytes = entropy.randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** How the state names a device key. */
export function deviceKeyId(crypto: CryptoProvider, publicKey: Uint8Array): string {
  return toHex(crypto.sha256(publicKey));
}
