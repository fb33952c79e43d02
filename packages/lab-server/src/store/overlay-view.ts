import { ProtocolError } from '@uemkit/protocol';
import { MAX_KEY_BYTES, MAX_RANGE_ENTRIES, type RangeQuery, type ReadView, type StoreEntry, type WriteView } from './lab-store.ts';

/**
 * Transactions over a store, one after the other: their writes are kept apart from it, for it to apply in one step (`writes`). One that throws leaves nothing behind.
 */
export class OverlayView implements ReadView {
  /** New values by key; null deletes. */
  readonly writes: Map<string, Uint8Array | null> = new Map();
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

  get(key: string): Uint8Array | undefined {
    const written = this.writes.get(key);
    return written === undefined ? this.base.get(key) : (written ?? undefined);
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    checkRange(query);
    const touched = [...this.writes.keys()].filter((key) => inRange(key, query));
    if (touched.length === 0) return this.base.range(query);
    // Each write hides one entry of the base at most.
    const below = this.base.range({ ...query, limit: Math.min(query.limit + touched.length, MAX_RANGE_ENTRIES) });
    const merged = new Map(below.map((entry) => [entry.key, entry.value]));
    for (const key of touched) {
      const value = this.writes.get(key) as Uint8Array | null;
      if (value === null) merged.delete(key);
      else merged.set(key, value);
    }
    const entries = [...merged].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
    if (query.reverse === true) entries.reverse();
    return entries.slice(0, query.limit);
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

  get(key: string): Uint8Array | undefined {
    return this.overlay.get(key);
  }

  range(query: RangeQuery): readonly StoreEntry[] {
    return this.overlay.range(query);
  }

  put(key: string, value: Uint8Array): void {
    this.write(key, value);
  }

  delete(key: string): void {
    this.write(key, null);
  }

  private write(key: string, value: Uint8Array | null): void {
    checkKey(key);
    if (this.ended) throw new ProtocolError('ERR_USAGE_STATE', 'the transaction is over');
    const { writes } = this.overlay;
    this.keys.push(key);
    this.before.push(writes.get(key));
    writes.set(key, value);
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
