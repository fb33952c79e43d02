import { randomFillSync } from 'node:crypto';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { Entropy } from '../../ports/entropy.ts';

/** Draws up to this length (jitter, ids) are served from a pool: a call of OpenSSL for four bytes costs a tenth of a poll. Keys never are. */
const POOLED_BYTES = 16;
const POOL_BYTES = 1_024;

/** Random bytes of OpenSSL. */
export function nodeEntropy(): Entropy {
  const pool = new Uint8Array(POOL_BYTES);
  // The bytes before it are drawn.
  let at = POOL_BYTES;
  return {
    randomBytes(lengthBytes) {
      if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'length is not a whole number');
      if (lengthBytes > POOLED_BYTES) return randomFillSync(new Uint8Array(lengthBytes));
      if (POOL_BYTES - at < lengthBytes) {
        randomFillSync(pool);
        at = 0;
      }
      const end = at + lengthBytes;
      const drawn = pool.slice(at, end);
      pool.fill(0, at, end);
      at = end;
      return drawn;
    },
  };
}
