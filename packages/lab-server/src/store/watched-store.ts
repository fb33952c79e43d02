import type { LabStore, WriteView } from './lab-store.ts';

/** A store that tells when something may have changed in it. */
export interface WatchedStore extends LabStore {
  /** `listener` is called after each transaction that has become durable; it must not throw. Gives the function that ends it. */
  onCommit(listener: () => void): () => void;
  /** `listener` gets what follows `prefix` in each key that was written, and not deleted, by a transaction that has become durable; it must not throw. */
  onWrite(prefix: string, listener: (rest: string) => void): void;
}

/** Watches any store, also one of the embedder. */
export function watchedStore(store: LabStore): WatchedStore {
  // BOUNDED by those who watch: the streams of events.
  const listeners = new Set<() => void>();
  // BOUNDED by the parts of UEM that send what waits in an outbox.
  const writers: { readonly prefix: string; readonly listener: (rest: string) => void }[] = [];
  const noting = (tx: WriteView, written: (() => void)[]): WriteView => ({
    get: (key) => tx.get(key),
    range: (query) => tx.range(query),
    delete: (key) => tx.delete(key),
    put(key, value) {
      tx.put(key, value);
      for (const { prefix, listener } of writers) if (key.startsWith(prefix)) written.push(() => listener(key.slice(prefix.length)));
    },
  });
  return {
    read: (fn) => store.read(fn),
    async transaction<T>(fn: (tx: WriteView) => T): Promise<T> {
      // BOUNDED by the writes of one transaction.
      const written: (() => void)[] = [];
      const result = await store.transaction((tx) => fn(noting(tx, written)));
      for (const tell of written) tell();
      for (const listener of listeners) listener();
      return result;
    },
    close: () => store.close(),
    onCommit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onWrite: (prefix, listener) => void writers.push({ prefix, listener }),
  };
}
