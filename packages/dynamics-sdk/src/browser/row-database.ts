import { ProtocolError } from '@uemkit/protocol';
import type { Database, DatabaseRequest, DatabaseRows, IndexedDatabases } from './platform.ts';

const VERSION = 1;
const ROWS = 'rows';

/** One IndexedDB database with one object store. */
export interface RowDatabase {
  /** @throws ProtocolError `ERR_STORE_READ` */
  read(request: (rows: DatabaseRows) => DatabaseRequest): Promise<unknown>;
  /** All or nothing; survives a crash when it resolves. @throws ProtocolError `ERR_STORE_WRITE` */
  write(change: (rows: DatabaseRows) => void): Promise<void>;
  close(): void;
}

/** @throws ProtocolError `ERR_STORE_VERSION`, `ERR_STORE_READ` */
export async function openRowDatabase(databases: IndexedDatabases, name: string): Promise<RowDatabase> {
  const opening = databases.open(name, VERSION);
  opening.addEventListener('upgradeneeded', () => {
    (opening.result as Database).createObjectStore(ROWS);
  });
  const database = (await settled(opening, 'ERR_STORE_READ')) as Database;
  // Somebody deletes the database: what this one still tries fails with a typed error.
  database.addEventListener('versionchange', () => database.close());
  return {
    async read(request) {
      try {
        return await settled(request(database.transaction(ROWS, 'readonly').objectStore(ROWS)), 'ERR_STORE_READ');
      } catch (cause) {
        throw typed(cause, 'ERR_STORE_READ');
      }
    },
    async write(change) {
      try {
        // The default lets the operating system write later, and a power cut would lose what was acknowledged.
        const transaction = database.transaction(ROWS, 'readwrite', { durability: 'strict' });
        const done = new Promise<void>((resolve, reject) => {
          transaction.addEventListener('complete', () => resolve());
          transaction.addEventListener('abort', () => reject(transaction.error));
        });
        change(transaction.objectStore(ROWS));
        await done;
      } catch (cause) {
        throw typed(cause, 'ERR_STORE_WRITE');
      }
    },
    close: () => database.close(),
  };
}

/** Waits until it is deleted, also when another connection has to close first. @throws ProtocolError `ERR_STORE_WRITE` */
export async function deleteRowDatabase(databases: IndexedDatabases, name: string): Promise<void> {
  await settled(databases.deleteDatabase(name), 'ERR_STORE_WRITE');
}

function settled(request: DatabaseRequest, code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(typed(request.error, code)));
  });
}

function typed(cause: unknown, code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE'): ProtocolError {
  if (cause instanceof ProtocolError) return cause;
  const { name } = (cause ?? {}) as { readonly name?: string };
  if (name === 'VersionError') return new ProtocolError('ERR_STORE_VERSION', 'the container was written by a newer version', { cause });
  return new ProtocolError(code, 'the database of the container failed', { cause, details: { reason: name ?? 'unknown' } });
}
