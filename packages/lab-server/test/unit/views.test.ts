import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeOf } from '../../src/rest/views.ts';

describe('the time of a view', () => {
  it('is what Date makes of it, whichever came before', () => {
    const ms = fc.oneof(
      fc.nat(),
      fc.maxSafeNat().map((n) => n % 8_640_000_000_000_000),
      fc.constantFrom(0, 1, 59_999, 86_399_999, 86_400_000, 253_402_300_800_000),
    );
    fc.assert(
      fc.property(fc.array(ms, { maxLength: 5 }), (times) => {
        for (const time of times) expect(timeOf(time)).toBe(new Date(time).toISOString());
      }),
      { numRuns: 500, seed: 3 },
    );
    expect(timeOf(-1)).toBe('1969-12-31T23:59:59.999Z');
    expect(() => timeOf(Number.NaN)).toThrow(RangeError);
    expect(timeOf(undefined)).toBeUndefined();
  });
});
