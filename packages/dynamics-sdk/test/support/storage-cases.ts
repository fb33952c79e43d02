import { storeCases } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { MAX_ROW_BYTES } from '../../src/container/limits.ts';
import type { ContainerStorage } from '../../src/index.ts';

/** What every storage of a container must do. `open` closes what it opened before, as a restart would. */
export function storageCases(makeSubject: () => { open(): Promise<ContainerStorage> }): void {
  for (const { name, run } of storeCases) it(name, () => run(makeSubject()));

  it('lists keys in order, by prefix, page by page', async () => {
    const storage = await makeSubject().open();
    expect(await storage.keys({ prefix: '', limit: 10 })).toEqual([]);
    const keys = ['a', 'b', 'b0', 'b00', 'b1', 'bz', 'c', 'k/password'];
    await storage.commit([...keys].reverse().map((key) => ({ key, value: new Uint8Array(0) })));
    expect(await storage.keys({ prefix: '', limit: 100 })).toEqual(keys);
    expect(await storage.keys({ prefix: 'b', limit: 100 })).toEqual(['b', 'b0', 'b00', 'b1', 'bz']);
    expect(await storage.keys({ prefix: 'b', limit: 2 })).toEqual(['b', 'b0']);
    expect(await storage.keys({ prefix: 'b', after: 'b0', limit: 2 })).toEqual(['b00', 'b1']);
    expect(await storage.keys({ prefix: 'b', after: 'bz', limit: 2 })).toEqual([]);
    expect(await storage.keys({ prefix: 'x', limit: 2 })).toEqual([]);
  });

  it('takes rows of the longest kind', async () => {
    const storage = await makeSubject().open();
    await storage.commit([{ key: 'a', value: new Uint8Array(MAX_ROW_BYTES).fill(7) }]);
    expect((await storage.get('a'))?.length).toBe(MAX_ROW_BYTES);
  });

  it('fails with typed errors once it is closed', async () => {
    const storage = await makeSubject().open();
    await storage.close();
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await expect(storage.keys({ prefix: '', limit: 1 })).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await expect(storage.commit([{ key: 'a', value: null }])).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    await storage.close();
  });

  it('destroys everything, open or not, and a second time without an error', async () => {
    const subject = makeSubject();
    const storage = await subject.open();
    await storage.commit([{ key: 'a', value: Uint8Array.of(1) }]);
    await storage.destroy();
    await storage.destroy();
    expect(await (await subject.open()).keys({ prefix: '', limit: 1 })).toEqual([]);
  });
}
