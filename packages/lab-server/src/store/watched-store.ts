import type { LabStore, WriteView } from './lab-store.ts';

/** A store that tells when something may have changed in it. */
export interface WatchedStore extends LabStore {
  /** `listener` is called after each transaction that has become durable; it must not throw. Gives the function that ends it. */
  onCommit(listener: () => void): () => void;
}

/** Watches any store, also one of the embedder. */
export function watchedStore(store: LabStore): WatchedStore {
  // BOUNDED by those who watch: the streams of events.
  const listeners = new Set<() => void>();
  return {
    read: (fn) => store.read(fn),
    async transaction<T>(fn: (tx: WriteView) => T): Promise<T> {
      const result = await store.transaction(fn);
      for (const listener of listeners) listener();
      return result;
    },
    close: () => store.close(),
    onCommit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
