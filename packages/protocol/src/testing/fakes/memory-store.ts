import { ProtocolError } from '../../errors/protocol-error.ts';
import type { Store, StoreWrite } from '../../ports/store.ts';

/**
 * Where the process dies at a commit.
 * `before`: nothing of it is durable. `after`: it is durable, but nobody learned so.
 */
export type CrashPoint = 'before' | 'after';

/** A store in memory that can fail and crash at will. */
export interface MemoryStore extends Store {
  /** Commits that became durable. */
  readonly commits: number;
  /** True once the crash point was reached; from then on no call ever resolves, as in a dead process. */
  readonly crashed: boolean;
  /** A copy of what a restart would find. */
  snapshot(): Map<string, Uint8Array>;
  /** The next `count` commits fail with `ERR_STORE_WRITE` and write nothing; without a number all until `heal`. */
  failWrites(count?: number): void;
  /** The next `count` reads fail with `ERR_STORE_READ`; without a number all until `heal`. */
  failReads(count?: number): void;
  heal(): void;
  /** Dies at the commit after the next `commits` ones. */
  crashAfter(commits: number, point?: CrashPoint): void;
  /** A store of a new process over the same durable data, without faults. */
  restart(): MemoryStore;
}

/**
 * Store for tests.
 *
 * @example
 * const store = memoryStore()
 * store.crashAfter(2)            // the third commit never becomes durable
 * const after = store.restart()
 */
export function memoryStore(initial: ReadonlyMap<string, Uint8Array> = new Map()): MemoryStore {
  const durable = new Map([...initial].map(([key, value]) => [key, value.slice()]));
  let commits = 0;
  let failingWrites = 0;
  let failingReads = 0;
  let crash: { readonly at: number; readonly point: CrashPoint } | undefined;
  let crashed = false;

  const apply = (writes: readonly StoreWrite[]): void => {
    for (const { key, value } of writes) {
      if (value === null) durable.delete(key);
      else durable.set(key, value.slice());
    }
    commits++;
  };
  const dead = <T>(): Promise<T> => new Promise<T>(() => {});

  return {
    get commits() {
      return commits;
    },
    get crashed() {
      return crashed;
    },
    snapshot: () => new Map([...durable].map(([key, value]) => [key, value.slice()])),
    failWrites(count = Number.POSITIVE_INFINITY) {
      failingWrites = count;
    },
    failReads(count = Number.POSITIVE_INFINITY) {
      failingReads = count;
    },
    heal() {
      failingWrites = 0;
      failingReads = 0;
    },
    crashAfter(count, point = 'before') {
      crash = { at: commits + count, point };
    },
    restart: () => memoryStore(durable),
    async get(key) {
      if (crashed) return dead();
      if (failingReads > 0) {
        failingReads--;
        throw new ProtocolError('ERR_STORE_READ', 'injected read failure');
      }
      return durable.get(key)?.slice();
    },
    async commit(writes) {
      if (crashed) return dead();
      if (failingWrites > 0) {
        failingWrites--;
        throw new ProtocolError('ERR_STORE_WRITE', 'injected write failure');
      }
      if (crash !== undefined && commits === crash.at) {
        crashed = true;
        if (crash.point === 'after') apply(writes);
        return dead();
      }
      apply(writes);
    },
  };
}
