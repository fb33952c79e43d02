import type { Entropy } from '../ports/entropy.ts';

/** Base32 alphabet of Douglas Crockford: digits and capitals without I, L, O and U. */
export const CROCKFORD_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `characters` independent, uniform characters: 5 bits each. 256 is a multiple of 32, so no draw is thrown away. */
export function randomCrockford(entropy: Entropy, characters: number): string {
  const bytes = entropy.randomBytes(characters);
  let text = '';
  for (const byte of bytes) text += CROCKFORD_ALPHABET.charAt(byte & 31);
  bytes.fill(0);
  return text;
}
