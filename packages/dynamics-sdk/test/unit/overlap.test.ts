import { utf8 } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES, MAX_REMEMBERED_NAMES } from '../../src/container/limits.ts';
import { collect, createContainer, openContainer, testDevice } from '../support/device.ts';
import type { MemoryStorage } from '../support/memory-storage.ts';

/** Holds commits back: `begun` resolves when the next is on its way, `go` lets it, and all after it, through. */
function held(storage: MemoryStorage): { readonly begun: Promise<void>; go(): void } {
  let go: () => void = () => {};
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  storage.beforeCommit = () => {
    begin();
    return gate;
  };
  return { begun, go };
}

const chunks = ({ rows }: MemoryStorage): number => [...rows.keys()].filter((key) => key.startsWith('c')).length;

describe('commits that come while another is on its way to the disk', () => {
  it('stand on it: values, deletions and files are those of the last', async () => {
    const device = testDevice();
    const { values, files } = await createContainer(device.vault);
    await values.put('a', utf8('0'));
    await values.put('b', utf8('0'));
    await files.write('f', utf8('0'));
    const { begun, go } = held(device.storage);
    const first = [values.put('a', utf8('1')), values.delete('b'), files.write('f', utf8('1'))];
    await begun;
    const second = [values.put('a', utf8('2')), values.put('b', utf8('2')), files.write('f', utf8('2')), values.put('c', utf8('2'))];
    expect(await values.get('a')).toEqual(utf8('0'));
    go();
    await Promise.all([...first, ...second]);
    expect(chunks(device.storage)).toBe(1);
    // A wrong ledger would refuse all of it.
    const again = await openContainer(device.restart().vault);
    for (const name of ['a', 'b', 'c']) expect(await again.values.get(name)).toEqual(utf8('2'));
    expect((await collect(again.files.read('f')))[0]).toEqual(utf8('2'));
    expect((await collect(again.values.names())).sort()).toEqual(['a', 'b', 'c']);
  });

  it('fail with it when it cannot be written, and the disk has room again for them', async () => {
    const device = testDevice();
    const { values } = await createContainer(device.vault);
    await values.put('a', utf8('0'));
    await values.put('b', utf8('0'));
    const { begun, go } = held(device.storage);
    const first = values.put('a', utf8('1'));
    await begun;
    const second = values.put('b', utf8('1'));
    const third = values.put('unknown', utf8('1'));
    device.storage.failCommits(new Error('disk full'));
    const failed = expect(first).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    void first.catch(() => device.storage.failCommits(undefined));
    go();
    await failed;
    await expect(second).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    // It had to read, so it was not sealed on top of the one that failed.
    await third;
    expect(await values.get('b')).toEqual(utf8('0'));
    await values.put('b', utf8('2'));
    const again = await openContainer(device.restart().vault);
    expect(await again.values.get('a')).toEqual(utf8('0'));
    expect(await again.values.get('b')).toEqual(utf8('2'));
    expect((await collect(again.values.names())).sort()).toEqual(['a', 'b', 'unknown']);
  });

  it('have the bytes that they were called with', async () => {
    const device = testDevice();
    const { values } = await createContainer(device.vault);
    await values.put('known', utf8('0'));
    const bytes = utf8('at the call');
    const both = [values.put('known', bytes), values.put('has to be read', bytes), values.put('known', bytes)];
    bytes.fill(0);
    await Promise.all(both);
    for (const name of ['known', 'has to be read']) expect(await values.get(name)).toEqual(utf8('at the call'));
  });

  it('do not keep a reader from its turn, however many come', async () => {
    const device = testDevice();
    const first = await createContainer(device.vault);
    await first.values.put('read', utf8('value'));
    await first.close();
    const { values } = await openContainer(device.restart().vault);
    await values.put('written', utf8('0'));
    let stopped = false;
    let puts = 0;
    const lane = async (): Promise<void> => {
      while (!stopped && puts < 20_000) {
        puts += 1;
        await values.put('written', utf8('1'));
      }
    };
    const lanes = [lane(), lane()];
    expect(await values.get('read')).toEqual(utf8('value'));
    stopped = true;
    await Promise.all(lanes);
    expect(puts).toBeLessThan(200);
  });

  it('leave a file to who begins to read it at the same time', async () => {
    const device = testDevice();
    const { files } = await createContainer(device.vault);
    const [old, next] = [new Uint8Array(2 * CHUNK_BYTES).fill(1), new Uint8Array(2 * CHUNK_BYTES).fill(2)];
    for (const order of ['read first', 'write first']) {
      await files.write('f', old);
      const parts = files.read('f');
      const writing = order === 'write first' ? files.write('f', next) : undefined;
      const begun = parts.next();
      await (writing ?? files.write('f', next));
      const begins = (await begun).value as Uint8Array;
      const rest = await collect(parts);
      expect(rest[0]?.[0]).toBe(begins[0]);
    }
    expect(chunks(device.storage)).toBe(2);
  });

  it('are noted also where their names were forgotten meanwhile', async () => {
    const device = testDevice();
    const { values } = await createContainer(device.vault);
    await values.put('a', utf8('0'));
    // Compares all buckets, so nobody waits for a turn below.
    await collect(values.names());
    const { begun, go } = held(device.storage);
    const writing = values.put('a', utf8('1'));
    await begun;
    for (let n = 0; n <= MAX_REMEMBERED_NAMES; n++) await values.get(`nothing ${n}`);
    expect(await values.get('a')).toEqual(utf8('0'));
    go();
    await writing;
    expect(await values.get('a')).toEqual(utf8('1'));
    await values.put('a', utf8('2'));
    const again = await openContainer(device.restart().vault);
    expect(await again.values.get('a')).toEqual(utf8('2'));
  });
});
