import type { ReadView } from '../store/lab-store.ts';

/** Rows that are read in one go, so that a long list does not keep the store from everybody else. */
const ROWS = 500;

/** All rows of a list, read page by page; each page is consistent in itself. `cursor` names a row for the next page. */
export function* rowsOf<T>(
  read: <R>(fn: (view: ReadView) => R) => R,
  page: (view: ReadView, query: { readonly after?: string; readonly limit: number }) => readonly T[],
  cursor: (row: T) => string,
): Generator<T> {
  let after: string | undefined;
  for (;;) {
    const from = after;
    const rows = read((view) => page(view, { limit: ROWS, ...(from === undefined ? {} : { after: from }) }));
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS) return;
    after = cursor(last);
  }
}
