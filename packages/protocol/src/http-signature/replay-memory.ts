import { sameBytes } from '../bytes/bytes.ts';
import { SIGNATURE_LIMITS, type SignatureLimits } from './limits.ts';
import type { RequestProof } from './signed-request.ts';

/**
 * `fresh`: never seen, in time. `replayed`: seen before. `otherEpoch`: made for another start of the verifier, or without a challenge. `outOfTime`: expired or
 * from the future. `full`: nothing more can be remembered, so nothing more is taken.
 */
export type ReplayVerdict = 'fresh' | 'replayed' | 'otherEpoch' | 'outOfTime' | 'full';

export interface ReplayMemoryOptions {
  /** Random, new for each memory: what was signed for an earlier one, whose nonces are forgotten, is refused. */
  readonly epoch: Uint8Array;
  readonly limits?: Pick<SignatureLimits, 'noncesOfKey' | 'nonces'> | undefined;
}

/** Nonces of one generation: how many of which key. */
interface Generation {
  readonly nonces: Set<string>;
  readonly ofKey: Map<string, number>;
}

/**
 * Remembers the nonces of verified requests for as long as their signatures are in time. Bounded, and fails closed: what cannot be remembered is refused.
 * Nonces live in two generations, each at least as long as a signature can be in time, so that forgetting costs nothing.
 */
export class ReplayMemory {
  readonly #options: ReplayMemoryOptions;
  readonly #limits: Pick<SignatureLimits, 'noncesOfKey' | 'nonces'>;
  #current: Generation = emptyGeneration();
  #previous: Generation = emptyGeneration();
  #currentSinceS = 0;
  #nowS = 0;

  constructor(options: ReplayMemoryOptions) {
    this.#options = options;
    this.#limits = options.limits ?? SIGNATURE_LIMITS;
  }

  /**
   * Judges a request whose signature has been verified, and remembers it when it is fresh. `nowS` must come from a clock that never goes back; should it do so
   * all the same, time stands still here.
   */
  take(proof: Pick<RequestProof, 'keyId' | 'nonce' | 'epoch' | 'createdS' | 'expiresS'>, nowS: number): ReplayVerdict {
    const { keyId, nonce } = proof;
    this.#advance(nowS);
    if (!sameBytes(proof.epoch, this.#options.epoch)) return 'otherEpoch';
    if (this.#nowS > proof.expiresS || proof.createdS - SIGNATURE_LIMITS.clockSkewS > this.#nowS) return 'outOfTime';
    const name = `${keyId} ${nonce}`;
    if (this.#current.nonces.has(name) || this.#previous.nonces.has(name)) return 'replayed';
    const ofKey = this.#current.ofKey.get(keyId) ?? 0;
    if (ofKey + (this.#previous.ofKey.get(keyId) ?? 0) >= this.#limits.noncesOfKey || this.size >= this.#limits.nonces) return 'full';
    this.#current.nonces.add(name);
    this.#current.ofKey.set(keyId, ofKey + 1);
    return 'fresh';
  }

  /** Nonces that are remembered now. */
  get size(): number {
    return this.#current.nonces.size + this.#previous.nonces.size;
  }

  #advance(nowS: number): void {
    this.#nowS = Math.max(this.#nowS, nowS);
    const ageS = this.#nowS - this.#currentSinceS;
    const lifeS = SIGNATURE_LIMITS.lifeS + SIGNATURE_LIMITS.clockSkewS;
    if (ageS <= lifeS) return;
    this.#previous = ageS <= 2 * lifeS ? this.#current : emptyGeneration();
    this.#current = emptyGeneration();
    this.#currentSinceS = this.#nowS;
  }
}

function emptyGeneration(): Generation {
  return { nonces: new Set(), ofKey: new Map() };
}
