import { ProtocolError } from '@uemkit/protocol';
import type { ContainerStorage } from '../container/ports.ts';
import type { IndexedDatabases, KeyRanges, WebLocks } from './platform.ts';
import { deleteRowDatabase, openRowDatabase } from './row-database.ts';

/** The browser's interfaces, and which container of this origin is meant. */
export interface BrowserContainerOptions {
  /** `globalThis.indexedDB`. */
  readonly indexedDB: IndexedDatabases;
  /** `IDBKeyRange`. */
  readonly keyRange: KeyRanges;
  /** `navigator.locks`. */
  readonly locks: WebLocks;
  /** Name of the container within the origin; default `container`. */
  readonly name?: string | undefined;
}

/** Every key of a container is below this. */
const ABOVE_ALL = '\u007f';

/**
 * Rows of one container in IndexedDB. One page at a time has it (Web Locks). The browser may throw the data of an origin away when space is short, unless the
 * page asked for `navigator.storage.persist()`.
 * @throws ProtocolError `ERR_USAGE_STATE` when another page has it, `ERR_STORE_VERSION`, `ERR_STORE_READ`
 */
export async function openContainerStorage({ indexedDB, keyRange, locks, name = 'container' }: BrowserContainerOptions): Promise<ContainerStorage> {
  const database = `uemkit/${name}`;
  const release = await takeLock(locks, database);
  const rows = await openRowDatabase(indexedDB, database).catch(async (error: unknown) => {
    await release();
    throw error;
  });
  const close = async (): Promise<void> => {
    rows.close();
    await release();
  };
  return {
    async get(key) {
      const value = await rows.read((of) => of.get(key));
      if (value === undefined || value instanceof Uint8Array) return value;
      throw new ProtocolError('ERR_STORE_READ', 'a row of the container is no row');
    },
    async keys({ prefix, after, limit }) {
      const range = keyRange.bound(after ?? prefix, prefix + ABOVE_ALL, after !== undefined, true);
      return (await rows.read((of) => of.getAllKeys(range, limit))) as string[];
    },
    commit: (writes) =>
      // `put` copies its value before it returns, so the caller may change its bytes at once.
      rows.write((of) => {
        for (const { key, value } of writes) {
          if (value === null) of.delete(key);
          else of.put(value, key);
        }
      }),
    close,
    async destroy() {
      await close();
      await deleteRowDatabase(indexedDB, database);
    },
  };
}

/** Holds the lock until the returned function is called, or the page goes. That resolves when another page can have it. */
function takeLock(locks: WebLocks, name: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const whileHeld = async (granted: unknown): Promise<void> => {
      if (granted === null) reject(new ProtocolError('ERR_USAGE_STATE', 'another page has the container open'));
      else {
        await new Promise<void>((letGo) =>
          resolve(async () => {
            letGo();
            await held;
          }),
        );
      }
    };
    const held = locks.request(name, { mode: 'exclusive', ifAvailable: true }, whileHeld).catch(reject);
  });
}
