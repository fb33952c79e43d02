import { type KeyStore, ProtocolError, type Store } from '@uemkit/protocol';
import { openDatabase } from './database.ts';
import { indexedDbStore } from './indexed-db-store.ts';
import type { IndexedDatabaseFactory, LockManagerLike, SubtleLike } from './platform.ts';
import { webCryptoKeyStore } from './web-crypto-key-store.ts';

/** The browser's interfaces, and which device of this origin is meant. */
export interface BrowserStateOptions {
  /** `globalThis.indexedDB`. */
  readonly indexedDB: IndexedDatabaseFactory;
  /** `navigator.locks`. */
  readonly locks: LockManagerLike;
  /** `crypto.subtle`. */
  readonly subtle: SubtleLike;
  /** Name of the device within the origin; default `device`. */
  readonly name?: string | undefined;
}

/** Everything durable of one device in a page. */
export interface BrowserState {
  readonly store: Store;
  /** Keys that cannot be extracted. */
  readonly keyStore: KeyStore;
  /** Lets another page have the device. */
  close(): void;
}

/**
 * Opens the state of a device in IndexedDB. One page at a time has it, so that two tabs are not two devices with one key.
 * The browser may throw the data of an origin away when space is short, unless the page asked for `navigator.storage.persist()`; the device is then gone.
 *
 * @example
 * const { store, keyStore } = await openBrowserState({ indexedDB, locks: navigator.locks, subtle: crypto.subtle })
 *
 * @throws ProtocolError `ERR_USAGE_STATE` when another page has it, `ERR_STORE_VERSION`, `ERR_STORE_READ`
 */
export async function openBrowserState(options: BrowserStateOptions): Promise<BrowserState> {
  const name = `uemkit/${options.name ?? 'device'}`;
  const release = await lock(options.locks, name);
  try {
    const database = await openDatabase(options.indexedDB, name);
    return {
      store: indexedDbStore(database),
      keyStore: webCryptoKeyStore(database, options.subtle),
      close() {
        database.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Holds the lock until the returned function is called, or the page goes. */
function lock(locks: LockManagerLike, name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = (granted: unknown): Promise<void> => {
      if (granted !== null) return new Promise((release) => resolve(release));
      reject(new ProtocolError('ERR_USAGE_STATE', 'another page has the state of the device open'));
      return Promise.resolve();
    };
    locks.request(name, { mode: 'exclusive', ifAvailable: true }, held).catch(reject);
  });
}
