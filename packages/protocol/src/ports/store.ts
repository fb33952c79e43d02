/** One change of a `Store`; `value: null` deletes. */
export interface StoreWrite {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Durable state of one device. */
export interface Store {
  /** @throws `ERR_STORE_READ` */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * All writes or none. Resolves when they survive a crash, so that what depends on them may be sent.
   * @throws `ERR_STORE_WRITE` (disk full, read-only): then nothing was written.
   */
  commit(writes: readonly StoreWrite[]): Promise<void>;
}
