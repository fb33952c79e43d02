import { type SecretBytes, secret } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { labelBytes, SECRET_LABELS, type SecretLabel } from './labels.ts';

/** Stands for "no key" as salt or input of an extraction. Never write into it. */
export const ZERO_32: Uint8Array = new Uint8Array(32);

/** The empty context of a derivation. */
export const NO_CONTEXT: Uint8Array = new Uint8Array(0);

const LABELS: ReadonlyMap<SecretLabel, Uint8Array> = new Map(Object.values(SECRET_LABELS).map((label) => [label, labelBytes(label)]));

/**
 * XL: HKDF-Expand(secret, u16(length) || u8(len) || prefix and label || u8(len) || context, length), the HkdfLabel of RFC 8446, 7.1.
 * @param context empty, or a hash of 32 bytes
 * @throws ProtocolError `ERR_INTERNAL` for another context, or for a secret that is missing or has been wiped: both are errors of this project.
 */
export function deriveSecret<Purpose extends string>(
  crypto: CryptoProvider,
  from: Uint8Array,
  label: SecretLabel,
  context: Uint8Array,
  lengthBytes: number,
): SecretBytes<Purpose> {
  if (context.length !== 0 && context.length !== 32) throw new ProtocolError('ERR_INTERNAL', 'context of a derivation is neither empty nor a hash');
  // check: secret is live
  requireLiveSecret(from);
  const name = LABELS.get(label) as Uint8Array;
  const info = new Uint8Array(4 + name.length + context.length);
  info[0] = lengthBytes >> 8;
  info[1] = lengthBytes & 0xff;
  info[2] = name.length;
  info.set(name, 3);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  return secret(crypto.hkdfExpand(from, info, lengthBytes));
}

/** EX: HKDF-Extract of RFC 5869, in the order of its text: salt first. */
export function extract<Purpose extends string>(crypto: CryptoProvider, salt: Uint8Array, inputKey: Uint8Array): SecretBytes<Purpose> {
  return secret(crypto.hkdfExtract(salt, inputKey));
}

/**
 * Refuses a secret of zeros only: it has been wiped, and a key from it would be known to everybody.
 * @throws ProtocolError `ERR_INTERNAL`
 */
export function requireLiveSecret(bytes: Uint8Array): void {
  let bits = 0;
  for (const byte of bytes) bits |= byte;
  if (bits === 0) throw new ProtocolError('ERR_INTERNAL', 'a secret is used after it was wiped');
}
