import type { LabStore, RangeQuery, StoreEntry, WriteView } from './lab-store.ts';

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
  const writers: Writer[] = [];
  return {
    read: (fn) => store.read(fn),
    transaction<T>(fn: (tx: WriteView) => T): Promise<T> {
      let noting: NotingView | undefined;
      const kept = store.transaction((tx) => {
        noting = new NotingView(tx, writers);
        return fn(noting);
      });
      return kept.then((result) => {
        noting?.tell();
        for (const listener of listeners) listener();
        return result;
      });
    },
    close: () => store.close(),
    onCommit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onWrite: (prefix, listener) => void writers.push({ prefix, listener }),
  };
}

interface Writer {
  readonly prefix: string;
  readonly listener: (rest: string) => void;
}

/** A transaction that notes what is written for those who want to hear of it. */
class NotingView implements WriteView {
  private readonly tx: WriteView;
  private readonly writers: readonly Writer[];
  /** BOUNDED by the writes of one transaction. */
  private written: { readonly writer: Writer; readonly key: string }[] | undefined;

  constructor(tx: WriteView, writers: readonly Writer[]) {
    this.tx = tx;
    this.writers = writers;
  }

  get(key: string, often?: boolean): Uint8Array | undefined {
    return this.tx.get(key, often);
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    return this.tx.range(query);
  }

  put(key: string, value: Uint8Array, isGiven?: boolean): void {
    this.tx.put(key, value, isGiven);
    for (const writer of this.writers) {
      if (!key.startsWith(writer.prefix)) continue;
      this.written ??= [];
      this.written.push({ writer, key });
    }
  }

  delete(key: string): void {
    this.tx.delete(key);
  }

  tell(): void {
    for (const { writer, key } of this.written ?? []) writer.listener(key.slice(writer.prefix.length));
  }
}
