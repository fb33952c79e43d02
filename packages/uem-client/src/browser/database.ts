import { ProtocolError } from '@uemkit/protocol';
import type { Database, DatabaseObjects, IndexedDatabaseFactory } from './platform.ts';

/** Raised when the layout changes; a page of an older version refuses the database of a newer one. */
const VERSION = 1;

/** Where things are kept: `state` of the client and the operating system, `keys` of the device. */
export type ObjectStoreName = 'state' | 'keys';
const OBJECT_STORES: readonly ObjectStoreName[] = ['state', 'keys'];

/**
 * Opens the database of one device, or makes it.
 * @throws ProtocolError `ERR_STORE_VERSION`, `ERR_STORE_READ`, `ERR_USAGE_STATE` when a page of another version has it open
 */
export function openDatabase(factory: IndexedDatabaseFactory, name: string): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, VERSION);
    request.addEventListener('upgradeneeded', () => {
      for (const store of OBJECT_STORES) (request.result as Database).createObjectStore(store);
    });
    request.addEventListener('blocked', () => reject(new ProtocolError('ERR_USAGE_STATE', 'another page has the state of the device open')));
    request.addEventListener('error', () => {
      const { error } = request;
      if (error?.name === 'VersionError') reject(new ProtocolError('ERR_STORE_VERSION', 'the state of the device was written by a newer version'));
      else reject(new ProtocolError('ERR_STORE_READ', 'the state of the device could not be opened', { details: { cause: error?.name ?? '' } }));
    });
    request.addEventListener('success', () => {
      const database = request.result as Database;
      // A newer page may go on; what this one still tries fails with a typed error.
      database.addEventListener('versionchange', () => database.close());
      resolve(database);
    });
  });
}

/** One value. @throws ProtocolError `ERR_STORE_READ` */
export function readObject(database: Database, store: ObjectStoreName, key: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => reject(new ProtocolError('ERR_STORE_READ', 'the state of the device could not be read', { cause }));
    try {
      const request = database.transaction(store, 'readonly').objectStore(store).get(key);
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => failed(request.error));
    } catch (error) {
      failed(error);
    }
  });
}

/** All changes or none; resolves when they survive a crash. @throws ProtocolError `ERR_STORE_WRITE` */
export function changeObjects(database: Database, store: ObjectStoreName, change: (objects: DatabaseObjects) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => reject(new ProtocolError('ERR_STORE_WRITE', 'the state of the device could not be saved', { cause }));
    try {
      // The default lets the operating system write later, and a power cut would lose what was acknowledged.
      const transaction = database.transaction(store, 'readwrite', { durability: 'strict' });
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () => failed(transaction.error));
      change(transaction.objectStore(store));
    } catch (error) {
      failed(error);
    }
  });
}
