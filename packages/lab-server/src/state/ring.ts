import type { ReadView, WriteView } from '../store/lab-store.ts';
import { sortable, type Table, table } from './table.ts';

/** The newest `most` of records that are only ever added. They are counted from 1. */
export interface Ring<T> {
  /** A record by its count: one of the newest `most`, that is, or the answer is another one. */
  get(view: ReadView, count: number): T | undefined;
  /** Writes the record of this count, in place of the one that is forgotten for it: nothing has to be deleted. */
  put(tx: WriteView, count: number, record: T): void;
  /** Records after a count, the oldest first; both counts are of the newest `most`, or `after` is the one before them. */
  list(view: ReadView, query: { readonly after: number; readonly newest: number; readonly limit: number }): readonly T[];
}

/** Defines the ring `name`. */
export function ring<T extends object>(name: string, most: number): Ring<T> {
  const places: Table<T> = table(name);
  const placeOf = (count: number): number => count % most;
  return {
    get: (view, count) => places.get(view, sortable(placeOf(count))),
    put: (tx, count, record) => places.put(tx, sortable(placeOf(count)), record),
    list(view, { after, newest, limit }) {
      const wanted = Math.min(limit, newest - after);
      if (wanted <= 0) return [];
      const first = placeOf(after + 1);
      const upToEnd = Math.min(wanted, most - first);
      const rows = [...places.page(view, { after: first === 0 ? undefined : sortable(first - 1), limit: upToEnd })];
      if (wanted > upToEnd) rows.push(...places.page(view, { limit: wanted - upToEnd }));
      return rows.map(({ record }) => record);
    },
  };
}
