import { AdminProblem } from '../admin/problem.ts';

/** Items of a page that asks for no number. */
export const PAGE_DEFAULT = 100;
/** Most items of a page. */
export const MAX_PAGE_ITEMS = 1_000;

/** Part of a list, as asked for by `max`, `offset`, `sortBy` and `query`. */
export interface ListQuery<Field extends string = string> {
  readonly max: number;
  readonly offset: number;
  readonly sortBy?: { readonly field: Field; readonly descending: boolean } | undefined;
  readonly filter?: { readonly field: Field; readonly value: string; readonly prefix: boolean } | undefined;
}

/** A page with what a caller needs to get the next one. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/** Query parameters of every list. */
export const LIST_PARAMETERS: readonly string[] = ['max', 'offset', 'sortBy', 'query'];

/**
 * Reads the parameters of a list. `sortBy=field` or `sortBy=field DESC`; `query=field=value`, with `*` at the end for a beginning.
 * @throws AdminProblem `INVALID_QUERY` for anything else
 */
export function listQuery<Field extends string>(given: ReadonlyMap<string, string>, fields: readonly Field[]): ListQuery<Field> {
  return {
    max: wholeNumber(given, 'max', PAGE_DEFAULT, 1, MAX_PAGE_ITEMS),
    offset: wholeNumber(given, 'offset', 0, 0, Number.MAX_SAFE_INTEGER),
    sortBy: sortBy(given.get('sortBy'), fields),
    filter: filter(given.get('query'), fields),
  };
}

function wholeNumber(given: ReadonlyMap<string, string>, name: string, fallback: number, min: number, max: number): number {
  const text = given.get(name);
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw wrong(name, `is not a whole number from ${min} to ${max}`);
  return value;
}

function sortBy<Field extends string>(text: string | undefined, fields: readonly Field[]): ListQuery<Field>['sortBy'] {
  if (text === undefined) return undefined;
  const match = /^(\w+)(?: (ASC|DESC))?$/.exec(text);
  const field = fields.find((known) => known === match?.[1]);
  if (field === undefined) throw wrong('sortBy', `is not one of ${fields.join(', ')}, with ASC or DESC behind it`);
  return { field, descending: match?.[2] === 'DESC' };
}

function filter<Field extends string>(text: string | undefined, fields: readonly Field[]): ListQuery<Field>['filter'] {
  if (text === undefined) return undefined;
  const at = text.indexOf('=');
  const field = fields.find((known) => known === text.slice(0, Math.max(at, 0)));
  if (field === undefined) throw wrong('query', `is not field=value with one of ${fields.join(', ')}`);
  const value = text.slice(at + 1);
  return value.endsWith('*') ? { field, value: value.slice(0, -1), prefix: true } : { field, value, prefix: false };
}

function wrong(name: string, problem: string): AdminProblem {
  return new AdminProblem('INVALID_QUERY', `${name} ${problem}`);
}

/** True for an item that fits the filter; without one all do. Comparisons ignore case. */
export function matches<T, Field extends string>(item: T, filter: ListQuery<Field>['filter'], read: (item: T, field: Field) => string): boolean {
  if (filter === undefined) return true;
  const text = read(item, filter.field).toLowerCase();
  const value = filter.value.toLowerCase();
  return filter.prefix ? text.startsWith(value) : text === value;
}

/** Items that may be kept beyond those that the page needs, before they are sorted and the others are let go. */
const SPARE_ITEMS = 1_000;

/**
 * Applies filter, order and page to all items of a list; `read` gives the text of a field. Of an ordered list it keeps at most twice as many items as
 * there are up to the end of the page, and some.
 */
export function pageOf<T, Field extends string>(all: Iterable<T>, query: ListQuery<Field>, read: (item: T, field: Field) => string): ListPage<T> {
  const { filter: wanted, sortBy: order, offset, max } = query;
  if (order === undefined) return unordered(all, query, read);
  const end = offset + max;
  const sign = order.descending ? -1 : 1;
  const compare = (a: Found<T>, b: Found<T>): number => sign * compareText(a.text, b.text);
  let found: Found<T>[] = [];
  for (const item of all) {
    if (!matches(item, wanted, read)) continue;
    found.push({ item, text: read(item, order.field) });
    // One more than the page has: it says that there are more. Equal ones stay in the order of the list.
    if (found.length > 2 * end + SPARE_ITEMS) found = found.sort(compare).slice(0, end + 1);
  }
  found.sort(compare);
  return { items: found.slice(offset, end).map(({ item }) => item), hasMore: found.length > end };
}

interface Found<T> {
  readonly item: T;
  readonly text: string;
}

/** The items in the order of the list; what follows the page is not looked at. */
function unordered<T, Field extends string>(all: Iterable<T>, query: ListQuery<Field>, read: (item: T, field: Field) => string): ListPage<T> {
  const { filter: wanted, offset, max } = query;
  const items: T[] = [];
  let before = 0;
  for (const item of all) {
    if (!matches(item, wanted, read)) continue;
    if (before < offset) before += 1;
    else if (items.length < max) items.push(item);
    else return { items, hasMore: true };
  }
  return { items, hasMore: false };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `next` and `prev` links of a page. */
export function pageLinks(path: string, query: ListQuery, hasMore: boolean): readonly { readonly rel: string; readonly href: string }[] {
  const link = (rel: string, offset: number): { rel: string; href: string } => {
    const parameters = new URLSearchParams({ max: String(query.max), offset: String(offset) });
    if (query.sortBy !== undefined) parameters.set('sortBy', `${query.sortBy.field}${query.sortBy.descending ? ' DESC' : ''}`);
    if (query.filter !== undefined) parameters.set('query', `${query.filter.field}=${query.filter.value}${query.filter.prefix ? '*' : ''}`);
    return { rel, href: `${path}?${parameters}` };
  };
  return [...(query.offset > 0 ? [link('prev', Math.max(0, query.offset - query.max))] : []), ...(hasMore ? [link('next', query.offset + query.max)] : [])];
}
