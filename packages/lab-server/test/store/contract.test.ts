import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProtocolError } from '@uemkit/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type LabStore, MAX_KEY_BYTES, MAX_RANGE_ENTRIES, type ReadView, type WriteView } from '../../src/store/lab-store.ts';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const folders: string[] = [];
const stores: LabStore[] = [];
const subjects: Readonly<Record<string, () => LabStore>> = {
  memory: () => new MemoryStore(),
  lmdb: () => openLmdbStore({ directory: newFolder() }),
  'lmdb, its log carried over all the time': () => openLmdbStore({ directory: newFolder(), log: { carryBytes: 1, stepWrites: 2 } }),
};

function newFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'uemkit-store-'));
  folders.push(directory);
  return directory;
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error) => (isProtocolError(error) ? error.code : String(error)),
  );
const codeOfCall = (fn: () => unknown): string => {
  try {
    fn();
    return 'returned';
  } catch (error) {
    return isProtocolError(error) ? error.code : String(error);
  }
};

describe.each(Object.keys(subjects))('store contract: %s', (name) => {
  const open = (): LabStore => {
    const store = (subjects[name] as () => LabStore)();
    stores.push(store);
    return store;
  };

  it('shows what a transaction wrote, also after later ones', async () => {
    const store = open();
    expect(await store.transaction((tx) => tx.put('a', bytes(1, 2)) ?? 'result')).toBe('result');
    await store.transaction((tx) => tx.put('b', bytes()));
    expect(store.read((view) => [view.get('a'), view.get('b'), view.get('c')])).toEqual([bytes(1, 2), bytes(), undefined]);
  });

  it('shows its own writes to a transaction, and what the ones before it wrote', async () => {
    const store = open();
    const seen = await Promise.all(
      [0, 1, 2].map(() =>
        store.transaction((tx) => {
          const before = tx.get('n')?.[0] ?? 0;
          tx.put('n', bytes(before + 1));
          return [before, tx.get('n')?.[0], tx.range({ prefix: 'n', limit: 9 }).map((entry) => entry.value[0])];
        }),
      ),
    );
    expect(seen).toEqual([
      [0, 1, [1]],
      [1, 2, [2]],
      [2, 3, [3]],
    ]);
  });

  it('takes back what a function that throws has changed of the ones before it, which share its commit', async () => {
    const store = open();
    await store.transaction((tx) => tx.put('kept', bytes(8)));
    const first = store.transaction((tx) => {
      tx.put('a', bytes(1));
      tx.delete('kept');
    });
    const second = store.transaction((tx) => {
      tx.put('a', bytes(2));
      tx.put('a', bytes(3));
      tx.put('kept', bytes(9));
      tx.delete('a');
      tx.put('b', bytes(4));
      throw new Error('no');
    });
    const third = store.transaction((tx) => ['a', 'kept', 'b'].map((key) => tx.get(key)));
    await expect(second).rejects.toThrow('no');
    await first;
    expect(await third).toEqual([bytes(1), undefined, undefined]);
    expect(store.read((view) => view.range({ prefix: '', limit: 9 }).map(({ key }) => key))).toEqual(['a']);
  });

  it('lists what stood there before a function that throws had changed it', async () => {
    const store = open();
    await store.transaction((tx) => tx.put('b', bytes(1)));
    const listed = (view: ReadView): unknown => view.range({ prefix: '', limit: 9 }).map(({ key, value }) => [key, value[0]]);
    const failing = store.transaction((tx) => {
      for (const key of ['a', 'b', 'c']) tx.put(key, bytes(7));
      expect(listed(tx)).toEqual(['a', 'b', 'c'].map((key) => [key, 7]));
      throw new Error('no');
    });
    const next = store.transaction((tx) => {
      tx.put('d', bytes(2));
      return listed(tx);
    });
    await expect(failing).rejects.toThrow('no');
    expect(await next).toEqual([
      ['b', 1],
      ['d', 2],
    ]);
  });

  it('takes no writes of a transaction that is over', async () => {
    const store = open();
    const kept = await store.transaction((tx) => ({ tx }));
    const wrong = expect.objectContaining({ code: 'ERR_USAGE_STATE' });
    await store.transaction(() => {
      expect(() => kept.tx.put('a', bytes(1))).toThrow(wrong);
      expect(() => kept.tx.delete('a')).toThrow(wrong);
    });
    expect(store.read((view) => view.get('a'))).toBeUndefined();
  });

  it('writes nothing of a function that throws, and passes its error on', async () => {
    const store = open();
    await store.transaction((tx) => tx.put('kept', bytes(1)));
    const failing = store.transaction((tx) => {
      tx.put('lost', bytes(1));
      tx.delete('kept');
      throw new RangeError('mine');
    });
    const other = store.transaction((tx) => tx.get('lost'));
    await expect(failing).rejects.toThrow(new RangeError('mine'));
    expect(await other).toBeUndefined();
    expect(store.read((view) => [view.get('lost'), view.get('kept')])).toEqual([undefined, bytes(1)]);
  });

  it('does not show writes to readers before they are committed', async () => {
    const store = open();
    const running = store.transaction((tx) => tx.put('a', bytes(1)));
    expect(store.read((view) => view.get('a'))).toBeUndefined();
    await running;
    expect(store.read((view) => view.get('a'))).toEqual(bytes(1));
  });

  it('deletes, and lets a deleted key be written again', async () => {
    const store = open();
    await store.transaction((tx) => tx.put('a', bytes(1)));
    await store.transaction((tx) => {
      tx.delete('a');
      tx.delete('never');
      expect(tx.get('a')).toBeUndefined();
    });
    expect(store.read((view) => view.get('a'))).toBeUndefined();
    await store.transaction((tx) => tx.put('a', bytes(2)));
    expect(store.read((view) => view.get('a'))).toEqual(bytes(2));
  });

  it('keeps values apart from the arrays that were given', async () => {
    const store = open();
    const value = bytes(1, 2, 3);
    await store.transaction((tx) => tx.put('a', value));
    value.fill(9);
    expect(store.read((view) => view.get('a'))).toEqual(bytes(1, 2, 3));
    expect(store.read((view) => Object.getPrototypeOf(view.get('a')) === Uint8Array.prototype)).toBe(true);
  });

  it('answers ranges as a sorted list would, over any mix of committed and own writes', async () => {
    const key = fc.stringMatching(/^[ab/~!]{1,3}$/);
    const write = fc.record({ key, value: fc.option(fc.nat(255), { nil: null }) });
    const query = fc.record({
      prefix: fc.stringMatching(/^[ab/~!]{0,2}$/),
      after: fc.option(key, { nil: undefined }),
      limit: fc.integer({ min: 1, max: 5 }),
      reverse: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 12 }),
        fc.array(write, { maxLength: 6 }),
        fc.array(query, { minLength: 1, maxLength: 5 }),
        async (first, second, queries) => {
          const store = open();
          const model = new Map<string, number>();
          const put =
            (writes: typeof first): ((tx: WriteView) => void) =>
            (tx) => {
              for (const { key: at, value } of writes) {
                if (value === null) tx.delete(at);
                else tx.put(at, bytes(value));
                if (value === null) model.delete(at);
                else model.set(at, value);
              }
            };
          const expected = (): unknown[] =>
            queries.map(({ prefix, after, limit, reverse }) => {
              const keys = [...model.keys()].filter((at) => at.startsWith(prefix)).sort();
              if (reverse) keys.reverse();
              return keys
                .filter((at) => after === undefined || (reverse ? at < after : at > after))
                .slice(0, limit)
                .map((at) => [at, model.get(at)]);
            });
          const actual = (view: ReadView): unknown[] => queries.map((asked) => view.range(asked).map((entry) => [entry.key, entry.value[0]]));
          await store.transaction(put(first));
          expect(store.read(actual)).toEqual(expected());
          await store.transaction((tx) => {
            put(second)(tx);
            expect(actual(tx)).toEqual(expected());
          });
          expect(store.read(actual)).toEqual(expected());
        },
      ),
      { numRuns: name === 'memory' ? 300 : 15 },
    );
  });

  it('takes long keys and refuses ones that stores would order differently', async () => {
    const store = open();
    const long = 'k'.repeat(MAX_KEY_BYTES);
    await store.transaction((tx) => tx.put(long, bytes(7)));
    expect(store.read((view) => view.get(long))).toEqual(bytes(7));
    for (const key of ['', `${long}k`, 'ä', 'a b', 'a\n']) {
      expect(await codeOf(store.transaction((tx) => tx.put(key, bytes())))).toBe('ERR_USAGE_ARGUMENT');
      expect(await codeOf(store.transaction((tx) => tx.delete(key)))).toBe('ERR_USAGE_ARGUMENT');
    }
    for (const limit of [0, -1, 1.5, MAX_RANGE_ENTRIES + 1]) {
      expect(codeOfCall(() => store.read((view) => view.range({ prefix: 'a', limit })))).toBe('ERR_USAGE_ARGUMENT');
    }
  });

  it('refuses functions that are not synchronous or call the store', async () => {
    const store = open();
    expect(await codeOf(store.transaction(async (tx) => tx.put('a', bytes(1))))).toBe('ERR_USAGE_ARGUMENT');
    expect(store.read((view) => view.get('a'))).toBeUndefined();
    expect(await codeOf(store.transaction(() => store.read((view) => view.get('a'))))).toBe('ERR_USAGE_STATE');
    expect(codeOfCall(() => store.read(() => store.read((view) => view.get('a'))))).toBe('ERR_USAGE_STATE');
  });

  it('runs each of many concurrent transactions once', async () => {
    const store = open();
    const numberOf = (value: Uint8Array | undefined): number => (value === undefined ? 0 : (value[0] as number) * 256 + (value[1] as number));
    await Promise.all(
      Array.from({ length: 1_000 }, () =>
        store.transaction((tx) => {
          const next = numberOf(tx.get('n')) + 1;
          tx.put('n', bytes(next >> 8, next & 255));
        }),
      ),
    );
    expect(store.read((view) => numberOf(view.get('n')))).toBe(1_000);
  });

  it('waits for running transactions when it closes, then refuses calls', async () => {
    const store = open();
    const running = store.transaction((tx) => tx.put('a', bytes(1)) ?? 'done');
    await store.close();
    expect(await running).toBe('done');
    await store.close();
    expect(await codeOf(store.transaction(() => 1))).toBe('ERR_USAGE_STATE');
    expect(codeOfCall(() => store.read(() => 1))).toBe('ERR_USAGE_STATE');
  });
});
