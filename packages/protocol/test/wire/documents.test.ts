import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeCbor } from '../../src/wire/cbor/decode.ts';
import { encodeCbor } from '../../src/wire/cbor/encode.ts';
import { type CborMap, type CborValue, isCborMap } from '../../src/wire/cbor/value.ts';
import type { MessageCodec } from '../../src/wire/frame.ts';
import * as wire from '../../src/wire/index.ts';
import { MESSAGES } from './message-arbitraries.ts';
import { wireError } from './wire-errors.ts';

/*
 * The tables of docs/protocol against what the codecs do: the codec is asked field by field, by leaving each one out.
 */

/** Lines `key name` and `key name, optional`, fields of structures inside one as `4.0`. */
type Fields = readonly string[];

type Reader = (body: CborValue) => object;
type Path = readonly number[];

/** The body with the field at `path` left out. In lists that is the field of the first item. */
function without(value: CborValue, path: Path): CborValue {
  if (Array.isArray(value)) return [without(value[0] as CborValue, path), ...value.slice(1)];
  const [key, ...rest] = path as [number, ...number[]];
  const copy = new Map(value as CborMap) as Map<number, CborValue>;
  if (rest.length === 0) copy.delete(key);
  else copy.set(key, without(copy.get(key) as CborValue, rest));
  return copy as CborMap;
}

function namesAt(decoded: unknown, names: readonly string[]): readonly string[] {
  let place = decoded;
  for (const name of names) {
    place = (place as Record<string, unknown>)[name];
    if (Array.isArray(place)) place = place[0];
  }
  return Object.keys(place as object);
}

/** Adds the fields of one body, those of structures inside it too, to what is known. */
function ask(read: Reader, body: CborValue, found: Map<string, string>, level = body, path: Path = [], names: readonly string[] = []): void {
  const map = Array.isArray(level) ? level[0] : level;
  if (!isCborMap(map)) return;
  for (const [key, value] of map) {
    if (typeof key !== 'number') return;
    const at = [...path, key];
    let decoded: object | undefined;
    const error = wireError(() => {
      decoded = read(without(body, at));
    });
    const left = error === undefined ? namesAt(decoded, names) : [];
    const name =
      error === undefined ? namesAt(read(body), names).find((candidate) => !left.includes(candidate)) : String(error.details.field).split('.').at(-1);
    found.set(at.join('.'), `${name}${error === undefined ? ', optional' : ''}`);
    ask(read, body, found, value, at, [...names, name as string]);
  }
}

function coded(read: Reader, bodies: readonly CborValue[]): Fields {
  const found = new Map<string, string>();
  for (const body of bodies) ask(read, body, found);
  return [...found].map(([key, name]) => `${key} ${name}`).sort();
}

/** Keys of a cell: `0`, `0, 1`, `4.0–4.3`, with whatever says that the field may be missing behind them. */
function keysOf(cell: string): readonly string[] {
  return cell.split(', ').flatMap((part) => {
    const range = /^(\d+\.)?(\d+)–(?:\d+\.)?(\d+)$/.exec(part);
    if (range === null) return /^[\d.]+$/.test(part) ? [part] : [];
    const [first, last] = [Number(range[2]), Number(range[3])];
    return Array.from({ length: last - first + 1 }, (_, index) => `${range[1] ?? ''}${first + index}`);
  });
}

/** Fields by message, from every table that has columns `field` and `key`. The message is named above the table, or in its row beside the type. */
function documented(names: ReadonlySet<string>): ReadonlyMap<string, Fields> {
  const folder = new URL('../../../../docs/protocol/', import.meta.url);
  const fields = new Map<string, string[]>();
  for (const file of readdirSync(folder).filter((name) => /^\d\d-.*\.md$/.test(name))) {
    let current: string | undefined;
    let columns: readonly string[] = [];
    for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n')) {
      if (!line.startsWith('| ')) {
        const named = /`(\w+)`(?:,? 0x[0-9a-f]{2}|\))/.exec(line.replaceAll('(`', '`'))?.[1];
        if (named !== undefined && names.has(named)) current = named;
        columns = line.startsWith('|--') ? columns : [];
        continue;
      }
      const cells = line.split('|').map((cell) => cell.trim().replace(/^… /, ''));
      if (columns.length === 0) columns = cells;
      const [field, key, only] = ['field', 'key', 'in'].map((column) => cells[columns.indexOf(column)]);
      if (field === undefined || key === undefined || field === 'field') continue;
      const inRow = /^0x/.test(cells[1] as string) ? /`(\w+)`/.exec(cells[2] as string)?.[1] : undefined;
      current = inRow ?? current;
      if (current === undefined) continue;
      const optional = /optional|exactly with/.test(key) || (only !== undefined && only !== 'all') ? ', optional' : '';
      const known = fields.get(current) ?? [];
      for (const [index, number] of keysOf(key).entries()) known.push(`${number} ${field.split(', ')[index]}${optional}`);
      fields.set(current, known);
    }
  }
  return new Map([...fields].map(([name, list]) => [name, list.sort()]));
}

const CODECS: Readonly<Record<string, unknown>> = { ...wire };
const DOCUMENTED = documented(new Set([...Object.keys(MESSAGES), 'qrCode']));

it.each(Object.entries(MESSAGES))('docs/protocol has the fields of %s, and no others', (name, values) => {
  const codec = CODECS[name] as MessageCodec<object>;
  const bodies = fc.sample(values as fc.Arbitrary<object>, { numRuns: 40, seed: 1 }).map((value) => decodeCbor(codec.encodeBody(value)));
  expect(DOCUMENTED.get(name)).toEqual(coded((body) => codec.decodeBody(encodeCbor(body)), bodies));
});

it('docs/protocol has the fields of the QR code, and no others', () => {
  const [secret, spkiPin] = [new Uint8Array(16), new Uint8Array(32)];
  const content = { format: 1, host: 'lab.example:8443', userId: 'alice', secret, spkiPin, coreId: 'core-1', expiryEpochS: 1, secretSlot: 1 };
  expect(DOCUMENTED.get('qrCode')).toEqual(coded((body) => wire.qrCode.decode(body, 'qrCode'), [wire.qrCode.encode(content, 'qrCode')]));
});
