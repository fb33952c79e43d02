import { ProtocolError } from '../../errors/protocol-error.ts';
import { LIMITS } from '../limits.ts';
import type { CborMap, CborValue } from './value.ts';
import { isCborMap } from './value.ts';

const MAJOR_UINT = 0;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
export const MAJOR_MAP = 5;
const FALSE = 0xf4;
const TRUE = 0xf5;

const textEncoder = new TextEncoder();

/** Wake-ups, acknowledgements and the like fit; engines keep arrays of this length in their own heap, where they cost least. */
const FIRST_BYTES = 64;
/** Most other messages fit, so that the buffer seldom grows again. */
const GROWN_BYTES = 512;

/** Growing output buffer of one encoding. */
export class CborOutput {
  private bytes: Uint8Array;
  private length: number;
  private items = 0;

  /**
   * @param room bytes left free at the start, for the caller
   * @param first what is written into as long as it has room; for callers whose output is small and often made
   */
  constructor(room: number, first?: Uint8Array) {
    this.length = room;
    this.bytes = first ?? new Uint8Array(FIRST_BYTES);
  }

  /** Counts one value, so that nothing is written which the peer would refuse. */
  item(depth: number): void {
    if (depth > LIMITS.cborDepth) throw new ProtocolError('ERR_WIRE_LIMIT', 'CBOR: nested too deep');
    if (++this.items > LIMITS.cborItems) throw new ProtocolError('ERR_WIRE_LIMIT', 'CBOR: too many values');
  }

  private reserve(lengthBytes: number): void {
    if (this.length + lengthBytes <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(GROWN_BYTES, 2 * this.bytes.length, this.length + lengthBytes));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The same for a few bytes, for which a loop takes less. */
  short(few: Uint8Array): void {
    this.reserve(few.length);
    const { bytes, length } = this;
    for (let index = 0; index < few.length; index++) bytes[length + index] = few[index] as number;
    this.length = length + few.length;
  }

  /** Initial byte with the shortest form of its argument (RFC 8949, 4.2.1). */
  head(major: number, argument: number): void {
    const top = major << 5;
    if (argument < 24) return this.byte(top | argument);
    if (argument <= 0xff) {
      this.byte(top | 24);
      return this.byte(argument);
    }
    if (argument <= 0xffff) {
      this.byte(top | 25);
      this.byte(argument >>> 8);
      return this.byte(argument & 0xff);
    }
    if (argument <= 0xffff_ffff) {
      this.byte(top | 26);
      return this.word(argument);
    }
    this.byte(top | 27);
    this.word(Math.floor(argument / 0x1_0000_0000));
    this.word(argument % 0x1_0000_0000);
  }

  /** Text with its head; mostly ASCII, which needs no encoder. @throws ProtocolError `ERR_USAGE_ARGUMENT` for a lone surrogate */
  text(value: string): void {
    const start = this.length;
    this.head(MAJOR_TEXT, value.length);
    this.reserve(value.length);
    const { bytes, length } = this;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.length = start;
        return this.utf8(value);
      }
      bytes[length + index] = code;
    }
    this.length = length + value.length;
  }

  private utf8(value: string): void {
    if (!value.isWellFormed()) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'CBOR text has a lone surrogate');
    const text = textEncoder.encode(value);
    this.head(MAJOR_TEXT, text.length);
    this.raw(text);
  }

  /** Four bytes, big-endian. */
  private word(value: number): void {
    this.reserve(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length = length + 4;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** What was written behind the room: a view of `first` when it has had enough, else memory of its own. */
  finishBehind(room: number, first: Uint8Array): Uint8Array {
    return this.bytes === first ? new Uint8Array(first.buffer, room, this.length - room) : this.bytes.slice(room, this.length);
  }
}

/**
 * Deterministic CBOR (RFC 8949, 4.2.1) of one value.
 * @param room zeros before the encoding, at most 16, where the caller writes a header of its own
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for values outside the subset, `ERR_WIRE_LIMIT` when nested too deep or too many.
 */
export function encodeCbor(value: CborValue, room = 0): Uint8Array {
  const output = new CborOutput(room);
  encodeValue(output, value, 0);
  return output.finish();
}

/** Writes what is none of the values of the subset. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
type WriteOther = (output: CborOutput, value: unknown, depth: number) => void;

const refuse: WriteOther = () => {
  throw new ProtocolError('ERR_USAGE_ARGUMENT', 'CBOR cannot hold this value');
};

/** Writes one value; `other` has what else may be in it. */
export function encodeValue<Other = never>(output: CborOutput, value: CborValue | Other, depth: number, other: WriteOther = refuse): void {
  output.item(depth);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'CBOR number is not an unsigned integer');
    output.head(MAJOR_UINT, value);
  } else if (typeof value === 'string') {
    output.text(value);
  } else if (typeof value === 'boolean') {
    output.byte(value ? TRUE : FALSE);
  } else if (value instanceof Uint8Array) {
    output.head(MAJOR_BYTES, value.length);
    output.raw(value);
  } else if (isCborMap(value as CborValue)) {
    encodeMap(output, value as CborMap, depth);
  } else if (Array.isArray(value)) {
    output.head(MAJOR_ARRAY, value.length);
    for (const item of value as readonly CborValue[]) encodeValue(output, item, depth + 1, other);
  } else {
    other(output, value, depth);
  }
}

function encodeMap(output: CborOutput, map: CborMap, depth: number): void {
  output.head(MAJOR_MAP, map.size);
  for (const key of sortedKeys([...map.keys()])) {
    encodeValue(output, key, depth + 1);
    encodeValue(output, map.get(key) as CborValue, depth + 1);
  }
}

/**
 * The keys in the bytewise order of their encodings (RFC 8949, 4.2.1). The shortest form of a number grows with the number, and the form of
 * a text begins with its length, so nothing is encoded to be sorted but texts that are not ASCII.
 */
function sortedKeys(keys: (number | string)[]): readonly (number | string)[] {
  if (keys.every(isNumber)) return isAscending(keys) ? keys : keys.sort((a, b) => a - b);
  if (!keys.every(isText)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'CBOR map mixes kinds of keys');
  return sortedTexts(keys);
}

/** The same for texts. The array that is given is the one that is sorted. */
export function sortedTexts(keys: string[]): readonly string[] {
  if (keys.every(isAscii)) return keys.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const encoded = new Map(keys.map((key) => [key, encodeCbor(key)]));
  return keys.sort((a, b) => compareBytes(encoded.get(a) as Uint8Array, encoded.get(b) as Uint8Array));
}

const isNumber = (key: number | string): key is number => typeof key === 'number';
const isText = (key: number | string): key is string => typeof key === 'string';

function isAscii(key: string): boolean {
  for (let index = 0; index < key.length; index++) if (key.charCodeAt(index) > 0x7f) return false;
  return true;
}

function isAscending(keys: readonly number[]): boolean {
  return keys.every((key, index) => index === 0 || (keys[index - 1] as number) < key);
}

/** Bytewise lexicographic order, the order of keys in a deterministic map. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
