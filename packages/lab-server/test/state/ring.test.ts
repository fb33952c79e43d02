import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ring } from '../../src/state/ring.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const MOST = 5;
const numbers = ring<{ readonly n: number }>('number', MOST);
const filled = async (newest: number): Promise<MemoryStore> => {
  const store = new MemoryStore();
  await store.transaction((tx) => {
    for (let n = 1; n <= newest; n++) numbers.put(tx, n, { n });
  });
  return store;
};

it('lists the newest records in order, from any of them on, wherever the ring begins', async () => {
  const where = fc.nat({ max: 3 * MOST }).chain((newest) => fc.tuple(fc.constant(newest), fc.integer({ min: Math.max(0, newest - MOST), max: newest })));
  await fc.assert(
    fc.asyncProperty(where, fc.integer({ min: 1, max: MOST + 1 }), async ([newest, after], limit) => {
      const store = await filled(newest);
      const wanted = Array.from({ length: newest - after }, (_, index) => after + 1 + index).slice(0, limit);
      expect(store.read((view) => numbers.list(view, { after, newest, limit })).map(({ n }) => n)).toEqual(wanted);
      for (const n of wanted) expect(store.read((view) => numbers.get(view, n))).toEqual({ n });
    }),
  );
});

it('has no more rows than it keeps records', async () => {
  const store = await filled(3 * MOST);
  expect(store.read((view) => view.range({ prefix: '', limit: 100 }))).toHaveLength(MOST);
});
