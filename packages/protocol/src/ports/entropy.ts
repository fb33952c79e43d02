/** Cryptographically secure random bytes; seeded in tests and emulated fleets. */
export interface Entropy {
  randomBytes(lengthBytes: number): Uint8Array;
}
