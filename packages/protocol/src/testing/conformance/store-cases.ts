import { utf8 } from '../../bytes/bytes.ts';
import type { Store } from '../../ports/store.ts';
import { type ConformanceCase, check, checkBytes } from './conformance-case.ts';

/** How a suite gets at a store. Each case needs a fresh subject with nothing stored. */
export interface StoreSubject {
  /** A store over the durable data of this subject; closes the one that was opened before, as a restart would. */
  open(): Promise<Store>;
}

async function stored(store: Store, key: string): Promise<Uint8Array> {
  const value = await store.get(key);
  check(value !== undefined, `${key} is not stored`);
  return value;
}

/**
 * What every `Store` must do.
 *
 * @example
 * for (const { name, run } of storeCases) it(name, () => run(subjectIn(newFolder())))
 */
export const storeCases: readonly ConformanceCase<StoreSubject>[] = [
  {
    name: 'knows nothing at first',
    async run(subject) {
      const store = await subject.open();
      check((await store.get('absent')) === undefined, 'absent key has a value');
    },
  },
  {
    name: 'keeps what was committed, over a restart',
    async run(subject) {
      const store = await subject.open();
      await store.commit([{ key: 'a', value: utf8('one') }]);
      checkBytes(await stored(store, 'a'), utf8('one'), 'before the restart');
      checkBytes(await stored(await subject.open(), 'a'), utf8('one'), 'after the restart');
    },
  },
  {
    name: 'applies the writes of a commit in order, all of them',
    async run(subject) {
      const store = await subject.open();
      await store.commit([
        { key: 'a', value: utf8('first') },
        { key: 'b', value: utf8('kept') },
        { key: 'a', value: utf8('second') },
        { key: 'c', value: utf8('gone') },
        { key: 'c', value: null },
      ]);
      const restarted = await subject.open();
      checkBytes(await stored(restarted, 'a'), utf8('second'), 'last write of a key');
      checkBytes(await stored(restarted, 'b'), utf8('kept'), 'other key');
      check((await restarted.get('c')) === undefined, 'a deleted key has a value');
    },
  },
  {
    name: 'deletes for good, and deletes what is not there without an error',
    async run(subject) {
      const store = await subject.open();
      await store.commit([{ key: 'a', value: utf8('one') }]);
      await store.commit([
        { key: 'a', value: null },
        { key: 'never', value: null },
      ]);
      check((await store.get('a')) === undefined, 'deleted key has a value');
      check((await (await subject.open()).get('a')) === undefined, 'deleted key is back after a restart');
    },
  },
  {
    name: 'an empty value is a value; an empty commit is a commit',
    async run(subject) {
      const store = await subject.open();
      await store.commit([]);
      await store.commit([{ key: 'empty', value: new Uint8Array(0) }]);
      checkBytes(await stored(await subject.open(), 'empty'), new Uint8Array(0), 'empty value');
    },
  },
  {
    name: 'shares no memory with its callers',
    async run(subject) {
      const store = await subject.open();
      const value = utf8('original');
      await store.commit([{ key: 'a', value }]);
      value.fill(0);
      checkBytes(await stored(store, 'a'), utf8('original'), 'the caller changed what it gave');
      (await stored(store, 'a')).fill(0);
      checkBytes(await stored(store, 'a'), utf8('original'), 'the caller changed what it got');
    },
  },
  {
    name: 'tells keys apart that a file system would not',
    async run(subject) {
      const keys = ['a', 'A', 'a/b', 'a\\b', '../a', '.', 'key with spaces', 'schlüssel', 'a\u0000b', 'x'.repeat(200)];
      const store = await subject.open();
      await store.commit(keys.map((key, index) => ({ key, value: Uint8Array.of(index) })));
      const restarted = await subject.open();
      for (const [index, key] of keys.entries()) checkBytes(await stored(restarted, key), Uint8Array.of(index), JSON.stringify(key));
    },
  },
  {
    name: 'keeps the order of commits that overlap',
    async run(subject) {
      const store = await subject.open();
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.commit([{ key: 'last', value: Uint8Array.of(index) }])));
      checkBytes(await stored(store, 'last'), Uint8Array.of(49), 'last commit wins');
      checkBytes(await stored(await subject.open(), 'last'), Uint8Array.of(49), 'also after a restart');
    },
  },
  {
    name: 'takes values of 256 KiB',
    async run(subject) {
      const large = new Uint8Array(262_144).fill(0x5a);
      await (await subject.open()).commit([{ key: 'large', value: large }]);
      checkBytes(await stored(await subject.open(), 'large'), large, 'large value');
    },
  },
];
