import fc from 'fast-check';
import { expect, it } from 'vitest';

it('makes lists as long as a test says', () => {
  const lists = fc.sample(fc.array(fc.nat(), { maxLength: 100 }), { numRuns: 100, seed: 1 });
  expect(Math.max(...lists.map(({ length }) => length))).toBeGreaterThan(80);
  const bytes = fc.sample(fc.uint8Array({ maxLength: 400 }), { numRuns: 100, seed: 1 });
  expect(Math.max(...bytes.map(({ length }) => length))).toBeGreaterThan(320);
});
