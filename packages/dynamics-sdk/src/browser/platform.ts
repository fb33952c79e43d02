/** What is used of the browser's interfaces, so that the library needs no types of the DOM. */

export interface DatabaseRequest {
  readonly result: unknown;
  readonly error: unknown;
  addEventListener(name: string, listener: () => void): void;
}

export interface DatabaseRows {
  get(key: string): DatabaseRequest;
  getAllKeys(range: unknown, count: number): DatabaseRequest;
  put(value: unknown, key: string): DatabaseRequest;
  delete(key: string): DatabaseRequest;
}

export interface DatabaseTransaction {
  readonly error: unknown;
  objectStore(name: string): DatabaseRows;
  addEventListener(name: string, listener: () => void): void;
}

export interface Database {
  createObjectStore(name: string): unknown;
  transaction(store: string, mode: string, options?: { readonly durability?: 'strict' }): DatabaseTransaction;
  close(): void;
  addEventListener(name: string, listener: () => void): void;
}

/** `indexedDB`. */
export interface IndexedDatabases {
  open(name: string, version: number): DatabaseRequest;
  deleteDatabase(name: string): DatabaseRequest;
}

/** `IDBKeyRange`. */
export interface KeyRanges {
  bound(lower: string, upper: string, lowerOpen: boolean, upperOpen: boolean): unknown;
}

/** `navigator.locks`. */
export interface WebLocks {
  request(name: string, options: { readonly mode: 'exclusive'; readonly ifAvailable: boolean }, callback: (lock: unknown) => Promise<void>): Promise<unknown>;
}

/** `crypto.subtle`; bytes as `ArrayBuffer`, which is what the types of the DOM take in every version of TypeScript. */
export interface HmacSubtle {
  generateKey(algorithm: { readonly name: 'HMAC'; readonly hash: 'SHA-256' }, extractable: boolean, usages: 'sign'[]): Promise<unknown>;
  sign(algorithm: 'HMAC', key: unknown, data: ArrayBuffer): Promise<ArrayBuffer>;
}
