import type { Clock, CryptoProvider, Entropy, ScryptCost, Store } from '@uemkit/protocol';

/** A part of the keys in ascending order. */
export interface StorageKeys {
  /** Only keys that begin with this text. */
  readonly prefix: string;
  /** Cursor: the last key of the page before; not part of the answer. */
  readonly after?: string | undefined;
  /** Most keys to return. */
  readonly limit: number;
}

/**
 * Where the rows of one container are kept: an ordered map whose `commit` is all or nothing. Keys are printable ASCII text of at most 48 characters, values
 * have at most `MAX_ROW_BYTES`. Chunks of files are rows, too. One container at a time uses it.
 */
export interface ContainerStorage extends Store {
  /** @throws `ERR_STORE_READ` */
  keys(query: StorageKeys): Promise<readonly string[]>;
  /** Lets somebody else open it; every other call fails afterwards. */
  close(): Promise<void>;
  /** Closes it and deletes everything; no error when it is closed or gone already. */
  destroy(): Promise<void>;
}

/** A secret of this device that is kept apart from the storage, so that a copy of the storage opens nowhere else. A hardware HMAC key fits. */
export interface DeviceKey {
  /** Makes the key, durable before this resolves; keeps the one that exists. */
  create(): Promise<void>;
  /** HMAC-SHA-256 (32 bytes) under the key; undefined when there is none: never made, destroyed, or on another device. */
  mac(data: Uint8Array): Promise<Uint8Array | undefined>;
  /** Destroys the key for good; no error when there is none. */
  destroy(): Promise<void>;
}

/** The ports of one container. */
export interface ContainerOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly storage: ContainerStorage;
  readonly deviceKey: DeviceKey;
  /** Cost of guessing a password, for slots that are made from now on; default N = 2^15, r = 8, p = 1 (about 70 ms, 32 MiB). */
  readonly passwordCost?: ScryptCost | undefined;
}

/** The options with their defaults. */
export interface ContainerSetUp extends ContainerOptions {
  readonly passwordCost: ScryptCost;
}
