import { webcrypto } from 'node:crypto';
import { nodeCrypto } from '@uemkit/protocol/node';
import { storeCases } from '@uemkit/protocol/testing';
import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, it } from 'vitest';
import { type BrowserState, type BrowserStateOptions, type LockManagerLike, openBrowserState } from '../../src/browser/index.ts';

/** The same against a real browser is in test/browser; here every refusal is met. */

const crypto = nodeCrypto();
const subtle = webcrypto.subtle as unknown as BrowserStateOptions['subtle'];
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

type Factory = InstanceType<typeof IDBFactory>;

/** Web Locks of one origin. */
function lockManager(): LockManagerLike {
  const held = new Set<string>();
  return {
    async request(name, _options, callback) {
      if (held.has(name)) return callback(null);
      held.add(name);
      try {
        return await callback({ name });
      } finally {
        held.delete(name);
      }
    },
  };
}

/** A browser with nothing in it. */
function origin(): { readonly factory: Factory; open(more?: Partial<BrowserStateOptions>): Promise<BrowserState> } {
  const factory = new IDBFactory();
  const locks = lockManager();
  return { factory, open: (more = {}) => openBrowserState({ indexedDB: factory as never, locks, subtle, ...more }) };
}

/** Writes into the database as somebody else would. */
function put(factory: Factory, store: string, key: string, value: unknown, version = 1): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = factory.open('uemkit/device', version);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const transaction = request.result.transaction(store, 'readwrite');
      transaction.objectStore(store).put(value, key);
      transaction.oncomplete = () => {
        request.result.close();
        resolve();
      };
    };
  });
}

describe('the store', () => {
  for (const { name, run } of storeCases) {
    it(name, async () => {
      const { open } = origin();
      let state: BrowserState | undefined;
      await run({
        open: async () => {
          state?.close();
          // The lock is free in the next turn.
          await Promise.resolve();
          state = await open();
          return state.store;
        },
      });
    });
  }

  it('refuses a value that nobody of us wrote', async () => {
    const { factory, open } = origin();
    (await open()).close();
    await put(factory, 'state', 'a', 'text');
    await expect((await open()).store.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
  });

  it('writes all or nothing, and says so', async () => {
    const { open } = origin();
    const { store } = await open();
    await store.commit([{ key: 'a', value: bytes(1) }]);
    const broken = store.commit([
      { key: 'a', value: bytes(2) },
      { key: 'b', value: (() => 1) as never },
    ]);
    await expect(broken).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
  });

  it('fails with typed errors once it is closed', async () => {
    const state = await origin().open();
    state.close();
    await expect(state.store.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    await expect(state.store.commit([{ key: 'a', value: null }])).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
  });
});

describe('the key store', () => {
  it('keeps a key that cannot be extracted, and signs with it', async () => {
    const { factory, open } = origin();
    const first = await open();
    const publicKey = await first.keyStore.publicKey('a');
    first.close();
    await Promise.resolve();
    const { keyStore } = await open();
    expect(await keyStore.publicKey('a')).toEqual(publicKey);
    const signature = await keyStore.sign('a', bytes(1, 2, 3));
    expect([signature.length, crypto.p256Verify(publicKey, bytes(1, 2, 3), signature)]).toEqual([64, true]);
    const request = factory.open('uemkit/device');
    const saved = await new Promise<{ readonly privateKey: webcrypto.CryptoKey }>((resolve) => {
      request.onsuccess = () => {
        const get = request.result.transaction('keys').objectStore('keys').get('a');
        get.onsuccess = () => resolve(get.result);
      };
    });
    expect(saved.privateKey.extractable).toBe(false);
    await expect(webcrypto.subtle.exportKey('pkcs8', saved.privateKey)).rejects.toThrow();
  });

  it('makes one key, however many ask at once', async () => {
    const { keyStore } = await origin().open();
    const [one, two] = await Promise.all([keyStore.publicKey('a'), keyStore.publicKey('a')]);
    expect(one).toEqual(two);
    expect(await keyStore.publicKey('b')).not.toEqual(one);
  });

  it('destroys a key for good, and a second time without an error', async () => {
    const { keyStore } = await origin().open();
    const before = await keyStore.publicKey('a');
    await keyStore.destroy('a');
    await keyStore.destroy('a');
    expect(await keyStore.publicKey('a')).not.toEqual(before);
  });

  it('refuses a damaged key, and goes on with others', async () => {
    const { factory, open } = origin();
    (await open()).close();
    await put(factory, 'keys', 'a', { publicKey: bytes(1) });
    const { keyStore } = await open();
    await expect(keyStore.publicKey('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    expect(await keyStore.publicKey('b')).toHaveLength(65);
  });
});

describe('opening', () => {
  it('is for one page at a time, and for one device by its name', async () => {
    const { open } = origin();
    const first = await open();
    await expect(open()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    const other = await open({ name: 'other' });
    await first.store.commit([{ key: 'a', value: bytes(1) }]);
    expect(await other.store.get('a')).toBeUndefined();
    first.close();
    await Promise.resolve();
    expect(await (await open()).store.get('a')).toEqual(bytes(1));
  });

  it('refuses the state of a newer version and lets go of the lock', async () => {
    const { factory, open } = origin();
    (await open()).close();
    await new Promise<void>((resolve) => {
      const newer = factory.open('uemkit/device', 2);
      newer.onsuccess = () => {
        newer.result.close();
        resolve();
      };
    });
    for (let time = 0; time < 2; time++) await expect(open()).rejects.toMatchObject({ code: 'ERR_STORE_VERSION' });
  });

  it('makes way for a newer version', async () => {
    const { factory, open } = origin();
    const state = await open();
    await new Promise<void>((resolve) => {
      const newer = factory.open('uemkit/device', 2);
      newer.onsuccess = () => resolve();
    });
    await expect(state.store.get('a')).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
  });

  it.each([
    ['error', 'ERR_STORE_READ'],
    ['blocked', 'ERR_USAGE_STATE'],
  ])('is refused on %s', async (event, code) => {
    const request = {
      result: undefined,
      error: null,
      addEventListener: (name: string, listener: () => void) => void (name === event && queueMicrotask(listener)),
    };
    await expect(origin().open({ indexedDB: { open: () => request } })).rejects.toMatchObject({ code });
  });

  it('hands on what the lock manager says', async () => {
    await expect(origin().open({ locks: { request: () => Promise.reject(new Error('no locks here')) } })).rejects.toThrow('no locks here');
  });
});
