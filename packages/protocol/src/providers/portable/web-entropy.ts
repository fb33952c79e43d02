import { ProtocolError } from '../../errors/protocol-error.ts';
import type { Entropy } from '../../ports/entropy.ts';

/** What `getRandomValues` gives in one call. */
const MAX_CALL_BYTES = 65_536;

/** Random bytes of the platform's Web Crypto: browsers, Node, React Native with a polyfill. */
export function webEntropy(): Entropy {
  return {
    randomBytes(lengthBytes) {
      if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'length is not a whole number');
      const bytes = new Uint8Array(lengthBytes);
      for (let at = 0; at < lengthBytes; at += MAX_CALL_BYTES) globalThis.crypto.getRandomValues(bytes.subarray(at, at + MAX_CALL_BYTES));
      return bytes;
    },
  };
}
