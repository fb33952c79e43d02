import { closeSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ProtocolError, type StoreWrite } from '@uemkit/protocol';
import { open, type RootDatabase } from 'lmdb';
import type { ContainerStorage, StorageKeys } from '../container/ports.ts';
import { takeFolder } from './owned-folder.ts';

/** Address space reserved for the file; the file itself grows with what is in it. */
const MAP_BYTES = 16 * 2 ** 30;
const DATA_FILE = 'data.mdb';
const FILES = [DATA_FILE, 'lock.mdb'];
/** Where the first page of every LMDB file has its magic number, and which. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;

type Lmdb = RootDatabase<Uint8Array, Uint8Array>;

/** Failed commits come as an error that carries a second, rejected promise with the reason. */
interface FailedCommit {
  readonly commitError?: Promise<unknown>;
}

/**
 * Rows of one container in a folder, on LMDB: a commit is one transaction, and it is on the disk when it resolves. The folder is readable for the owner only.
 * @param directory made when it is missing; one process at a time has it
 * @throws ProtocolError `ERR_USAGE_STATE` when it is open already, `ERR_STORE_READ` when it cannot be opened
 */
export function openContainerStorage({ directory }: { readonly directory: string }): ContainerStorage {
  let release: () => void = () => {};
  try {
    release = takeFolder(directory);
    requireLmdbFile(join(directory, DATA_FILE));
    return lmdbStorage(openLmdb(directory), directory, release);
  } catch (cause) {
    release();
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError('ERR_STORE_READ', 'the folder of the container cannot be used', { cause });
  }
}

/** LMDB believes its file: another one would end the process instead of an error. */
function requireLmdbFile(path: string): void {
  const page = Buffer.alloc(MAGIC_AT + 4);
  let length: number;
  try {
    const file = openSync(path, 'r');
    length = readSync(file, page);
    closeSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // check: it is a file of LMDB, or one that was just made
  if (length > 0 && page.readUInt32LE(MAGIC_AT) !== MAGIC) throw new ProtocolError('ERR_STORE_READ', 'the file of the container is damaged');
}

function openLmdb(path: string): Lmdb {
  return open<Uint8Array, Uint8Array>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    permissionsMode: 0o600,
    mapSize: MAP_BYTES,
    // Without this a commit is reported before it is on the disk.
    overlappingSync: false,
    eventTurnBatching: false,
    // Unused parts of pages would be whatever the process had in memory there.
    noMemInit: false,
  } as Parameters<typeof open>[0]) as unknown as Lmdb;
}

function lmdbStorage(database: Lmdb, directory: string, release: () => void): ContainerStorage {
  let closing: Promise<void> | undefined;
  const read = <T>(work: () => T): T => {
    try {
      // LMDB says so, too; native code is not asked after its end.
      if (closing !== undefined) throw new Error('closed');
      return work();
    } catch (cause) {
      throw new ProtocolError('ERR_STORE_READ', 'the container could not be read', { cause });
    }
  };
  const close = (): Promise<void> => {
    closing ??= database.close().then(release);
    return closing;
  };
  return {
    async get(key) {
      const value = read(() => database.getBinary(bytesOf(key)));
      // A `Buffer` behaves otherwise than a `Uint8Array` (`slice` does not copy).
      return value && new Uint8Array(value.buffer, value.byteOffset, value.length);
    },
    keys: async (query) => read(() => keysOf(database, query)),
    async commit(writes) {
      try {
        // LMDB says so, too; native code is not asked after its end.
        if (closing !== undefined) throw new Error('closed');
        await commit(database, writes);
      } catch (cause) {
        throw new ProtocolError('ERR_STORE_WRITE', 'the container could not be saved', { cause });
      }
    },
    close,
    async destroy() {
      await close();
      for (const file of FILES) await rm(join(directory, file), { force: true });
    },
  };
}

async function commit(database: Lmdb, writes: readonly StoreWrite[]): Promise<void> {
  try {
    await database.batch(() => {
      for (const { key, value } of writes) {
        if (value === null) database.remove(bytesOf(key));
        else database.put(bytesOf(key), value);
      }
    });
  } catch (error) {
    await (error as FailedCommit).commitError;
    throw error;
  }
}

function keysOf(database: Lmdb, { prefix, after, limit }: StorageKeys): readonly string[] {
  const keys: string[] = [];
  const from = after ?? prefix;
  // One more than asked for: the cursor itself may be among them. An empty key is none to LMDB.
  for (const key of database.getKeys({ limit: limit + 1, ...(from === '' ? {} : { start: bytesOf(from) }) })) {
    const text = Buffer.from(key.buffer, key.byteOffset, key.length).toString('utf8');
    if (text === after) continue;
    if (!text.startsWith(prefix) || keys.length === limit) break;
    keys.push(text);
  }
  return keys;
}

function bytesOf(key: string): Uint8Array {
  return Buffer.from(key, 'utf8');
}
