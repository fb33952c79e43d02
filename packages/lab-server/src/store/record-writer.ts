import type { StoredRecord, StoredValue } from './stored-record.ts';

/** Records up to this size are written here; larger ones are rare. */
const BUFFER_BYTES = 65_536;
/** Deepest value that is written here; deeper ones are rare. */
const MOST_DEEP = 6;
/** Records with more values are rare, and those with far too many have to be refused. */
const MOST_VALUES = 4_096;
const SIXTEEN_BITS = 0x1_0000;
const THIRTY_TWO_BITS = 0x1_0000_0000;

// Shared: a record is written in one go, and copied out.
const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
let at = 0;
let values = 0;

/**
 * Deterministic CBOR (RFC 8949, 4.2.1) of a usual record: names of fields in ASCII, not too large, nothing that has to be refused.
 * Undefined for any other, which the codec of the protocol writes or refuses.
 */
export function writeRecord(record: StoredRecord): Uint8Array | undefined {
  at = 0;
  values = 0;
  const written = writeMap(record, 0) ? new Uint8Array(buffer.subarray(0, at)) : undefined;
  // Some records hold secrets.
  buffer.fill(0, 0, at);
  return written;
}

function writeMap(record: StoredRecord, depth: number): boolean {
  const names = Object.keys(record).filter((name) => record[name] !== undefined);
  // The encoding of a short ASCII name begins with its length.
  if (names.length > 1) names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  if (!writeHead(5, names.length)) return false;
  for (const name of names) if (name.length > 23 || !writeAscii(name) || !writeValue(record[name] as StoredValue, depth + 1)) return false;
  return true;
}

function writeValue(value: StoredValue, depth: number): boolean {
  if (++values > MOST_VALUES) return false;
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && value >= 0 && writeHead(0, value);
    case 'boolean':
      if (at >= BUFFER_BYTES) return false;
      buffer[at++] = value ? 0xf5 : 0xf4;
      return true;
    case 'string':
      return writeAscii(value) || writeText(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (depth > MOST_DEEP) return false;
  if (value instanceof Uint8Array) {
    if (!writeHead(2, value.length) || value.length > BUFFER_BYTES - at) return false;
    buffer.set(value, at);
    at += value.length;
    return true;
  }
  if (!Array.isArray(value)) return writeMap(value as StoredRecord, depth);
  const items = value as readonly StoredValue[];
  return writeHead(4, items.length) && items.every((item) => writeValue(item, depth + 1));
}

/** Writes a text of ASCII; false, and nothing is written, for any other. */
function writeAscii(text: string): boolean {
  const start = at;
  const { length } = text;
  if (!writeHead(3, length) || length > BUFFER_BYTES - at) return false;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) {
      at = start;
      return false;
    }
    buffer[at + index] = code;
  }
  at += length;
  return true;
}

function writeText(text: string): boolean {
  if (!text.isWellFormed()) return false;
  const length = Buffer.byteLength(text);
  if (!writeHead(3, length) || length > BUFFER_BYTES - at) return false;
  at += buffer.write(text, at, length, 'utf8');
  return true;
}

/** Initial byte with the shortest form of its argument. */
function writeHead(major: number, argument: number): boolean {
  if (at + 9 > BUFFER_BYTES) return false;
  const top = major << 5;
  if (argument < 24) buffer[at++] = top | argument;
  else if (argument < 256) {
    buffer[at++] = top | 24;
    buffer[at++] = argument;
  } else if (argument < SIXTEEN_BITS) {
    buffer[at++] = top | 25;
    at = buffer.writeUInt16BE(argument, at);
  } else if (argument < THIRTY_TWO_BITS) {
    buffer[at++] = top | 26;
    at = buffer.writeUInt32BE(argument, at);
  } else {
    buffer[at++] = top | 27;
    at = buffer.writeUInt32BE(Math.floor(argument / THIRTY_TWO_BITS), at);
    at = buffer.writeUInt32BE(argument % THIRTY_TWO_BITS, at);
  }
  return true;
}
