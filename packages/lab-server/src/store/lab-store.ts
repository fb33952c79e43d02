/** One stored value. */
export interface StoreEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A part of the keys in ascending order, or descending with `reverse`. */
export interface RangeQuery {
  /** Only keys that begin with this text. */
  readonly prefix: string;
  /** Cursor: the last key of the page before; not part of the answer. */
  readonly after?: string | undefined;
  /** Most entries to return. */
  readonly limit: number;
  readonly reverse?: boolean | undefined;
}

/** What a reading function sees: one consistent state. Valid only while that function runs. */
export interface ReadView {
  /** @param often what is there is small and will be asked for again and again: it is worth remembering. Nobody changes what this gives. */
  get(key: string, often?: boolean): Uint8Array | undefined;
  range(query: RangeQuery): readonly StoreEntry[];
}

/** What a transaction sees: the same, with its own writes applied. */
export interface WriteView extends ReadView {
  /** @param isGiven nobody changes the value any more: it need not be copied */
  put(key: string, value: Uint8Array, isGiven?: boolean): void;
  delete(key: string): void;
}

/**
 * Durable state of one role. Keys are printable ASCII text of at most `MAX_KEY_BYTES`, ordered by their bytes.
 * Transactions run one after the other; each sees what the ones before it wrote.
 */
export interface LabStore {
  /** @throws ProtocolError `ERR_STORE_READ` */
  read<T>(fn: (view: ReadView) => T): T;
  /**
   * Runs `fn` once, synchronously inside the transaction. Resolves with its result when all writes survive a crash, so that
   * what depends on them may be sent. A `fn` that throws writes nothing, and its error is passed on.
   * @throws ProtocolError `ERR_STORE_WRITE` (disk full, read-only): then nothing was written. `ERR_REJECTED_BUSY` when too many wait.
   */
  transaction<T>(fn: (tx: WriteView) => T): Promise<T>;
  /** Waits for running transactions; afterwards every call fails with `ERR_USAGE_STATE`. */
  close(): Promise<void>;
}

/** Bounded by the page size of the durable store. */
export const MAX_KEY_BYTES = 1_000;
/** Most entries of one range; longer lists are read page by page. */
export const MAX_RANGE_ENTRIES = 10_000;
