import { ProtocolError } from '@uemkit/protocol';
import { MAX_KEY_BYTES, MAX_RANGE_ENTRIES, type RangeQuery, type ReadView, type StoreEntry, type WriteView } from './lab-store.ts';

/**
 * A transaction over a store: keeps its writes apart until the function has returned, so that one that throws leaves nothing behind.
 * Stores apply `writes` in one step.
 */
export class OverlayView implements WriteView {
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

  get(key: string): Uint8Array | undefined {
    const written = this.writes.get(key);
    return written === undefined ? this.base.get(key) : (written ?? undefined);
  }

  put(key: string, value: Uint8Array): void {
    checkKey(key);
    this.writes.set(key, value);
  }

  delete(key: string): void {
    checkKey(key);
    this.writes.set(key, null);
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
