import { expect, inject, it } from 'vitest';
import { shareOf, sized } from '../../../scripts/lib/test-sizes.ts';

// What `pnpm test` takes a share of, `pnpm test:whole` takes whole: this runs in both.
it('a run has the sizes that its configuration provides', () => {
  const isWhole = inject('isWhole');
  expect(sized(1, 2)).toBe(isWhole ? 2 : 1);
  expect(shareOf([1, 2, 3, 4, 5], 2)).toEqual(isWhole ? [1, 2, 3, 4, 5] : [1, 3, 5]);
});
