import { expect, it } from 'vitest';
import { type Table, table } from '../../src/state/table.ts';
import type { ReadView } from '../../src/store/lab-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

interface Counter {
  readonly last: number;
}

const counters: Table<Counter> = table('counter', { read: 'lastOne' });
const read = (view: ReadView, id = 'this'): Counter | undefined => counters.get(view, id);

it('gives the record that was written last without decoding it', async () => {
  const store = new MemoryStore();
  const record = { last: 1 };
  await store.transaction((tx) => {
    counters.put(tx, 'this', record);
    expect(read(tx)).toBe(record);
    expect(read(tx, 'other')).toBeUndefined();
  });
  expect(store.read(read)).toEqual(record);
});

it('does not give what was taken back, nor what another store has', async () => {
  const [store, other] = [new MemoryStore(), new MemoryStore()];
  await store.transaction((tx) => counters.put(tx, 'this', { last: 1 }));
  await other.transaction((tx) => counters.put(tx, 'this', { last: 7 }));
  const refused = store.transaction((tx) => {
    counters.put(tx, 'this', { last: 2 });
    throw new Error('no');
  });
  await expect(refused).rejects.toThrow('no');
  expect([store.read(read), other.read(read)]).toEqual([{ last: 1 }, { last: 7 }]);
});
