import { sameBytes } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { malformed, readDictionary, writeBytes } from './structured-field.ts';

const FIELD = 'content-digest';
const ALGORITHM = 'sha-256';

/** `content-digest` of a body (RFC 9530), SHA-256. */
export function contentDigest(crypto: Pick<CryptoProvider, 'sha256'>, body: Uint8Array): string {
  return `${ALGORITHM}=${writeBytes(crypto.sha256(body))}`;
}

/**
 * Exactly one digest, SHA-256, and that of `body`.
 * @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT`; `ERR_CRYPTO_SIGNATURE` for another body
 */
export function requireContentDigest(crypto: Pick<CryptoProvider, 'sha256'>, field: string, body: Uint8Array): void {
  const members = readDictionary(FIELD, field);
  const member = members.get(ALGORITHM);
  if (members.size !== 1 || member?.kind !== 'bytes' || member.parameters.size > 0) throw malformed(FIELD);
  if (!sameBytes(member.value, crypto.sha256(body))) throw new ProtocolError('ERR_CRYPTO_SIGNATURE', 'the content digest is that of another body');
}
