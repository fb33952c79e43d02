import type { StoredRecord, StoredValue } from './stored-record.ts';

/** Texts up to this length are put together here; for longer ones the decoder of the platform is faster. */
const SHORT_CHARACTERS = 40;
const MOST_DEEP = 6;

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

let bytes: Uint8Array = new Uint8Array();
let at = 0;

/** A record inherits nothing, whatever its fields are called, and yet has the shape of an ordinary object, which takes a fraction of memory and time. */
const Fields = function Fields() {} as unknown as new () => object;
Fields.prototype = Object.create(null);

/** What is not as `writeRecord` writes it. */
const OTHER: unique symbol = Symbol('other');

/** A record as `writeRecord` has written it; undefined for anything else, damaged ones included, which the codec of the protocol reads or refuses. */
export function readRecord(record: Uint8Array): StoredRecord | undefined {
  bytes = record;
  at = 0;
  const value = record.length > 0 && (record[0] as number) >> 5 === 5 ? readValue(0) : OTHER;
  const isWhole = at === record.length;
  bytes = EMPTY;
  return value === OTHER || !isWhole ? undefined : (value as StoredRecord);
}

const EMPTY = new Uint8Array();

function readValue(depth: number): StoredValue | typeof OTHER {
  if (at >= bytes.length || depth > MOST_DEEP + 1) return OTHER;
  const initial = bytes[at++] as number;
  if (initial === 0xf4 || initial === 0xf5) return initial === 0xf5;
  const argument = readArgument(initial & 31);
  if (argument === undefined) return OTHER;
  switch (initial >> 5) {
    case 0:
      return argument;
    case 2:
      if (argument > bytes.length - at) return OTHER;
      at += argument;
      return new Uint8Array(bytes.subarray(at - argument, at));
    case 3:
      return readText(argument);
    case 4:
      return readArray(argument, depth);
    case 5:
      return readMap(argument, depth);
    default:
      return OTHER;
  }
}

/** Argument of an initial byte in its shortest form; undefined for anything else. */
function readArgument(info: number): number | undefined {
  if (info < 24) return info;
  const width = 1 << (info - 24);
  if (info > 27 || width > bytes.length - at) return undefined;
  let argument = 0;
  for (const end = at + width; at < end; at++) argument = argument * 256 + (bytes[at] as number);
  const least = width === 1 ? 24 : 2 ** (4 * width);
  return argument < least || argument > Number.MAX_SAFE_INTEGER ? undefined : argument;
}

function readText(length: number): string | typeof OTHER {
  if (length > bytes.length - at) return OTHER;
  const start = at;
  at += length;
  if (length <= SHORT_CHARACTERS) {
    let text = '';
    let index = start;
    for (; index < at; index++) {
      const code = bytes[index] as number;
      if (code > 0x7f) break;
      text += String.fromCharCode(code);
    }
    if (index === at) return text;
  }
  try {
    return textDecoder.decode(bytes.subarray(start, at));
  } catch {
    return OTHER;
  }
}

function readArray(count: number, depth: number): readonly StoredValue[] | typeof OTHER {
  const items: StoredValue[] = [];
  for (let index = 0; index < count; index++) {
    const item = readValue(depth + 1);
    if (item === OTHER) return OTHER;
    items.push(item);
  }
  return items;
}

function readMap(count: number, depth: number): StoredRecord | typeof OTHER {
  const record = new Fields() as Record<string, StoredValue>;
  let previous = '';
  for (let index = 0; index < count; index++) {
    // Names of fields are short: their initial byte has the length.
    const initial = bytes[at++];
    if (initial === undefined || initial < 0x60 || initial > 0x77) return OTHER;
    const name = readText(initial & 31);
    if (name === OTHER || name.length !== (initial & 31)) return OTHER;
    if (index > 0 && (name.length < previous.length || (name.length === previous.length && name <= previous))) return OTHER;
    const value = readValue(depth + 1);
    if (value === OTHER) return OTHER;
    record[name] = value;
    previous = name;
  }
  return record;
}
