import { ProtocolError } from '@uemkit/protocol';
import type { MemoryStore } from '@uemkit/protocol/testing';
import type { ContainerStorage } from '../container/ports.ts';

/**
 * A storage for containers in memory, over rows that outlive it: a second one over the same rows is the same phone after a restart. Disks take real time, which the clock of
 * a test knows nothing of. Faults and crashes are those of the store.
 * @example
 * const rows = memoryStore()
 * const options = { openStorage: async () => memoryContainerStorage(rows) }
 */
export function memoryContainerStorage(rows: MemoryStore): ContainerStorage {
  const keys = (): string[] => [...rows.snapshot().keys()].sort();
  let isClosed = false;
  const requireOpen = (code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE'): void => {
    if (isClosed) throw new ProtocolError(code, 'the storage is closed');
  };
  return {
    async get(key) {
      requireOpen('ERR_STORE_READ');
      return rows.get(key);
    },
    async commit(writes) {
      requireOpen('ERR_STORE_WRITE');
      return rows.commit(writes);
    },
    async keys({ prefix, after = '', limit }) {
      requireOpen('ERR_STORE_READ');
      return keys()
        .filter((key) => key.startsWith(prefix) && key > after)
        .slice(0, limit);
    },
    async close() {
      isClosed = true;
    },
    async destroy() {
      isClosed = true;
      await rows.commit(keys().map((key) => ({ key, value: null })));
    },
  };
}
