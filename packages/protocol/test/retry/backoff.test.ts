import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff, randomFraction } from '../../src/index.ts';
import { seededEntropy } from '../../src/testing/index.ts';

const entropyOf = (byte: number): { randomBytes(lengthBytes: number): Uint8Array } => ({
  randomBytes: (lengthBytes) => new Uint8Array(lengthBytes).fill(byte),
});

describe('back-off', () => {
  it('doubles the upper end up to the longest delay', () => {
    expect([...backoff({ minMs: 0, baseMs: 1_000, maxMs: 5_000, attempts: 5 }, entropyOf(0xff))]).toEqual([999, 1_999, 3_999, 4_999, 4_999]);
  });

  it('never waits less than the shortest delay', () => {
    expect([...backoff({ minMs: 100, baseMs: 1_000, maxMs: 5_000, attempts: 3 }, entropyOf(0))]).toEqual([100, 100, 100]);
  });

  it('has no end when none is asked for, and begins anew with each iterator', () => {
    const delays = backoff({ minMs: 0, baseMs: 10, maxMs: 1_000_000 }, entropyOf(0x80));
    let count = 0;
    for (const delayMs of delays) {
      expect(delayMs).toBeLessThanOrEqual(1_000_000);
      if (++count === 100) break;
    }
    expect(delays[Symbol.iterator]().next().value).toBe(5);
  });

  it('stays within its bounds for any options', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(100_000), fc.string(), (minMs, baseMore, maxMore, seed) => {
        const options = { minMs, baseMs: minMs + baseMore, maxMs: minMs + baseMore + maxMore, attempts: 20 };
        const delays = [...backoff(options, seededEntropy(seed))];
        return delays.length === 20 && delays.every((delayMs) => delayMs >= minMs && delayMs <= options.maxMs);
      }),
    );
  });

  it.each([
    { minMs: -1, baseMs: 1, maxMs: 2 },
    { minMs: 3, baseMs: 1, maxMs: 2 },
    { minMs: 0, baseMs: 3, maxMs: 2 },
    { minMs: Number.NaN, baseMs: 3, maxMs: 4 },
  ])('refuses bounds out of order: %o', (options) => {
    expect(() => backoff(options, entropyOf(0))).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});

it('draws fractions from 0 to below 1', () => {
  expect(randomFraction(entropyOf(0))).toBe(0);
  expect(randomFraction(entropyOf(0x80))).toBeCloseTo(0.502);
  expect(randomFraction(entropyOf(0xff))).toBeLessThan(1);
});
