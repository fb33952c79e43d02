import type { ErrorCode } from '../../errors/codes.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import { LIMITS } from '../limits.ts';
import type { CborMap, CborValue } from './value.ts';

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes one value that fills `bytes` and is in the deterministic form.
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function decodeCbor(bytes: Uint8Array): CborValue {
  return new MapInput(bytes).whole();
}

/** What a value is read as; `M` stands for its maps. */
export type Decoded<M> = number | Uint8Array | string | boolean | readonly Decoded<M>[] | M;

/** One encoding that is read; what a map becomes is left open. */
export abstract class CborInput<M> {
  protected offset = 0;
  private items = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    // A plain view: the parts of a Buffer would share memory with what was received.
    this.bytes = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The value that fills the input. @throws ProtocolError `ERR_WIRE_*` */
  whole(): Decoded<M> {
    const value = this.value(0);
    if (this.offset !== this.bytes.length) this.fail('ERR_WIRE_TRAILING', 'bytes after the end of the value');
    return value;
  }

  protected fail(code: ErrorCode, message: string): never {
    throw new ProtocolError(code, `CBOR: ${message}`, { details: { offset: this.offset } });
  }

  private require(lengthBytes: number): void {
    if (lengthBytes > this.bytes.length - this.offset) this.fail('ERR_WIRE_TRUNCATED', 'value is cut short');
  }

  /** Goes over so many bytes, and gives where they begin. */
  private pass(lengthBytes: number): number {
    this.require(lengthBytes);
    const start = this.offset;
    this.offset += lengthBytes;
    return start;
  }

  /** Argument of an initial byte; anything but the shortest form is refused. */
  private argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) this.fail('ERR_WIRE_TYPE', 'reserved or indefinite length');
    const width = 1 << (info - 24);
    this.require(width);
    let argument = 0;
    for (const end = this.offset + width; this.offset < end; this.offset++) argument = argument * 256 + (this.bytes[this.offset] as number);
    if (!Number.isSafeInteger(argument)) this.fail('ERR_WIRE_LIMIT', 'number over 2^53-1');
    const least = width === 1 ? 24 : 2 ** (4 * width);
    if (argument < least) this.fail('ERR_WIRE_CANONICAL', 'number is not in the shortest form');
    return argument;
  }

  protected value(depth: number): Decoded<M> {
    const initial = this.initial(depth);
    const info = initial & 31;
    switch (initial >> 5) {
      case 0:
        return this.argument(info);
      case 2:
        return this.bytes.slice(this.pass(this.argument(info)), this.offset);
      case 3:
        return this.text(this.argument(info));
      case 4:
        return this.array(this.argument(info), depth);
      case 5:
        return this.map(this.argument(info), depth);
      case 7:
        if (info === 20 || info === 21) return info === 21;
    }
    return this.fail('ERR_WIRE_TYPE', 'type outside the subset');
  }

  /** Initial byte of one more value. */
  private initial(depth: number): number {
    this.item(depth);
    return this.bytes[this.pass(1)] as number;
  }

  private item(depth: number): void {
    if (depth > LIMITS.cborDepth) this.fail('ERR_WIRE_LIMIT', 'nested too deep');
    if (++this.items > LIMITS.cborItems) this.fail('ERR_WIRE_LIMIT', 'too many values');
  }

  /** Goes over the next value when it has this encoding, of at least one byte. False: nothing was read. */
  protected passEncoding(encoding: Uint8Array, depth: number): boolean {
    const { bytes, offset } = this;
    if (encoding.length > bytes.length - offset) return false;
    for (let index = 0; index < encoding.length; index++) if (bytes[offset + index] !== encoding[index]) return false;
    this.item(depth);
    this.offset = offset + encoding.length;
    return true;
  }

  /** Goes over one value without making anything of it: that it is whole is all that is looked at. */
  protected skip(depth: number): void {
    const initial = this.initial(depth);
    const argument = this.argument(initial & 31);
    switch (initial >> 5) {
      case 0:
      case 7:
        return;
      case 2:
      case 3:
        return void this.pass(argument);
      case 4:
        return this.skipAll(argument, depth);
      case 5:
        return this.skipAll(2 * argument, depth);
    }
    this.fail('ERR_WIRE_TYPE', 'type outside the subset');
  }

  private skipAll(count: number, depth: number): void {
    for (let left = count; left > 0; left--) this.skip(depth + 1);
  }

  private text(lengthBytes: number): string {
    const start = this.pass(lengthBytes);
    const short = lengthBytes > SHORT_BYTES ? undefined : ascii(this.bytes, start, this.offset);
    if (short !== undefined) return short;
    try {
      return textDecoder.decode(this.bytes.subarray(start, this.offset));
    } catch {
      return this.fail('ERR_WIRE_TYPE', 'text is not UTF-8');
    }
  }

  private array(count: number, depth: number): readonly Decoded<M>[] {
    const items: Decoded<M>[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return items;
  }

  protected abstract map(count: number, depth: number): M;

  /** Refuses a key that is not behind the one before it: two encodings by their offsets, the second one has just been read. */
  protected requireOrder(previous: number, start: number): void {
    const { bytes } = this;
    // The form of a key begins with its length, so none is the beginning of another.
    for (let i = 0; start + i < this.offset; i++) {
      const difference = (bytes[start + i] as number) - (bytes[previous + i] as number);
      if (difference > 0) return;
      if (difference < 0) break;
    }
    this.fail('ERR_WIRE_CANONICAL', 'map keys out of order or twice');
  }
}

class MapInput extends CborInput<CborMap> {
  protected map(count: number, depth: number): CborMap {
    const map = new Map<number | string, CborValue>();
    let kind: string | undefined;
    let previous = 0;
    for (let i = 0; i < count; i++) {
      const start = this.offset;
      const key = this.value(depth + 1);
      if (typeof key !== 'number' && typeof key !== 'string') return this.fail('ERR_WIRE_TYPE', 'map key is neither a number nor text');
      if (kind !== undefined) {
        if (kind !== typeof key) this.fail('ERR_WIRE_TYPE', 'map mixes kinds of keys');
        this.requireOrder(previous, start);
      }
      kind = typeof key;
      previous = start;
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}

/** Up to this length the decoder of the platform takes longer. */
const SHORT_BYTES = 40;

/** A short text of ASCII; undefined for any other. */
function ascii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
