import type { ErrorCode } from '../../errors/codes.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import { LIMITS } from '../limits.ts';
import { compareBytes } from './encode.ts';
import type { CborMap, CborValue } from './value.ts';

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes one value that fills `bytes` and is in the deterministic form.
 * @throws ProtocolError `ERR_WIRE_*`
 */
export function decodeCbor(bytes: Uint8Array): CborValue {
  const input = new Input(bytes);
  const value = input.value(0);
  if (input.offset !== bytes.length) input.fail('ERR_WIRE_TRAILING', 'bytes after the end of the value');
  return value;
}

class Input {
  offset = 0;
  private items = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    // A plain view: the parts of a Buffer would share memory with what was received.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  fail(code: ErrorCode, message: string): never {
    throw new ProtocolError(code, `CBOR: ${message}`, { details: { offset: this.offset } });
  }

  private require(lengthBytes: number): void {
    if (lengthBytes > this.bytes.length - this.offset) this.fail('ERR_WIRE_TRUNCATED', 'value is cut short');
  }

  private take(lengthBytes: number): Uint8Array {
    this.require(lengthBytes);
    const start = this.offset;
    this.offset += lengthBytes;
    return this.bytes.subarray(start, this.offset);
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

  value(depth: number): CborValue {
    if (depth > LIMITS.cborDepth) this.fail('ERR_WIRE_LIMIT', 'nested too deep');
    if (++this.items > LIMITS.cborItems) this.fail('ERR_WIRE_LIMIT', 'too many values');
    this.require(1);
    const initial = this.bytes[this.offset++] as number;
    const info = initial & 31;
    switch (initial >> 5) {
      case 0:
        return this.argument(info);
      case 2:
        return this.take(this.argument(info)).slice();
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

  private text(lengthBytes: number): string {
    const raw = this.take(lengthBytes);
    try {
      return shortAscii(raw) ?? textDecoder.decode(raw);
    } catch {
      return this.fail('ERR_WIRE_TYPE', 'text is not UTF-8');
    }
  }

  private array(count: number, depth: number): readonly CborValue[] {
    const items: CborValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return items;
  }

  private map(count: number, depth: number): CborMap {
    const map = new Map<number | string, CborValue>();
    let previous: number | Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      const start = this.offset;
      const key = this.value(depth + 1);
      if (typeof key !== 'number' && typeof key !== 'string') return this.fail('ERR_WIRE_TYPE', 'map key is neither a number nor text');
      const place = typeof key === 'number' ? key : this.bytes.subarray(start, this.offset);
      if (previous !== undefined) {
        if (typeof previous !== typeof place) this.fail('ERR_WIRE_TYPE', 'map mixes kinds of keys');
        if (!isBefore(previous, place)) this.fail('ERR_WIRE_CANONICAL', 'map keys out of order or twice');
      }
      previous = place;
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}

/** The order of keys: numbers in their shortest form as numbers, texts by their encoding. Both keys are of one kind. */
function isBefore(a: number | Uint8Array, b: number | Uint8Array): boolean {
  return typeof a === 'number' ? a < (b as number) : compareBytes(a, b as Uint8Array) < 0;
}

/** Up to this length the decoder of the platform takes longer. */
const SHORT_BYTES = 40;

/** A short text of ASCII; undefined for any other. */
function shortAscii(raw: Uint8Array): string | undefined {
  if (raw.length > SHORT_BYTES) return undefined;
  let text = '';
  for (const byte of raw) {
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
