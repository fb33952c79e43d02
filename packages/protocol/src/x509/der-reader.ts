import { ProtocolError } from '../errors/protocol-error.ts';
import { LIMITS } from '../wire/limits.ts';
import { DER_TAG } from './der-writer.ts';

/** Nesting of values; our deepest structure has nine levels. */
const MAX_DEPTH = 12;

/** One value: `content` without, `raw` with tag and length. Both are views of the input. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

/** The one error of everything that reads certificates. */
export function formatError(problem: string): ProtocolError {
  return new ProtocolError('ERR_CERTIFICATE_FORMAT', problem);
}

/**
 * Reads the values of one level in order. Only DER: definite lengths in the shortest form, low tag numbers, nothing left over.
 * Depth is bounded by MAX_DEPTH, size by `LIMITS.certificateBytes`.
 */
export class DerReader {
  private readonly bytes: Uint8Array;
  private readonly depth: number;
  private offset = 0;

  /** @throws ProtocolError `ERR_CERTIFICATE_FORMAT` */
  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > MAX_DEPTH) throw formatError('DER is nested too deep');
    if (bytes.length > LIMITS.certificateBytes) throw formatError('DER is too large');
    this.bytes = bytes;
    this.depth = depth;
  }

  get atEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  /** True when the next value has this tag. */
  isNext(tag: number): boolean {
    return this.bytes[this.offset] === tag;
  }

  /** The next value, which must have this tag. */
  next(tag: number): DerValue {
    const start = this.offset;
    if (!this.isNext(tag)) throw formatError('DER value has another type');
    const lengthBytes = this.lengthAfter(start + 1);
    const contentStart = this.offset;
    if (lengthBytes > this.bytes.length - contentStart) throw formatError('DER value is cut short');
    this.offset = contentStart + lengthBytes;
    return { tag, content: this.bytes.subarray(contentStart, this.offset), raw: this.bytes.subarray(start, this.offset) };
  }

  /** The values inside of the next value. */
  enter(tag: number): DerReader {
    return new DerReader(this.next(tag).content, this.depth + 1);
  }

  /** The values inside of a value that was read from here. */
  inside(value: DerValue): DerReader {
    return new DerReader(value.content, this.depth + 1);
  }

  /** Refuses anything that is left over. */
  end(): void {
    if (!this.atEnd) throw formatError('DER has more than it should');
  }

  /** The next value with this tag, or undefined when another one or none follows. */
  optional(tag: number): DerValue | undefined {
    return this.isNext(tag) ? this.next(tag) : undefined;
  }

  /** A non-negative integer: its magnitude without leading zeros. */
  integer(): Uint8Array {
    const { content } = this.next(DER_TAG.integer);
    const [first, second] = content;
    if (first === undefined || first >= 0x80) throw formatError('integer is negative or empty');
    if (first === 0 && second !== undefined && second < 0x80) throw formatError('integer is not in the shortest form');
    return first === 0 && content.length > 1 ? content.subarray(1) : content;
  }

  /** A bit string of whole bytes. */
  bitString(): Uint8Array {
    const { content } = this.next(DER_TAG.bitString);
    if (content[0] !== 0) throw formatError('bit string does not end at a byte');
    return content.subarray(1);
  }

  /** An optional boolean with default false: DER writes it only when it is true. */
  optionalTrue(): boolean {
    const value = this.optional(DER_TAG.boolean);
    if (value === undefined) return false;
    if (value.content.length !== 1 || value.content[0] !== 0xff) throw formatError('boolean is not true');
    return true;
  }

  private lengthAfter(offset: number): number {
    const first = this.bytes[offset];
    if (first === undefined) throw formatError('DER value is cut short');
    this.offset = offset + 1;
    if (first < 0x80) return first;
    const width = first & 0x7f;
    // Two bytes are enough for everything under the size limit; 0 would be the indefinite form.
    if (width === 0 || width > 2) throw formatError('DER length is indefinite or too large');
    let lengthBytes = 0;
    for (let i = 0; i < width; i++) {
      const byte = this.bytes[this.offset++];
      if (byte === undefined) throw formatError('DER value is cut short');
      lengthBytes = lengthBytes * 256 + byte;
    }
    if (lengthBytes < (width === 1 ? 0x80 : 0x100)) throw formatError('DER length is not in the shortest form');
    return lengthBytes;
  }
}

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a UTF8String, PrintableString or IA5 value. */
export function readText(content: Uint8Array): string {
  try {
    return textDecoder.decode(content);
  } catch {
    throw formatError('text is not UTF-8');
  }
}

/** A date in one of the two forms of RFC 5280, with seconds and in UTC; milliseconds since 1970. */
export function readTime(reader: DerReader): number {
  const utc = reader.optional(DER_TAG.utcTime);
  const value = utc ?? reader.next(DER_TAG.generalizedTime);
  const text = readText(value.content);
  if (!(utc === undefined ? /^\d{14}Z$/ : /^\d{12}Z$/).test(text)) throw formatError('date is not in the form of RFC 5280');
  const full = utc === undefined ? text : `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}`;
  const part = (from: number, to: number): string => full.slice(from, to);
  const iso = `${part(0, 4)}-${part(4, 6)}-${part(6, 8)}T${part(8, 10)}:${part(10, 12)}:${part(12, 14)}.000Z`;
  const timeMs = Date.parse(iso);
  // `Date.parse` rolls 31 February over; such a date is refused.
  if (Number.isNaN(timeMs) || new Date(timeMs).toISOString() !== iso) throw formatError('date does not exist');
  if (utc === undefined && Number(part(0, 4)) < 2050) throw formatError('date before 2050 is not a UTCTime');
  return timeMs;
}
