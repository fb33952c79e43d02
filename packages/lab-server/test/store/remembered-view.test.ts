import { expect, it } from 'vitest';
import type { ReadView } from '../../src/store/lab-store.ts';
import { RememberedView } from '../../src/store/remembered-view.ts';

const value = (n: number, lengthBytes = 1): Uint8Array => new Uint8Array(lengthBytes).fill(n);

/** A base that counts what is read. */
function baseOf(entries: Map<string, Uint8Array>): ReadView & { reads: number } {
  return {
    reads: 0,
    get(key) {
      this.reads += 1;
      return entries.get(key);
    },
    range: ({ prefix }) => [{ key: prefix, value: value(1) }],
  };
}

it('reads once what is read often, and everything else each time', () => {
  const base = baseOf(new Map([['a', value(1)]]));
  const view = new RememberedView(base);
  const first = view.get('a', true);
  expect(first).toEqual(value(1));
  expect(view.get('a', true)).toBe(first);
  expect(base.reads).toBe(1);
  view.get('a');
  view.get('b', true);
  view.get('b', true);
  expect(base.reads).toBe(4);
  expect(view.range({ prefix: 'p', limit: 1 })).toEqual([{ key: 'p', value: value(1) }]);
});

it('has what changed, as a value of its own, and nothing that was deleted', () => {
  const entries = new Map([
    ['a', value(1)],
    ['b', value(2)],
  ]);
  const base = baseOf(entries);
  const view = new RememberedView(base);
  view.get('a', true);
  view.get('b', true);
  const large = value(7, 1_000);
  entries.set('a', value(7)).delete('b');
  view.changed(
    new Map([
      ['a', large.subarray(3, 4)],
      ['b', null],
      ['c', value(9)],
    ]),
  );
  expect(view.get('a', true)).toEqual(value(7));
  expect(view.get('a', true)?.buffer.byteLength).toBe(1);
  expect(view.get('b', true)).toBeUndefined();
  expect(view.get('c', true)).toBeUndefined();
});

it('forgets what it has had for longest when there is too much', () => {
  const entries = new Map(Array.from({ length: 10 }, (_, n) => [`k${n}`, value(n, 100)] as const));
  const base = baseOf(entries);
  const view = new RememberedView(base, 3 * 302);
  for (const n of [0, 1, 2, 3]) view.get(`k${n}`, true);
  view.changed(new Map([['k1', value(8, 100)]]));
  base.reads = 0;
  for (const n of [1, 2, 3]) view.get(`k${n}`, true);
  expect(base.reads).toBe(0);
  view.get('k0', true);
  expect(base.reads).toBe(1);
  view.get('k9', true);
  view.get('k2', true);
  expect(base.reads).toBe(3);
});
