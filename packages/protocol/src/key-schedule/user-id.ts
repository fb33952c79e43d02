import { concatBytes, lp, utf8 } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { LIMITS } from '../wire/limits.ts';
import { HASH_LABELS, labelBytes } from './labels.ts';

/** Longest input that is looked at, with its spaces. */
const MAX_INPUT_CHARACTERS = 1_024;

/**
 * The one form of a user id: on the wire, in look-ups and in keys. Spaces and tabs at both ends go, then Unicode lower case
 * (default mapping, no locale), then NFC.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when nothing is left, when it is longer than `userIdBytes`, or when it is no Unicode text.
 * @example canonicalUserId(' Alice@Example.com ') // 'alice@example.com'
 */
export function canonicalUserId(text: string): string {
  const canonical = text
    .slice(0, MAX_INPUT_CHARACTERS)
    .replace(/^[ \t]+|[ \t]+$/g, '')
    .toLowerCase()
    .normalize('NFC');
  const lengthBytes = utf8(canonical).length;
  if (text.length > MAX_INPUT_CHARACTERS || !canonical.isWellFormed() || lengthBytes === 0 || lengthBytes > LIMITS.userIdBytes) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'user id is empty, too long, or not Unicode text');
  }
  return canonical;
}

/**
 * Checks a user id that came over the wire.
 * @throws ProtocolError `ERR_WIRE_FIELD` when it is not in the canonical form.
 */
export function requireCanonicalUserId(text: string): void {
  let canonical: string | undefined;
  try {
    canonical = canonicalUserId(text);
  } catch {
    // Said below, as an error of the peer.
  }
  // check: canonical user id
  if (canonical !== text) throw new ProtocolError('ERR_WIRE_FIELD', 'user id is not in its canonical form');
}

/** What the NOC knows a user by: SHA-256(LP(label) || LP(user id)). */
export function userIdHash(crypto: CryptoProvider, canonical: string): Uint8Array {
  return crypto.sha256(concatBytes(lp(labelBytes(HASH_LABELS.userId)), lp(utf8(canonical))));
}
