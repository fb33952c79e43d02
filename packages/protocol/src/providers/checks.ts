import { ProtocolError } from '../errors/protocol-error.ts';
import type { ScryptCost } from '../ports/crypto-provider.ts';

/** Memory that one scrypt call may take: N = 2^17 with r = 8 and p = 4, the most that a client accepts, fits. */
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024;
/** RFC 5869, 2.3. */
const MAX_HKDF_BYTES = 255 * 32;

/** The one error of a failed `open`; it never says why. */
export function openFailed(): ProtocolError {
  return new ProtocolError('ERR_CRYPTO_OPEN', 'record could not be opened');
}

/** The one error of a point or scalar that is refused. */
export function keyRefused(): ProtocolError {
  return new ProtocolError('ERR_CRYPTO_PUBLIC_KEY', 'not a usable key of P-256');
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` when `bytes` has another length. */
export function requireLength(bytes: Uint8Array, lengthBytes: number, name: string): void {
  if (bytes.length !== lengthBytes) throw new ProtocolError('ERR_USAGE_ARGUMENT', `${name} must have ${lengthBytes} bytes`);
}

/**
 * Uncompressed form of 65 bytes, nothing else: both libraries would take compressed points, and OpenSSL hybrid ones.
 * @throws ProtocolError `ERR_CRYPTO_PUBLIC_KEY`
 */
export function requireUncompressed(point: Uint8Array): void {
  if (point.length !== 65 || point[0] !== 4) throw keyRefused();
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` for lengths that HKDF-Expand cannot give. */
export function requireExpandable(pseudoRandomKey: Uint8Array, lengthBytes: number): void {
  if (pseudoRandomKey.length < 32) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'pseudo-random key must have 32 bytes or more');
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0 || lengthBytes > MAX_HKDF_BYTES) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'HKDF gives 0 to 8160 bytes');
  }
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` for a cost that scrypt does not know or that takes too much memory. */
export function requireScryptCost(cost: ScryptCost, lengthBytes: number): void {
  const numbers = [cost.N, cost.r, cost.p, lengthBytes];
  const whole = numbers.every((number) => Number.isSafeInteger(number) && number >= 1);
  if (!whole || cost.N < 2 || !Number.isInteger(Math.log2(cost.N))) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'not a cost of scrypt');
  if (scryptMemoryBytes(cost) > MAX_SCRYPT_BYTES) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'scrypt cost needs too much memory');
}

/** Memory that scrypt works in, with room for the bookkeeping of the libraries. */
export function scryptMemoryBytes(cost: ScryptCost): number {
  return 128 * cost.r * (cost.N + cost.p + 2);
}
