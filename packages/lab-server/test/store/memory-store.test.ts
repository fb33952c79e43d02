import { describe, expect, it } from 'vitest';
import { MAX_WAITING_TRANSACTIONS } from '../../src/store/group-commit.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const one = Uint8Array.of(1);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('faults of the memory store', () => {
  it.each(['disk-full', 'read-only'] as const)('writes nothing and says so: %s', async (fault) => {
    const store = new MemoryStore();
    await store.transaction((tx) => tx.put('before', one));
    store.fault = fault;
    const [a, b, reader] = await Promise.allSettled([
      store.transaction((tx) => tx.put('a', one)),
      store.transaction((tx) => tx.put('b', one)),
      store.transaction((tx) => tx.get('a')),
    ]);
    expect(a).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_WRITE', details: { reason: fault } } });
    expect(b).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_WRITE' } });
    // It saw a write that never became durable, so its result must not be used either.
    expect(reader).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_WRITE' } });
    expect(store.read((view) => view.range({ prefix: '', limit: 9 }).map((entry) => entry.key))).toEqual(['before']);
    store.fault = undefined;
    await store.transaction((tx) => tx.put('after', one));
    expect(store.read((view) => view.get('after'))).toEqual(one);
  });

  it('does not need the disk for a transaction that writes nothing', async () => {
    const store = new MemoryStore();
    store.fault = 'disk-full';
    expect(await store.transaction((tx) => tx.get('a'))).toBeUndefined();
    expect(store.commits).toBe(0);
  });

  it('holds commits back until it is released', async () => {
    const store = new MemoryStore();
    const release = store.hold();
    let settled = false;
    const running = store
      .transaction((tx) => tx.put('a', one))
      .then(() => {
        settled = true;
      });
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    expect(store.snapshot().read((view) => view.get('a'))).toBeUndefined();
    release();
    await running;
    expect(store.snapshot().read((view) => view.get('a'))).toEqual(one);
  });

  it('shares one commit among transactions that come together', async () => {
    const store = new MemoryStore();
    await Promise.all(Array.from({ length: 200 }, (_, index) => store.transaction((tx) => tx.put(`k${index}`, one))));
    expect(store.commits).toBe(1);
  });

  it('runs the next transactions while a commit is held, on top of it, and tells their results after their own commit', async () => {
    const store = new MemoryStore();
    const release = store.hold();
    const settled: string[] = [];
    const first = store.transaction((tx) => tx.put('a', one)).then(() => settled.push('first'));
    await nextTurn();
    let seen: Uint8Array | undefined;
    const second = store
      .transaction((tx) => {
        seen = tx.get('a');
        tx.put('b', one);
      })
      .then(() => settled.push('second'));
    await nextTurn();
    expect(seen).toEqual(one);
    expect(settled).toEqual([]);
    expect(store.read((view) => view.get('a'))).toBeUndefined();
    release();
    await first;
    await second;
    expect(settled).toEqual(['first', 'second']);
    expect(store.commits).toBe(2);
    expect(store.read((view) => view.range({ prefix: '', limit: 9 }).map((entry) => entry.key))).toEqual(['a', 'b']);
  });

  it('takes along what stands on a commit that fails, refusals too, and goes on from the committed state', async () => {
    const store = new MemoryStore();
    const release = store.hold();
    const first = store.transaction((tx) => tx.put('a', one));
    await nextTurn();
    const second = store.transaction((tx) => tx.put('b', one));
    const refused = store.transaction((tx) => {
      if (tx.get('a') !== undefined) throw new Error('there is one already');
    });
    await nextTurn();
    store.fault = 'disk-full';
    release();
    // The disk has room again before another commit could begin: what stood on the first one fails all the same.
    const releaseNext = store.hold();
    const settled = Promise.allSettled([first, second, refused]);
    await expect(first).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    store.fault = undefined;
    releaseNext();
    for (const result of await settled) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_WRITE' } });
    expect(await store.transaction((tx) => tx.range({ prefix: '', limit: 9 }))).toEqual([]);
    await store.transaction((tx) => tx.put('c', one));
    expect(store.read((view) => view.range({ prefix: '', limit: 9 }).map((entry) => entry.key))).toEqual(['c']);
  });

  it('refuses transactions when too many wait', async () => {
    const store = new MemoryStore();
    const release = store.hold();
    const running = Array.from({ length: MAX_WAITING_TRANSACTIONS }, () => store.transaction((tx) => tx.put('a', one)));
    await expect(store.transaction((tx) => tx.put('b', one))).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    release();
    await Promise.all(running);
    await store.transaction((tx) => tx.put('b', one));
  });
});
