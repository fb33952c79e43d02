import { utf8 } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { MAX_REMEMBERED_BYTES, MAX_REMEMBERED_CONTENT_BYTES } from '../../src/container/limits.ts';
import { RememberedRecords } from '../../src/container/remembered.ts';
import { createContainer, openContainer, testDevice } from '../support/device.ts';

const record = (lengthBytes: number, mark = 1) => ({ version: new Uint8Array(8), content: new Uint8Array(lengthBytes).fill(mark) });

describe('records that are remembered', () => {
  it('are bounded, and the longest unused go first, wiped', () => {
    const remembered = new RememberedRecords();
    const first = record(10_000);
    remembered.set('v', 'first', first);
    remembered.set('v', 'second', record(10_000));
    const fitting = Math.floor(MAX_REMEMBERED_BYTES / 10_256);
    for (let n = 2; n < fitting; n++) remembered.set('v', `n${n}`, record(10_000));
    expect(remembered.get('v', 'first')?.content).toBe(first.content);
    remembered.set('v', 'one more', record(10_000));
    expect(remembered.get('v', 'second')).toBeUndefined();
    expect(remembered.get('v', 'first')).toBeDefined();
    for (let n = 0; n < fitting; n++) remembered.set('v', `m${n}`, record(10_000));
    expect(remembered.get('v', 'first')).toBeUndefined();
    expect(first.content.every((byte) => byte === 0)).toBe(true);
  });

  it('are not the long ones, and one space is not another', () => {
    const remembered = new RememberedRecords();
    remembered.set('v', 'a', record(MAX_REMEMBERED_CONTENT_BYTES));
    expect(remembered.get('f', 'a')).toBeUndefined();
    expect(remembered.get('v', 'a')).toBeDefined();
    remembered.set('v', 'a', record(MAX_REMEMBERED_CONTENT_BYTES + 1));
    expect(remembered.get('v', 'a')).toBeUndefined();
  });

  it('are the ones that were committed, also when a commit comes in the middle of a read', async () => {
    const device = testDevice();
    const first = await createContainer(device.vault);
    await first.values.put('a', utf8('old'));
    await first.values.put('b', utf8('opens the bucket of others'));
    await first.close();
    const again = device.restart();
    const { values } = await openContainer(again.vault);
    const { get } = again.storage;
    let meanwhile: (() => Promise<void>) | undefined = async () => {
      meanwhile = undefined;
      await values.put('a', utf8('new'));
    };
    // The row is read before the commit, and handed on after it. The bucket is compared first, which reads it once.
    let reads = 0;
    again.storage.get = async (key) => {
      const value = await get(key);
      if (key.startsWith('v') && ++reads === 2) await meanwhile?.();
      return value;
    };
    await values.get('a');
    expect(reads).toBeGreaterThanOrEqual(2);
    expect(await values.get('a')).toEqual(utf8('new'));
  });

  it('are not those of a commit that failed', async () => {
    const device = testDevice();
    const { values } = await createContainer(device.vault);
    await values.put('a', utf8('old'));
    device.storage.failCommits(new Error('disk full'));
    await expect(values.put('a', utf8('new'))).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    await expect(values.delete('a')).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    expect(await values.get('a')).toEqual(utf8('old'));
  });

  it('are read without the storage', async () => {
    const device = testDevice();
    const { values } = await createContainer(device.vault);
    await values.put('a', utf8('value'));
    device.storage.get = () => Promise.reject(new Error('not needed'));
    const read = (await values.get('a')) as Uint8Array;
    read.fill(0);
    expect(await values.get('a')).toEqual(utf8('value'));
  });
});
