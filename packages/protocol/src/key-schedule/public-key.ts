import { ProtocolError } from '../errors/protocol-error.ts';

/** A point of P-256 on the wire: 0x04, x, y. */
export const PUBLIC_KEY_BYTES = 65;

/**
 * Takes uncompressed points only, before any provider sees them (some take compressed and hybrid forms too, so one key would have several spellings).
 * That the point lies on the curve is checked by the provider when it is used.
 * @throws ProtocolError `ERR_CRYPTO_PUBLIC_KEY`
 */
export function requireUncompressedPoint(publicKey: Uint8Array): void {
  if (publicKey.length !== PUBLIC_KEY_BYTES || publicKey[0] !== 0x04)
    throw new ProtocolError('ERR_CRYPTO_PUBLIC_KEY', 'public key is not an uncompressed point');
}
