import type { RangeQuery, ReadView, StoreEntry } from './lab-store.ts';

/** What is remembered, keys and values with what a map takes for each: some 20,000 small records. */
const MOST_BYTES = 16_777_216;
const ENTRY_BYTES = 200;

/** A view that remembers values which are read often, so that neither pages are searched for them nor memory is taken each time. */
export class RememberedView implements ReadView {
  private readonly base: ReadView;
  private readonly mostBytes: number;
  /** The one that has been in it for longest comes first. BOUNDED by mostBytes. */
  private readonly values = new Map<string, Uint8Array>();
  private bytes = 0;

  constructor(base: ReadView, mostBytes: number = MOST_BYTES) {
    this.base = base;
    this.mostBytes = mostBytes;
  }

  get(key: string, often?: boolean): Uint8Array | undefined {
    if (often !== true) return this.base.get(key);
    const known = this.values.get(key);
    if (known !== undefined) return known;
    const value = this.base.get(key);
    if (value !== undefined) this.remember(key, value);
    return value;
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    return this.base.range(query);
  }

  /** To be told of everything that the base has taken, before anybody reads again. */
  changed(writes: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [key, value] of writes) {
      if (!this.values.has(key)) continue;
      this.forget(key);
      // A value on its way is part of a larger buffer, which would be kept with it.
      if (value !== null) this.remember(key, value.slice());
    }
  }

  private remember(key: string, value: Uint8Array): void {
    this.values.set(key, value);
    this.bytes += sizeOf(key, value);
    while (this.bytes > this.mostBytes) this.forget(this.values.keys().next().value as string);
  }

  private forget(key: string): void {
    this.bytes -= sizeOf(key, this.values.get(key) as Uint8Array);
    this.values.delete(key);
  }
}

function sizeOf(key: string, value: Uint8Array): number {
  return key.length + value.length + ENTRY_BYTES;
}
