import { mkdirSync } from 'node:fs';
import { ProtocolError, u64be } from '@uemkit/protocol';
import { open, type RootDatabase } from 'lmdb';
import { openCommitLog, type Writes } from './commit-log.ts';
import { ownFolder } from './folder-owner.ts';
import { createGroupCommit } from './group-commit.ts';
import type { LabStore, RangeQuery, ReadView, StoreEntry } from './lab-store.ts';
import { LOG_FILES } from './log-file.ts';
import { createLoggedPort, type LogLimits, type OrderedStore } from './logged-port.ts';
import { checkRange } from './overlay-view.ts';
import { RememberedView } from './remembered-view.ts';

/** Address space reserved for the file; the file itself grows with what is in it. */
const MAP_BYTES = 16 * 2 ** 30;

/** A folder that holds the state of one role. */
export interface LmdbStoreOptions {
  /** Made when it is missing, readable for the owner only. One process at a time may have it open. */
  readonly directory: string;
  /** When the log is carried over; for tests. */
  readonly log?: Partial<LogLimits> | undefined;
}

type Lmdb = RootDatabase<Uint8Array, string>;

/**
 * Opens the durable store: a log of commits, and LMDB behind it.
 * @throws ProtocolError `ERR_STORE_READ` when a commit of the log is missing, `ERR_STORE_WRITE` when the folder cannot be written, `ERR_USAGE_STATE` when another process has it open
 */
export function openLmdbStore({ directory, log: limits = {} }: LmdbStoreOptions): LabStore {
  let release: () => void = () => {};
  let close: () => void = () => {};
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    release = ownFolder(directory);
    const database = openDatabase(directory);
    close = () => void database.close();
    const store = orderedStore(database, release);
    const opened = openCommitLog({ directory, through: store.through, files: LOG_FILES });
    return createGroupCommit(createLoggedPort({ ...opened, store, gather, limits }));
  } catch (cause) {
    close();
    release();
    if (cause instanceof ProtocolError) throw cause;
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new ProtocolError('ERR_STORE_WRITE', `the folder of the state cannot be used: ${reason}`, { cause });
  }
}

/** The requests that have arrived are read first. */
const gather = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function openDatabase(path: string): Lmdb {
  return open<Uint8Array, string>({
    path,
    encoding: 'binary',
    // Also in a folder that others may look into.
    permissionsMode: 0o600,
    mapSize: MAP_BYTES,
    // Without this a commit is reported before it is on the disk.
    overlappingSync: false,
    // The group is the batch; LMDB's own batching per turn adds promises that nobody could catch when a commit fails.
    eventTurnBatching: false,
  } as Parameters<typeof open>[0]) as unknown as Lmdb;
}

/** Number of the last commit of the log that is here; below all keys of the state. */
const LOG_PLACE = ' log';
const FIRST_KEY = '!';

function orderedStore(database: Lmdb, release: () => void): OrderedStore & { readonly through: number } {
  const place = database.getBinary(LOG_PLACE);
  const view = new RememberedView(viewOf(database));
  return {
    view,
    through: place === undefined ? 0 : Number(place.readBigUInt64BE(0)),
    async write(writes, through) {
      await apply(database, writes, through);
      view.changed(writes);
    },
    async close() {
      await database.close();
      release();
    },
  };
}

/** Failed commits come as an error that carries a second, rejected promise with the reason. */
interface FailedCommit {
  readonly commitError?: Promise<unknown>;
}

async function apply(database: Lmdb, writes: Writes, through: number | undefined): Promise<void> {
  try {
    await database.batch(() => {
      if (through !== undefined) void database.put(LOG_PLACE, u64be(through));
      for (const [key, value] of writes) {
        if (value === null) void database.remove(key);
        else void database.put(key, value);
      }
    });
  } catch (error) {
    await (error as FailedCommit).commitError;
    throw error;
  }
}

function viewOf(database: Lmdb): ReadView {
  const guarded = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      throw new ProtocolError('ERR_STORE_READ', 'the state could not be read', { cause });
    }
  };
  return {
    get: (key) => guarded(() => plain(database.getBinary(key))),
    range(query) {
      checkRange(query);
      return guarded(() => readRange(database, query));
    },
  };
}

function readRange(database: Lmdb, { prefix, after, limit, reverse }: RangeQuery): readonly StoreEntry[] {
  // Keys are printable ASCII, so this is above every key with the prefix.
  const end = `${prefix}\x7f`;
  const entries: StoreEntry[] = [];
  const start = prefix === '' ? FIRST_KEY : prefix;
  const from = reverse === true ? (after !== undefined && after < end ? after : end) : after !== undefined && after > start ? after : start;
  // One more than asked for: the cursor itself may be among them.
  for (const { key, value } of database.getRange({ start: from, limit: limit + 1, reverse: reverse === true })) {
    if (key === after) continue;
    if (key < FIRST_KEY || !key.startsWith(prefix) || entries.length === limit) break;
    entries.push({ key, value: plain(value) as Uint8Array });
  }
  return entries;
}

/** A `Buffer` behaves otherwise than a `Uint8Array` (`slice` does not copy), so none leaves this file. */
function plain(value: Uint8Array | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : new Uint8Array(value.buffer, value.byteOffset, value.length);
}
