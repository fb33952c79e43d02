import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, lp, u64be, utf8 } from '../../bytes/bytes.ts';
import type { Entropy } from '../../ports/entropy.ts';

const BLOCK_BYTES = 32;

/** Reproducible bytes. NOT SECRET: who knows the seed knows every key made from them. */
export interface SeededEntropy extends Entropy {
  /** A stream of its own, the same for the same label however much was drawn here. */
  fork(label: string): SeededEntropy;
  /** A number from 0 up to but not including `bound`, without bias. */
  below(bound: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

/**
 * Entropy that is a function of its seed: SHA-256 in counter mode. For tests only.
 *
 * @example
 * const entropy = seededEntropy('activation succeeds')
 */
export function seededEntropy(seed: string): SeededEntropy {
  const key = sha256(concatBytes(lp(utf8('uemkit/1 test entropy')), lp(utf8(seed))));
  let counter = 0;
  let block: Uint8Array = new Uint8Array(0);
  const randomBytes = (lengthBytes: number): Uint8Array => {
    const bytes = new Uint8Array(lengthBytes);
    for (let at = 0; at < lengthBytes; ) {
      if (block.length === 0) block = sha256(concatBytes(key, u64be(counter++)));
      const part = block.subarray(0, Math.min(block.length, lengthBytes - at, BLOCK_BYTES));
      bytes.set(part, at);
      block = block.subarray(part.length);
      at += part.length;
    }
    return bytes;
  };
  const uint32 = (): number => new DataView(randomBytes(4).buffer).getUint32(0);
  return {
    randomBytes,
    fork: (label) => seededEntropy(`${seed}/${label}`),
    below(bound) {
      const fair = 2 ** 32 - (2 ** 32 % bound);
      for (;;) {
        const number = uint32();
        if (number < fair) return number % bound;
      }
    },
    chance: (probability) => uint32() < probability * 2 ** 32,
  };
}
