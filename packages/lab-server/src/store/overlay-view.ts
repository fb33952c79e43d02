import { ProtocolError } from '@uemkit/protocol';
import { MAX_KEY_BYTES, MAX_RANGE_ENTRIES, type RangeQuery, type ReadView, type StoreEntry, type WriteView } from './lab-store.ts';
import { SortedKeys } from './sorted-keys.ts';

/**
 * Transactions over a store, one after the other: their writes are kept apart from it, for it to apply in one step (`writes`). One that throws leaves nothing behind.
 */
export class OverlayView implements ReadView {
  /** New values by key; null deletes. */
  readonly writes: Map<string, Uint8Array | null> = new Map();
  private readonly sorted = new SortedKeys();
  /** Keys of `writes` that are not in `sorted` yet. */
  private unsorted: string[] = [];
  private base: ReadView;

  constructor(base: ReadView) {
    this.base = base;
  }

  /** Stands on another view from now on, one that shows the same. */
  rebase(base: ReadView): void {
    this.base = base;
  }

  /** Runs one transaction. When it throws, its writes are taken back. */
  run<T>(fn: (tx: WriteView) => T): T {
    const own = new OverlayTransaction(this);
    try {
      return fn(own);
    } catch (error) {
      own.takeBack();
      throw error;
    } finally {
      own.end();
    }
  }

  get(key: string, often?: boolean): Uint8Array | undefined {
    const written = this.writes.get(key);
    return written === undefined ? this.base.get(key, often) : (written ?? undefined);
  }

  /** Sets what a transaction wrote; what stood here before is the caller's to know. */
  set(key: string, value: Uint8Array | null): void {
    const { writes } = this;
    const { size } = writes;
    writes.set(key, value);
    if (writes.size > size) this.unsorted.push(key);
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    checkRange(query);
    const own = this.keysIn(query);
    let mine = own.next().value ?? undefined;
    if (mine === undefined) return this.base.range(query);
    const { limit, reverse = false } = query;
    const entries: StoreEntry[] = [];
    let below = this.base.range(query);
    let at = 0;
    while (entries.length < limit) {
      if (at === limit) {
        // What is deleted here has used the page up.
        below = this.base.range({ ...query, after: (below[at - 1] as StoreEntry).key });
        at = 0;
      }
      const next = below[at];
      if (mine === undefined || (next !== undefined && (reverse ? next.key > mine : next.key < mine))) {
        if (next === undefined) break;
        entries.push(next);
        at += 1;
        continue;
      }
      const value = this.writes.get(mine);
      // Undefined: the transaction that wrote it was taken back.
      if (value !== undefined && next?.key === mine) at += 1;
      if (value instanceof Uint8Array) entries.push({ key: mine, value });
      mine = own.next().value ?? undefined;
    }
    return entries;
  }

  /** Keys that were written here and may be in the answer, in its order. Keys are sorted when somebody asks for a range: most transactions do not. */
  private *keysIn({ prefix, after, reverse }: RangeQuery): Generator<string, undefined> {
    for (const key of this.unsorted) this.sorted.add(key);
    this.unsorted = [];
    const end = `${prefix}\x7f`;
    const from = reverse === true ? (after !== undefined && after < end ? after : end) : after !== undefined && after > prefix ? after : prefix;
    for (const key of reverse === true ? this.sorted.downFrom(from) : this.sorted.upFrom(from)) {
      if (key === after) continue;
      if (!key.startsWith(prefix)) return undefined;
      yield key;
    }
    return undefined;
  }
}

/** What one transaction sees, while it runs. */
class OverlayTransaction implements WriteView {
  private readonly overlay: OverlayView;
  /** Keys that it has written, each with what was written there before; the last one first to be taken back. */
  private readonly keys: string[] = [];
  private readonly before: (Uint8Array | null | undefined)[] = [];
  private ended = false;

  constructor(overlay: OverlayView) {
    this.overlay = overlay;
  }

  get(key: string, often?: boolean): Uint8Array | undefined {
    return this.overlay.get(key, often);
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    return this.overlay.range(query);
  }

  put(key: string, value: Uint8Array, isGiven?: boolean): void {
    this.write(key, isGiven === true ? value : new Uint8Array(value));
  }

  delete(key: string): void {
    this.write(key, null);
  }

  private write(key: string, value: Uint8Array | null): void {
    checkKey(key);
    if (this.ended) throw new ProtocolError('ERR_USAGE_STATE', 'the transaction is over');
    this.keys.push(key);
    this.before.push(this.overlay.writes.get(key));
    this.overlay.set(key, value);
  }

  takeBack(): void {
    const { writes } = this.overlay;
    for (let at = this.keys.length - 1; at >= 0; at--) {
      const value = this.before[at];
      if (value === undefined) writes.delete(this.keys[at] as string);
      else writes.set(this.keys[at] as string, value);
    }
  }

  end(): void {
    this.ended = true;
  }
}

/** True when `key` may be in the answer to `query`, limit apart. */
export function inRange(key: string, { prefix, after, reverse }: RangeQuery): boolean {
  if (!key.startsWith(prefix)) return false;
  if (after === undefined) return true;
  return reverse === true ? key < after : key > after;
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` for keys outside printable ASCII or over the limit */
export function checkKey(key: string): void {
  if (key.length > MAX_KEY_BYTES || !/^[\x21-\x7e]+$/.test(key)) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'store keys are printable ASCII text', { details: { length: key.length } });
  }
}

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function checkRange({ limit }: RangeQuery): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_RANGE_ENTRIES) {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the limit of a range is out of bounds', { details: { limit, most: MAX_RANGE_ENTRIES } });
  }
}
