import { sameBytes, utf8 } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { MAX_REMEMBERED_BYTES, MAX_REMEMBERED_CONTENT_BYTES } from '../../src/container/limits.ts';
import { type Place, RememberedContents } from '../../src/container/remembered.ts';
import { createContainer, openContainer, testDevice } from '../support/device.ts';

const content = (lengthBytes: number, byte = 1) => new Uint8Array(lengthBytes).fill(byte);

describe('contents that are remembered', () => {
  it('take memory only once there are some', () => {
    const before = process.memoryUsage().arrayBuffers;
    const many = Array.from({ length: 500 }, () => new RememberedContents());
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    for (const contents of many) expect(contents.read(contents.add(content(100, 7)))).toEqual(content(100, 7));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
  });

  it('are bounded, and the longest unused go first', () => {
    const contents = new RememberedContents();
    const first = contents.add(content(10_000, 7));
    const second = contents.add(content(10_000, 8));
    const fitting = Math.floor(MAX_REMEMBERED_BYTES / 10_000);
    for (let n = 2; n < fitting; n++) contents.add(content(10_000));
    // Used when the ring has gone more than half round: it is kept, and the room for it is that of the oldest.
    expect(contents.read(first)).toEqual(content(10_000, 7));
    contents.add(content(10_000));
    expect(contents.read(second)).toBeUndefined();
    for (let n = 0; n < fitting / 2; n++) contents.add(content(10_000));
    expect(contents.read(first)).toEqual(content(10_000, 7));
    for (let n = 0; n < fitting; n++) contents.add(content(10_000));
    expect(contents.read(first)).toBeUndefined();
  });

  it('are each what was put in, whatever their lengths, until they are overwritten', () => {
    const contents = new RememberedContents();
    const places: { readonly place: Place | undefined; readonly lengthBytes: number; readonly byte: number }[] = [];
    let found = 0;
    for (let n = 0; n < 3_000; n++) {
      const lengthBytes = (n * 7_919) % 20_000;
      places.push({ place: contents.add(content(lengthBytes, n % 251)), lengthBytes, byte: n % 251 });
      const earlier = places[((n * 7_919) % 104_729) % places.length] as (typeof places)[number];
      const read = contents.read(earlier.place);
      if (read === undefined) continue;
      found += 1;
      expect(sameBytes(read, content(earlier.lengthBytes, earlier.byte))).toBe(true);
    }
    expect(found).toBeGreaterThan(300);
    expect(found).toBeLessThan(3_000);
  });

  it('are not the long ones', () => {
    const contents = new RememberedContents();
    expect(contents.read(contents.add(content(MAX_REMEMBERED_CONTENT_BYTES)))?.length).toBe(MAX_REMEMBERED_CONTENT_BYTES);
    expect(contents.add(content(MAX_REMEMBERED_CONTENT_BYTES + 1))).toBeUndefined();
  });

  it('are zeros when they are forgotten, and no others are', () => {
    const contents = new RememberedContents();
    const [first, second] = [contents.add(content(9, 7)), contents.add(content(9, 8))];
    contents.forget(first);
    expect(contents.read(first)).toEqual(content(9, 0));
    expect(contents.read(second)).toEqual(content(9, 8));
    contents.wipe();
    expect(contents.read(second)).toBeUndefined();
  });
});

describe('records that are remembered', () => {
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
