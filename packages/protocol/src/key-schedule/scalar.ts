import { isP256Scalar, P256_ORDER } from '../bytes/p256-scalar.ts';
import { type SecretBytes, secret } from '../bytes/secret.ts';
import { fromHex, toHex } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { Entropy } from '../ports/entropy.ts';

/** A draw fails once in 2^32, so an entropy source that fails this often is broken. */
const MAX_DRAWS = 8;

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/**
 * A uniform private scalar, 32 bytes, 1 to n-1, by drawing again what lies outside.
 * @throws ProtocolError `ERR_INTERNAL` when the entropy source gives nothing usable.
 */
export function randomScalar<Purpose extends string>(entropy: Entropy): SecretBytes<Purpose> {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const bytes = entropy.randomBytes(32);
    if (isP256Scalar(bytes)) return secret(bytes);
  }
  throw new ProtocolError('ERR_INTERNAL', 'the entropy source gives no usable scalar');
}

/** A big-endian number modulo n in 32 bytes; undefined when that is 0. 40 bytes in make the result uniform enough (RFC 9383, 3.2). */
export function reduceToScalar<Purpose extends string>(bytes: Uint8Array): SecretBytes<Purpose> | undefined {
  const scalar = toNumber(bytes) % P256_ORDER;
  return scalar === 0n ? undefined : secret(fromHex(scalar.toString(16).padStart(64, '0')));
}
