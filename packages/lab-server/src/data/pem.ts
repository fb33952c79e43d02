import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { ProtocolError, toBase64url } from '@uemkit/protocol';

/** DER as PEM (RFC 7468). */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Bytes of the first PEM block with this label. @throws ProtocolError `ERR_STORE_READ` */
export function fromPem(label: string, pem: string): Uint8Array {
  const match = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(pem);
  if (match === null) throw new ProtocolError('ERR_STORE_READ', `there is no PEM block ${label}`);
  return new Uint8Array(Buffer.from(match[1] as string, 'base64'));
}

/** PKCS#8 in PEM of a P-256 private key. Danger: the result is the private key. */
export function privateKeyPem(scalar: Uint8Array, publicKey: Uint8Array): string {
  const [x, y] = [publicKey.subarray(1, 33), publicKey.subarray(33)].map(toBase64url) as [string, string];
  const key: KeyObject = createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', d: toBase64url(scalar), x, y } });
  return key.export({ format: 'pem', type: 'pkcs8' }) as string;
}

/** Scalar and public key (65 bytes) of a P-256 private key in PEM. @throws ProtocolError `ERR_STORE_READ` */
export function readPrivateKeyPem(pem: string): { readonly scalar: Uint8Array; readonly publicKey: Uint8Array } {
  try {
    const key = createPrivateKey(pem);
    const { d, x, y } = key.export({ format: 'jwk' });
    const part = (text: string | undefined): Buffer => Buffer.from(text as string, 'base64url');
    return { scalar: new Uint8Array(part(d)), publicKey: new Uint8Array(Buffer.concat([Buffer.of(4), part(x), part(y)])) };
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'a private key of the lab is damaged', { cause });
  }
}

/** SubjectPublicKeyInfo in DER of the first certificate in PEM, for pins. */
export function publicKeyInfoOfPem(certificate: string): Uint8Array {
  return new Uint8Array(createPublicKey(certificate).export({ format: 'der', type: 'spki' }));
}
