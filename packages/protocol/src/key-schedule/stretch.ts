import type { ScryptCost } from '../ports/crypto-provider.ts';

/** A call of scrypt that a machine asks its driver for: it takes about 70 ms and is asynchronous. Wipe `password` afterwards. */
export interface StretchRequest {
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly cost: ScryptCost;
  readonly lengthBytes: number;
}

/** N = 2^15, r = 8, p = 1: the cost of the typed access key, and what a server asks for unless it is told otherwise. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { N: 32_768, r: 8, p: 1 };
