import { ProtocolError, type Store, type StoreWrite } from '@uemkit/protocol';
import { changeObjects, readObject } from './database.ts';
import type { Database } from './platform.ts';

/** Durable state of one device in IndexedDB: a commit is one transaction. */
export function indexedDbStore(database: Database): Store {
  return {
    async get(key) {
      const value = await readObject(database, 'state', key);
      if (value === undefined || value instanceof Uint8Array) return value;
      throw new ProtocolError('ERR_STORE_READ', 'the state of the device is damaged');
    },
    commit(writes: readonly StoreWrite[]) {
      // `put` copies its value before it returns, so the caller may change its bytes at once.
      return changeObjects(database, 'state', (objects) => {
        for (const { key, value } of writes) {
          if (value === null) objects.delete(key);
          else objects.put(value, key);
        }
      });
    },
  };
}
