import { webcrypto } from 'node:crypto';
import { utf8 } from '@uemkit/protocol';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { describe, expect, it } from 'vitest';
import { type HmacSubtle, openContainerStorage, type WebLocks, webCryptoDeviceKey } from '../../src/browser/index.ts';
import { type ContainerStorage, containerVault } from '../../src/index.ts';
import { CHEAP, content, createContainer, crypto, openContainer, PASSWORD } from '../support/device.ts';
import { storageCases } from '../support/storage-cases.ts';

const subtle = webcrypto.subtle as unknown as HmacSubtle;

/** Web Locks of one origin. */
function webLocks(): WebLocks {
  const held = new Set<string>();
  return {
    async request(name, _options, callback) {
      if (held.has(name)) return callback(null);
      held.add(name);
      return callback({ name }).finally(() => held.delete(name));
    },
  };
}

/** A browser with nothing in it. */
function browser() {
  const indexedDB = new IDBFactory();
  const options = { indexedDB: indexedDB as never, keyRange: IDBKeyRange as never, locks: webLocks() };
  return {
    indexedDB,
    options,
    openStorage: (more = {}) => openContainerStorage({ ...options, ...more }),
    deviceKey: (more = {}) => webCryptoDeviceKey({ indexedDB: indexedDB as never, subtle, ...more }),
  };
}

describe('storage on IndexedDB', () => {
  storageCases(() => {
    const { openStorage } = browser();
    let open: ContainerStorage | undefined;
    return {
      async open() {
        await open?.close();
        open = await openStorage();
        return open;
      },
    };
  });

  it('is open in one page at a time, by its name', async () => {
    const { openStorage } = browser();
    const first = await openStorage();
    await expect(openStorage()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await (await openStorage({ name: 'other' })).close();
    await first.close();
    await (await openStorage()).close();
  });

  it('fails with typed errors when the browser does, and gives the lock back', async () => {
    const { openStorage, indexedDB } = browser();
    const newer = indexedDB.open('uemkit/container', 2);
    await new Promise((resolve) => {
      newer.onsuccess = resolve;
    });
    newer.result.close();
    await expect(openStorage()).rejects.toMatchObject({ code: 'ERR_STORE_VERSION' });
    await expect(openStorage()).rejects.toMatchObject({ code: 'ERR_STORE_VERSION' });
    const locks: WebLocks = { request: () => Promise.reject(new Error('no locks here')) };
    await expect(openStorage({ locks })).rejects.toThrow('no locks here');
  });

  it('writes all or nothing, and takes nothing for a row that is none', async () => {
    const { openStorage } = browser();
    const storage = await openStorage();
    await storage.commit([{ key: 'a', value: Uint8Array.of(1) }]);
    const broken = storage.commit([
      { key: 'a', value: Uint8Array.of(2) },
      { key: 'b', value: (() => 1) as never },
    ]);
    await expect(broken).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    await storage.commit([{ key: 'b', value: 'text' as never }]);
    await expect(storage.get('b')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
  });

  it('closes when somebody deletes it below', async () => {
    const { openStorage, indexedDB } = browser();
    const storage = await openStorage();
    const deleting = indexedDB.deleteDatabase('uemkit/container');
    await new Promise((resolve) => {
      deleting.onsuccess = resolve;
    });
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
  });
});

describe('a device key of WebCrypto', () => {
  it('is made once, kept, cannot be extracted, and is destroyed for good', async () => {
    const { deviceKey, indexedDB } = browser();
    const data = utf8('data');
    const key = deviceKey();
    expect(await key.mac(data)).toBeUndefined();
    await key.create();
    const mac = await key.mac(data);
    expect(mac).toHaveLength(32);
    await deviceKey().create();
    expect(await deviceKey().mac(data)).toEqual(mac);
    expect(await deviceKey({ name: 'other' }).mac(data)).toBeUndefined();
    const request = indexedDB.open('uemkit/container/device');
    const saved = await new Promise<{ readonly extractable: boolean }>((resolve) => {
      request.onsuccess = () => {
        const get = request.result.transaction('rows').objectStore('rows').get('key');
        get.onsuccess = () => resolve(get.result);
      };
    });
    request.result.close();
    expect(saved.extractable).toBe(false);
    await key.destroy();
    await key.destroy();
    expect(await key.mac(data)).toBeUndefined();
  });
});

it('a container lives in a page, and goes with a wipe', async () => {
  const { openStorage, deviceKey, indexedDB } = browser();
  const entropy = seededEntropy('page');
  const vault = async () => containerVault({ crypto, entropy, clock: fakeClock(0), storage: await openStorage(), deviceKey: deviceKey(), passwordCost: CHEAP });
  const first = await vault();
  const container = await createContainer(first);
  await container.values.put('a', utf8('value'));
  await container.files.write('f', new Uint8Array(200_000).fill(5));
  await first.close();
  const second = await vault();
  const again = await openContainer(second, PASSWORD);
  expect(await again.values.get('a')).toEqual(utf8('value'));
  expect(await content(again.files.read('f'))).toEqual(new Uint8Array(200_000).fill(5));
  await second.wipe();
  expect(await indexedDB.databases()).toEqual([]);
});
