import { randomFillSync } from 'node:crypto';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { Entropy } from '../../ports/entropy.ts';

/** Random bytes of OpenSSL. */
export function nodeEntropy(): Entropy {
  return {
    randomBytes(lengthBytes) {
      if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'length is not a whole number');
      return randomFillSync(new Uint8Array(lengthBytes));
    },
  };
}
