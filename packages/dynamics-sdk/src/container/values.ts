import { ProtocolError, type Store, type StoreWrite } from '@uemkit/protocol';
import { type Committer, rowsOf } from './committer.ts';
import type { RecordChange } from './group.ts';
import type { ContainerKeys } from './keys.ts';
import { MAX_VALUE_BYTES } from './limits.ts';
import type { ContainerStorage } from './ports.ts';
import { openRecord } from './record.ts';
import type { Space } from './rows.ts';

/** The encrypted key-value store of an app. Names and values are neither stored nor named in clear anywhere. */
export interface ContainerValues extends Store {
  /** @throws ProtocolError `ERR_CRYPTO_OPEN` when the storage was changed, `ERR_STORE_READ`, `ERR_USAGE_STATE` */
  get(name: string): Promise<Uint8Array | undefined>;
  /** One value; see `commit`. */
  put(name: string, value: Uint8Array): Promise<void>;
  /** No error when there is none. */
  delete(name: string): Promise<void>;
  /**
   * All writes or none, in their order; durable when it resolves. Names have at most 1,024 bytes, values 262,144.
   * @throws ProtocolError `ERR_STORE_WRITE` (disk full, read-only): then nothing was written. `ERR_REJECTED_BUSY`, `ERR_CRYPTO_OPEN`, `ERR_USAGE_ARGUMENT`
   */
  commit(writes: readonly StoreWrite[]): Promise<void>;
  /** Every name, in no order. Opens each record, so it takes time in proportion to what is stored. */
  names(): AsyncGenerator<string>;
}

export interface ContainerParts {
  readonly storage: ContainerStorage;
  readonly keys: ContainerKeys;
  readonly committer: Committer;
}

export function containerValues(parts: ContainerParts): ContainerValues {
  const commit = (writes: readonly StoreWrite[]): Promise<void> => {
    // check: length of a value
    if (writes.some(({ value }) => value !== null && value.length > MAX_VALUE_BYTES)) {
      return Promise.reject(new ProtocolError('ERR_USAGE_ARGUMENT', `a value has at most ${MAX_VALUE_BYTES} bytes`));
    }
    return parts.committer.commit({ records: writes.map(({ key, value }): RecordChange => ({ space: 'v', name: key, content: value })) });
  };
  return {
    get: (name) => readRecord(parts, 'v', name),
    put: (name, value) => commit([{ key: name, value }]),
    delete: (name) => commit([{ key: name, value: null }]),
    commit,
    async *names() {
      for await (const { name } of records(parts, 'v')) yield name;
    },
  };
}

/** @throws ProtocolError `ERR_CRYPTO_OPEN`, `ERR_USAGE_ARGUMENT` */
export function readRecord({ committer }: ContainerParts, space: Space, name: string): Promise<Uint8Array | undefined> {
  return committer.read(space, name);
}

/** Every record of a space. @throws ProtocolError `ERR_CRYPTO_OPEN` */
export async function* records({ storage, keys, committer }: ContainerParts, space: Space): AsyncGenerator<ReturnType<typeof openRecord>> {
  await committer.requireAllChecked();
  for await (const [row, value] of rowsOf(storage, space)) {
    committer.requireOpen();
    yield openRecord(keys, row, value);
  }
}
