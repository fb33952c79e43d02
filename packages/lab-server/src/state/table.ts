import type { ReadView, WriteView } from '../store/lab-store.ts';
import { decodeRecord, encodeRecord } from '../store/record-codec.ts';
import type { StoredRecord } from '../store/stored-record.ts';

/** One record with its id. */
export interface Row<T> {
  readonly id: string;
  readonly record: T;
}

/** A page of a table, in the order of ids. */
export interface PageQuery {
  /** Only ids that begin with this text; give whole parts, `partOf(userGuid)`. */
  readonly under?: string | undefined;
  /** Id of the last row of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly reverse?: boolean | undefined;
}

/** Typed records under one prefix of the store. */
export interface Table<T> {
  get(view: ReadView, id: string): T | undefined;
  put(tx: WriteView, id: string, record: T): void;
  delete(tx: WriteView, id: string): void;
  page(view: ReadView, query: PageQuery): readonly Row<T>[];
  /** A page with only these fields of each record: what a long list is sorted by takes a fraction of the time. */
  fields<Name extends keyof T & string>(view: ReadView, query: PageQuery, names: ReadonlySet<Name>): readonly Row<Pick<T, Name>>[];
}

/** Defines the table `name`. Records hold text, unsigned integers, booleans, bytes, and arrays and records of these. */
export function table<T extends object>(name: string): Table<T> {
  const prefix = `${name}/`;
  const rows = <R>(view: ReadView, { under = '', after, limit, reverse }: PageQuery, names?: ReadonlySet<string>): readonly Row<R>[] => {
    const entries = view.range({ prefix: prefix + under, after: after === undefined ? undefined : prefix + after, limit, reverse });
    return entries.map(({ key, value }) => ({ id: key.slice(prefix.length), record: decodeRecord<R>(value, names) }));
  };
  return {
    get(view, id) {
      const value = view.get(prefix + id);
      return value === undefined ? undefined : decodeRecord<T>(value);
    },
    put(tx, id, record) {
      tx.put(prefix + id, encodeRecord(record as StoredRecord));
    },
    delete(tx, id) {
      tx.delete(prefix + id);
    },
    page: (view, query) => rows(view, query),
    fields: (view, query, names) => rows(view, query, names),
  };
}

/** An id of several parts. Each part is escaped, so that no part can pose as two. */
export function joinId(...parts: readonly string[]): string {
  return parts.map(escapePart).join('/');
}

/** Prefix of all ids whose first parts are these. */
export function partOf(...parts: readonly string[]): string {
  return `${joinId(...parts)}/`;
}

/**
 * Keys are ASCII, so that every store orders them alike; names of people are not. Character by character, so that what begins alike
 * still begins alike.
 */
export function escapePart(part: string): string {
  if (/^[\w.@~-]*$/.test(part)) return part;
  return part.toWellFormed().replace(/[^\w.@~-]/gu, (character) => encodeURIComponent(character));
}

/** A number as text that sorts like the number. */
export function sortable(value: number): string {
  return value.toString().padStart(16, '0');
}
