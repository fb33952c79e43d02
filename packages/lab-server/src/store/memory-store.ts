import { createGroupCommit } from './group-commit.ts';
import type { LabStore, RangeQuery, ReadView, StoreEntry, WriteView } from './lab-store.ts';
import { checkRange, inRange } from './overlay-view.ts';

/** Why commits fail, as with a real disk. */
export type StoreFault = 'disk-full' | 'read-only';

/** From so many new keys on they are merged in one pass, instead of moving the rest of the list for each. */
const MERGE_FROM = 16;

/** Sorted keys with their values. */
class SortedEntries implements ReadView {
  private readonly values: Map<string, Uint8Array>;
  private keys: string[];

  constructor(from?: SortedEntries) {
    this.values = new Map(from?.values);
    this.keys = from === undefined ? [] : [...from.keys];
  }

  get(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  set(key: string, value: Uint8Array | null): void {
    const known = this.values.has(key);
    if (value !== null) {
      this.values.set(key, value.slice());
      if (!known) this.keys.splice(this.firstAtLeast(key), 0, key);
    } else if (known) {
      this.values.delete(key);
      this.keys.splice(this.firstAtLeast(key), 1);
    }
  }

  /** All writes of a commit. */
  setAll(writes: ReadonlyMap<string, Uint8Array | null>): void {
    const added = [...writes].filter(([key, value]) => value !== null && !this.values.has(key)).map(([key]) => key);
    if (added.length >= MERGE_FROM) {
      this.keys = merged(this.keys, added.sort());
      for (const key of added) this.values.set(key, (writes.get(key) as Uint8Array).slice());
    }
    for (const [key, value] of writes) this.set(key, value);
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    checkRange(query);
    const entries: StoreEntry[] = [];
    const step = query.reverse === true ? -1 : 1;
    for (let at = this.startOf(query); entries.length < query.limit; at += step) {
      const key = this.keys[at];
      if (key === undefined || !inRange(key, query)) break;
      entries.push({ key, value: this.values.get(key) as Uint8Array });
    }
    return entries;
  }

  private startOf({ prefix, after, reverse }: RangeQuery): number {
    if (reverse === true) {
      const end = `${prefix}\x7f`;
      return this.firstAtLeast(after !== undefined && after < end ? after : end) - 1;
    }
    const start = this.firstAtLeast(after !== undefined && after > prefix ? after : prefix);
    return this.keys[start] === after ? start + 1 : start;
  }

  /** Index of the first key that is not below `key`. */
  private firstAtLeast(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Two sorted lists as one. Keys are ASCII, so the order of the language is the order of their bytes. */
function merged(keys: readonly string[], added: readonly string[]): string[] {
  const all: string[] = [];
  let at = 0;
  for (const key of keys) {
    while (at < added.length && (added[at] as string) < key) all.push(added[at++] as string);
    all.push(key);
  }
  return [...all, ...added.slice(at)];
}

/** A store in memory, for tests and short labs. Loses everything with the process; has faults to inject. */
export class MemoryStore implements LabStore {
  /** While set, every commit fails. */
  fault: StoreFault | undefined;
  /** Commits that wrote something; several transactions may share one. */
  commits = 0;
  private readonly entries: SortedEntries;
  private readonly store: LabStore;
  private held: Promise<void> | undefined;

  constructor(from?: MemoryStore) {
    this.entries = new SortedEntries(from?.entries);
    this.store = createGroupCommit({ view: this.entries, apply: (writes) => this.apply(writes), close: async () => {} });
  }

  /** What another process would find after this one was killed now. */
  snapshot(): MemoryStore {
    return new MemoryStore(this);
  }

  /** Lets commits wait until the returned function is called: nothing that depends on them may happen before. */
  hold(): () => void {
    let release: () => void = () => {};
    this.held = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.held = undefined;
      release();
    };
  }

  read<T>(fn: (view: ReadView) => T): T {
    return this.store.read(fn);
  }

  transaction<T>(fn: (tx: WriteView) => T): Promise<T> {
    return this.store.transaction(fn);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private async apply(writes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    await this.held;
    if (this.fault !== undefined) throw new Error(this.fault);
    this.entries.setAll(writes);
    this.commits++;
  }
}
