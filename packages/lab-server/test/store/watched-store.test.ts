import { expect, it } from 'vitest';
import type { LabStore, ReadView, WriteView } from '../../src/store/lab-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { watchedStore } from '../../src/store/watched-store.ts';

const ONE = Uint8Array.of(1);

it('hands on what is read often, and what is given away, in reading and in transactions', async () => {
  const asked: (boolean | undefined)[] = [];
  const given: (boolean | undefined)[] = [];
  const view: WriteView = {
    get(_key, often) {
      asked.push(often);
      return ONE;
    },
    range: () => [],
    put: (_key, _value, isGiven) => void given.push(isGiven),
    delete() {},
  };
  const store = watchedStore({
    read: (fn) => fn(view),
    transaction: async (fn) => fn(view),
    close: async () => {},
  } satisfies LabStore);
  const read = (tx: ReadView): void => {
    tx.get('a', true);
    tx.get('a');
  };
  store.read(read);
  await store.transaction(read);
  await store.transaction((tx) => {
    tx.put('a', ONE, true);
    tx.put('a', ONE);
  });
  expect([asked, given]).toEqual([
    [true, undefined, true, undefined],
    [true, undefined],
  ]);
});

it('tells of what was put under a prefix when it is durable, and of no refused or deleted thing', async () => {
  const memory = new MemoryStore();
  const store = watchedStore(memory);
  const told: string[] = [];
  let commits = 0;
  store.onWrite('out/', (rest) => told.push(rest));
  const end = store.onCommit(() => {
    commits += 1;
  });
  const release = memory.hold();
  const kept = store.transaction((tx) => {
    tx.put('out/1', ONE);
    tx.put('other/2', ONE);
    tx.put('out/3', ONE);
    tx.delete('out/4');
    return tx.range({ prefix: 'out/', limit: 9 }).length;
  });
  const refused = store.transaction((tx) => {
    tx.put('out/5', ONE);
    throw new Error('no');
  });
  expect([told, commits]).toEqual([[], 0]);
  release();
  expect(await kept).toBe(2);
  await expect(refused).rejects.toThrow('no');
  expect([told, commits]).toEqual([['1', '3'], 1]);
  end();
  await store.transaction(() => undefined);
  expect(commits).toBe(1);
});
