import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SortedKeys } from '../../src/store/sorted-keys.ts';

const key = fc.stringMatching(/^[abc]{1,6}$/);

it('gives keys upwards and downwards from any place, each once, as a sorted list would', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 900 }), fc.array(key, { minLength: 1, maxLength: 5 }), (added, places) => {
      const keys = new SortedKeys();
      for (const one of added) keys.add(one);
      const sorted = [...new Set(added)].sort();
      for (const place of ['', '~', ...places]) {
        expect([...keys.upFrom(place)]).toEqual(sorted.filter((one) => one >= place));
        expect([...keys.downFrom(place)]).toEqual(sorted.filter((one) => one < place).reverse());
      }
    }),
    { numRuns: 60 },
  );
});

it('keeps many keys in order, whichever way they come', () => {
  const numbers = Array.from({ length: 2_000 }, (_, index) => String(index).padStart(5, '0'));
  for (const given of [numbers, numbers.toReversed(), numbers.toSorted((a, b) => Number(a.slice(3)) - Number(b.slice(3)))]) {
    const keys = new SortedKeys();
    for (const one of given) keys.add(one);
    expect([...keys.upFrom('')]).toEqual(numbers);
  }
});
