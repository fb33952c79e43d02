import { ProtocolError } from '@uemkit/protocol';
import type { ContainerStorage } from '../../src/index.ts';

/** Rows in memory that a test can look at and change below the container. */
export interface MemoryStorage extends ContainerStorage {
  readonly rows: Map<string, Uint8Array>;
  /** Keys of each commit that became durable, in order. */
  readonly commits: (readonly string[])[];
  /** The next commits fail with this and write nothing; undefined heals. */
  failCommits(error: unknown): void;
  /** The next commit writes only its first rows, and says so to nobody: what no storage may do. */
  tearNext(rows: number): void;
  /** Called before each commit becomes durable; the process "dies" there when it never resolves. */
  beforeCommit: ((keys: readonly string[]) => void | Promise<void>) | undefined;
  /** A storage of a new process over the same rows. */
  restart(): MemoryStorage;
}

export function memoryStorage(rows: Map<string, Uint8Array> = new Map()): MemoryStorage {
  let failure: unknown;
  let torn: number | undefined;
  let closed = false;
  const requireOpen = (code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE'): void => {
    if (closed) throw new ProtocolError(code, 'closed');
  };
  const storage: MemoryStorage = {
    rows,
    commits: [],
    beforeCommit: undefined,
    failCommits(error) {
      failure = error;
    },
    tearNext(count) {
      torn = count;
    },
    restart: () => memoryStorage(rows),
    async get(key) {
      requireOpen('ERR_STORE_READ');
      return rows.get(key)?.slice();
    },
    async keys({ prefix, after, limit }) {
      requireOpen('ERR_STORE_READ');
      const keys = [...rows.keys()].filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
      return keys.sort().slice(0, limit);
    },
    async commit(writes) {
      requireOpen('ERR_STORE_WRITE');
      const keys = writes.map(({ key }) => key);
      await storage.beforeCommit?.(keys);
      if (failure !== undefined) throw failure;
      for (const { key, value } of writes.slice(0, torn)) {
        if (value === null) rows.delete(key);
        else rows.set(key, value.slice());
      }
      torn = undefined;
      storage.commits.push(keys);
    },
    async close() {
      closed = true;
    },
    async destroy() {
      closed = true;
      rows.clear();
    },
  };
  return storage;
}
