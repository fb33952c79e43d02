import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError, type Store, type StoreWrite } from '@uemkit/protocol';
import { open, type RootDatabase } from 'lmdb';

/** Address space that the database may grow into; the file takes what is used. */
const MAP_BYTES = 64 * 2 ** 30;

/** Name of the database inside the folder of a run. */
export const FLEET_FILE = 'fleet.mdb';

/** One stored value, without the prefix of its part. */
export interface StoredValue {
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * Durable state of a fleet: one database for the run and all its devices. Each device sees its own keys only. A commit of one device is one transaction;
 * commits of many devices share one flush to the disk.
 */
export class FleetStore {
  readonly #database: RootDatabase<Uint8Array, string>;

  /** @throws ProtocolError `ERR_STORE_READ` when the folder cannot be used */
  constructor(folder: string, { readOnly = false }: { readonly readOnly?: boolean } = {}) {
    try {
      if (!readOnly) mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#database = open<Uint8Array, string>({
        path: join(folder, FLEET_FILE),
        // Beside a process that runs the fleet.
        readOnly,
        noSubdir: true,
        encoding: 'binary',
        keyEncoding: 'ordered-binary',
        // Also in a folder that others may look into: tunnel keys and push tokens are in it.
        permissionsMode: 0o600,
        mapSize: MAP_BYTES,
        // A promise of a commit resolves after the flush, not before.
        overlappingSync: false,
        // LMDB's own batching per turn adds promises that nobody could catch when a commit fails.
        eventTurnBatching: false,
      } as Parameters<typeof open>[0]);
    } catch (cause) {
      throw new ProtocolError('ERR_STORE_READ', 'the state of the fleet cannot be opened', { cause });
    }
  }

  /** The store of one device, by its global index. */
  device(index: number): Store {
    return this.part(devicePrefix(index));
  }

  /** Beginning of all keys of one app on a device. */
  appPrefix(index: number, name: string): string {
    return `${devicePrefix(index)}app/${name}/`;
  }

  /** A store whose keys all begin with `prefix`. */
  part(prefix: string): Store {
    return new PartStore(this, prefix);
  }

  /** @throws ProtocolError `ERR_STORE_READ` */
  get(key: string): Uint8Array | undefined {
    try {
      const value = this.#database.get(key);
      // A copy: the memory of the database changes below the view that it gives out.
      return value === undefined ? undefined : new Uint8Array(value);
    } catch (cause) {
      throw new ProtocolError('ERR_STORE_READ', 'the state of the fleet could not be read', { cause });
    }
  }

  /** All or nothing; resolves when it survives a crash. @throws ProtocolError `ERR_STORE_WRITE` */
  async commit(prefix: string, writes: readonly StoreWrite[]): Promise<void> {
    const copies = writes.map(({ key, value }) => ({ key: prefix + key, value: value === null ? null : Buffer.from(value) }));
    try {
      await this.#database.transaction(() => {
        for (const { key, value } of copies) {
          if (value === null) this.#database.removeSync(key);
          else this.#database.putSync(key, value);
        }
      });
    } catch (error) {
      const cause = await reasonOf(error);
      throw new ProtocolError('ERR_STORE_WRITE', 'the state of the fleet could not be saved', { cause });
    }
  }

  /** Entries of one device whose key begins with `prefix`, in order. */
  deviceEntries(index: number, prefix: string): readonly StoredValue[] {
    return this.entries(devicePrefix(index) + prefix);
  }

  /** Entries whose key begins with `prefix`, in order, without it. */
  entries(prefix: string): readonly StoredValue[] {
    const found: StoredValue[] = [];
    for (const { key, value } of this.#database.getRange({ start: prefix, end: `${prefix}\uffff` })) {
      found.push({ key: key.slice(prefix.length), value: new Uint8Array(value) });
    }
    return found;
  }

  /** Keys of the part `part`, without it, in order: those that begin with `prefix` and come after `after`, `limit` at most. */
  keys(part: string, { prefix, after, limit }: { readonly prefix: string; readonly after?: string | undefined; readonly limit: number }): readonly string[] {
    const found: string[] = [];
    for (const key of this.#database.getKeys({ start: part + (after ?? prefix), end: `${part}${prefix}\uffff` })) {
      const own = key.slice(part.length);
      if (own === after) continue;
      if (found.length >= limit) break;
      found.push(own);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

/** The keys of one part. A class, because thousands of devices keep one of these each. */
class PartStore implements Store {
  readonly #fleet: FleetStore;
  readonly #prefix: string;

  constructor(fleet: FleetStore, prefix: string) {
    this.#fleet = fleet;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#fleet.get(this.#prefix + key);
  }

  commit(writes: readonly StoreWrite[]): Promise<void> {
    return this.#fleet.commit(this.#prefix, writes);
  }
}

function devicePrefix(index: number): string {
  // A template would be a string of strings, which stays one until somebody looks into it.
  return ['device', String(index).padStart(6, '0'), ''].join('/');
}

/** A failed commit carries a second, rejected promise with the reason; one that nobody awaits would end the process. */
async function reasonOf(error: unknown): Promise<unknown> {
  try {
    await (error as { readonly commitError?: Promise<unknown> }).commitError;
    return error;
  } catch (reason) {
    return reason;
  }
}
