import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
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
  has(view: ReadView, id: string): boolean;
  put(tx: WriteView, id: string, record: T): void;
  delete(tx: WriteView, id: string): void;
  page(view: ReadView, query: PageQuery): readonly Row<T>[];
  /** A page with only these fields of each record: what a long list is sorted by takes a fraction of the time. */
  fields<Name extends keyof T & string>(view: ReadView, query: PageQuery, wanted: ReadonlySet<Name>): readonly Row<Pick<T, Name>>[];
}

/** Where the rows of a table stand in the store. */
interface Placement {
  /** Begins like the keys of all ids that begin with `under`. */
  prefixOf(under: string): string;
  keyOf(id: string): string;
  idOf(key: string): string;
}

/** How a table is used. */
export interface TableOptions {
  /**
   * `often`: single rows are read again and again, and are small. `asRecords`: and they change seldom, so what was decoded is kept as well; nobody may change it.
   * `lastOne`: it is mostly the row that was written last, which is kept as a record; nobody may change it either.
   */
  readonly read?: 'often' | 'asRecords' | 'lastOne' | undefined;
}

/** Defines the table `name`. Records hold text, unsigned integers, booleans, bytes, and arrays and records of these. */
export function table<T extends object>(name: string, options?: TableOptions): Table<T> {
  const prefix = `${name}/`;
  const keyOf = (id: string): string => prefix + id;
  return tableAt({ prefixOf: keyOf, keyOf, idOf: (key) => key.slice(prefix.length) }, options);
}

/**
 * Defines a table whose ids begin with the id of a device. The rows that one device has in all such tables stand side by side in the store: what writes several
 * of them writes one page of it. Lists are of one device: `under` has to begin with `partOf(deviceId)`.
 */
export function deviceTable<T extends object>(name: string, options?: TableOptions): Table<T> {
  const keyOf = (id: string): string => {
    const end = id.indexOf('/');
    return end < 0 ? `of-device/${id}/${name}/` : `of-device/${id.slice(0, end)}/${name}${id.slice(end)}`;
  };
  const idOf = (key: string): string => {
    const [, deviceId, , ...rest] = key.split('/') as [string, string, string, ...string[]];
    return rest.length === 1 && rest[0] === '' ? deviceId : [deviceId, ...rest].join('/');
  };
  const prefixOf = (under: string): string => {
    if (!under.includes('/')) throw new ProtocolError('ERR_USAGE_ARGUMENT', `rows of ${name} are listed device by device`);
    return keyOf(under);
  };
  return tableAt({ prefixOf, keyOf, idOf }, options);
}

function tableAt<T extends object>({ prefixOf, keyOf, idOf }: Placement, { read }: TableOptions = {}): Table<T> {
  const names = new wire.CborFieldNames();
  const often = read === 'often' || read === 'asRecords';
  // BOUNDED by the values that a store remembers: the same bytes are the same record.
  const decoded = read === 'asRecords' ? new WeakMap<Uint8Array, T>() : undefined;
  let last: { readonly value: Uint8Array; readonly record: T } | undefined;
  const rows = <R>(view: ReadView, { under = '', after, limit, reverse }: PageQuery, wanted?: ReadonlySet<string>): readonly Row<R>[] => {
    const entries = view.range({ prefix: prefixOf(under), after: after === undefined ? undefined : keyOf(after), limit, reverse });
    return entries.map(({ key, value }) => ({ id: idOf(key), record: decodeRecord<R>(value, wanted, names) }));
  };
  return {
    get(view, id) {
      const value = view.get(keyOf(id), often);
      if (value === undefined) return undefined;
      if (value === last?.value) return last.record;
      const known = decoded?.get(value);
      if (known !== undefined) return known;
      const record = decodeRecord<T>(value, undefined, names);
      decoded?.set(value, record);
      return record;
    },
    has: (view, id) => view.get(keyOf(id), often) !== undefined,
    put(tx, id, record) {
      const value = encodeRecord(record as StoredRecord, names);
      tx.put(keyOf(id), value, true);
      if (read === 'lastOne') last = { value, record };
    },
    delete(tx, id) {
      tx.delete(keyOf(id));
    },
    page: (view, query) => rows(view, query),
    fields: (view, query, wanted) => rows(view, query, wanted),
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
