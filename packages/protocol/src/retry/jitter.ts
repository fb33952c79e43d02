import type { Entropy } from '../ports/entropy.ts';

/** A random number from 0 (included) to 1 (excluded), with 32 bits. */
export function randomFraction(entropy: Entropy): number {
  const bytes = entropy.randomBytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 0x1_0000_0000;
}
