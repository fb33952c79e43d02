import { concatBytes, fromHex } from '@uemkit/protocol';

/*
 * PKCS#8 (RFC 5958) of a P-256 key: version 0, id-ecPublicKey with prime256v1, and an ECPrivateKey (RFC 5915) with the scalar and the public key.
 * All lengths are fixed, so the DER is two constants around the two values.
 */
const BEFORE_SCALAR = '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420';
const BEFORE_PUBLIC_KEY = 'a144034200';

/** PKCS#8 in PEM of a P-256 private key. Danger: the result is the private key. */
export function privateKeyPem(scalar: Uint8Array, publicKey: Uint8Array): string {
  return pem('PRIVATE KEY', concatBytes(fromHex(BEFORE_SCALAR), scalar, fromHex(BEFORE_PUBLIC_KEY), publicKey));
}

/** DER as PEM (RFC 7468). `der` is a key or a certificate: a few KiB. */
export function pem(label: string, der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
