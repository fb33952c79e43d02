import { type SecretBytes, secret } from '../bytes/secret.ts';
import { fromHex, toHex } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { Entropy } from '../ports/entropy.ts';

/** Order n of the group of P-256. */
const ORDER = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n;

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
    const scalar = toNumber(bytes);
    if (scalar > 0n && scalar < ORDER) return secret(bytes);
  }
  throw new ProtocolError('ERR_INTERNAL', 'the entropy source gives no usable scalar');
}

/** A big-endian number modulo n in 32 bytes; undefined when that is 0. 40 bytes in make the result uniform enough (RFC 9383, 3.2). */
export function reduceToScalar<Purpose extends string>(bytes: Uint8Array): SecretBytes<Purpose> | undefined {
  const scalar = toNumber(bytes) % ORDER;
  return scalar === 0n ? undefined : secret(fromHex(scalar.toString(16).padStart(64, '0')));
}
