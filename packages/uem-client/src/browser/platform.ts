/** What is used of the browser's interfaces, so that the library needs no types of the DOM. */

export interface DatabaseRequest {
  readonly result: unknown;
  readonly error: { readonly name: string } | null;
  addEventListener(name: 'success' | 'error' | 'upgradeneeded' | 'blocked', listener: () => void): void;
}

export interface DatabaseObjects {
  get(key: string): DatabaseRequest;
  put(value: unknown, key: string): DatabaseRequest;
  delete(key: string): DatabaseRequest;
}

export interface DatabaseTransaction {
  readonly error: { readonly name: string } | null;
  objectStore(name: string): DatabaseObjects;
  addEventListener(name: 'complete' | 'abort', listener: () => void): void;
}

export interface Database {
  createObjectStore(name: string): unknown;
  transaction(stores: string, mode: 'readonly' | 'readwrite', options?: { readonly durability?: 'strict' }): DatabaseTransaction;
  close(): void;
  addEventListener(name: 'versionchange', listener: () => void): void;
}

/** `indexedDB`. */
export interface IndexedDatabaseFactory {
  open(name: string, version: number): DatabaseRequest;
}

/** `navigator.locks`. */
export interface LockManagerLike {
  request(name: string, options: { readonly mode: 'exclusive'; readonly ifAvailable: boolean }, callback: (lock: unknown) => Promise<void>): Promise<unknown>;
}

/** A key of WebCrypto; nothing is looked at. */
export interface KeyLike {
  readonly type: string;
}

/** `crypto.subtle`; bytes as `ArrayBuffer`, which is what the types of the DOM take in every version of TypeScript. */
export interface SubtleLike {
  generateKey(
    algorithm: { readonly name: 'ECDSA'; readonly namedCurve: 'P-256' },
    extractable: boolean,
    usages: ('sign' | 'verify')[],
  ): Promise<{ readonly privateKey: KeyLike; readonly publicKey: KeyLike }>;
  exportKey(format: 'raw', key: KeyLike): Promise<ArrayBuffer>;
  sign(algorithm: { readonly name: 'ECDSA'; readonly hash: 'SHA-256' }, key: KeyLike, data: ArrayBuffer): Promise<ArrayBuffer>;
}
