import { ProtocolError } from '../errors/protocol-error.ts';
import type { Entropy } from '../ports/entropy.ts';
import { randomFraction } from './jitter.ts';

/** How long to wait between tries. */
export interface BackoffOptions {
  /** No delay is shorter. */
  readonly minMs: number;
  /** Upper end of the first delay; it doubles with each try. */
  readonly baseMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
  /** Number of delays, after which the iterable ends; without it there is no end. */
  readonly attempts?: number | undefined;
}

/** What fits a device that lost its server: from half a second up to five minutes. */
export const DEFAULT_BACKOFF: BackoffOptions = { minMs: 500, baseMs: 2_000, maxMs: 300_000 };

/**
 * Delays in milliseconds with full jitter: each is uniform between `minMs` and the doubled upper end, so that a fleet that lost its server at one
 * instant does not come back at one instant.
 *
 * @example
 * for (const delayMs of backoff(DEFAULT_BACKOFF, entropy)) await pause(delayMs)
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when the bounds are not in order.
 */
export function backoff(options: BackoffOptions, entropy: Entropy): Iterable<number> {
  const { minMs, baseMs, maxMs, attempts = Number.POSITIVE_INFINITY } = options;
  if (!(minMs >= 0 && minMs <= baseMs && baseMs <= maxMs)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'back-off needs 0 <= minMs <= baseMs <= maxMs');
  return {
    *[Symbol.iterator]() {
      let upperMs = baseMs;
      for (let attempt = 0; attempt < attempts; attempt++) {
        yield Math.floor(minMs + randomFraction(entropy) * (upperMs - minMs));
        upperMs = Math.min(maxMs, upperMs * 2);
      }
    },
  };
}
