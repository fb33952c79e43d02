import { concatBytes, lp, u32be } from '../bytes/bytes.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type HASH_LABELS, type HandshakeLabel, labelBytes } from './labels.ts';

/** h0 = SHA-256(LP(label) || LP(part 1) || ... || LP(part n)). The label begins with `hs `. */
export function startTranscript(crypto: CryptoProvider, label: HandshakeLabel | (typeof HASH_LABELS)['activation'], parts: readonly Uint8Array[]): Uint8Array {
  return crypto.sha256(concatBytes(lp(labelBytes(label)), ...parts.map(lp)));
}

/**
 * One step of the rolling transcript: SHA-256(hash || LP(bytes)). No message is kept.
 * `bytes` are those that were received or sent, never an encoding made again.
 */
export function mix(crypto: CryptoProvider, hash: Uint8Array, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(concatBytes(hash, u32be(bytes.length), bytes));
}
