import { toBase64url } from '../bytes/text.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { SIGNATURE_LIMITS } from './limits.ts';
import { malformed, readBytesItem, writeBytes } from './structured-field.ts';

const FIELD = 'uemkit-certificate';

/** Key id of a certificate: base64url of SHA-256 of its DER. So a signature is bound to the one certificate that it was made with. */
export function keyIdOf(crypto: Pick<CryptoProvider, 'sha256'>, certificate: Uint8Array): string {
  return toBase64url(crypto.sha256(certificate));
}

/** `uemkit-certificate`: the signer's leaf certificate. */
export function certificateField(certificate: Uint8Array): string {
  return writeBytes(certificate);
}

/** @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT` */
export function readCertificateField(text: string): Uint8Array {
  const { value, parameters } = readBytesItem(FIELD, text, SIGNATURE_LIMITS.certificateCharacters);
  if (parameters.size > 0) throw malformed(FIELD);
  return value;
}
