import { writeU32be } from '../bytes/bytes.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type HASH_LABELS, type HandshakeLabel, labelBytes } from './labels.ts';

/** h0 = SHA-256(LP(label) || LP(part 1) || ... || LP(part n)). The label begins with `hs `. */
export function startTranscript(crypto: CryptoProvider, label: HandshakeLabel | (typeof HASH_LABELS)['activation'], parts: readonly Uint8Array[]): Uint8Array {
  return crypto.sha256(prefixed([labelBytes(label), ...parts]));
}

/**
 * One step of the rolling transcript: SHA-256(hash || LP(bytes)). No message is kept.
 * `bytes` are those that were received or sent, never an encoding made again.
 */
export function mix(crypto: CryptoProvider, hash: Uint8Array, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(prefixed([bytes], hash));
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** head || LP(part 1) || ... || LP(part n), written in one go: a handshake makes eight of them. */
function prefixed(parts: readonly Uint8Array[], head: Uint8Array = NOTHING): Uint8Array {
  let lengthBytes = head.length;
  for (const part of parts) lengthBytes += 4 + part.length;
  const joined = new Uint8Array(lengthBytes);
  joined.set(head);
  let at = head.length;
  for (const part of parts) {
    writeU32be(joined, at, part.length);
    joined.set(part, at + 4);
    at += 4 + part.length;
  }
  return joined;
}
