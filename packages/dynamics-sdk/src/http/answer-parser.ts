import { ProtocolError } from '@uemkit/protocol';
import { type AnswerHead, framingOf, malformed, parseFields, parseHead } from './head.ts';
import { MAX_CHUNK_LINE_BYTES, MAX_HEAD_BYTES, MAX_INTERIM_ANSWERS } from './limits.ts';
import { LineReader } from './line-reader.ts';

/** What came of an answer. */
export type AnswerEvent =
  | { readonly type: 'head'; readonly head: AnswerHead /** False: no byte of a body comes, only `end`. */; readonly hasBody: boolean }
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'end' };

type Phase = 'head' | 'body' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'until end' | 'over';

/** Names of extensions of a chunk, and values without quotes (RFC 9110, 5.6.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
const SIZE_LINE = new RegExp(`^([0-9a-fA-F]{1,12})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*$`);

/**
 * The answer to one request of HTTP/1.1 (RFC 9112), from bytes in pieces of any size. Strict: lines end with CR LF, one way to say how long the body is, nothing is mended.
 * What follows behind the answer is not looked at, since a connection is for one request.
 */
export class AnswerParser {
  readonly #method: string;
  readonly #lines = new LineReader();
  #phase: Phase = 'head';
  #interim = 0;
  #leftBytes = 0;

  /** `method` of the request: what the answer is depends on it. */
  constructor(method: string) {
    this.#method = method;
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** Bytes of `data` are part of `bytes`. @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT`; it takes nothing any more then */
  push(bytes: Uint8Array): AnswerEvent[] {
    const events: AnswerEvent[] = [];
    try {
      for (let rest = bytes; rest.length > 0 && !this.isOver; ) rest = this.#step(rest, events);
    } catch (error) {
      this.#phase = 'over';
      throw error;
    }
    return events;
  }

  /** The server sends no more. @throws ProtocolError `ERR_WIRE_TRUNCATED` when the answer is not whole */
  end(): AnswerEvent[] {
    if (this.isOver) return [];
    const isWhole = this.#phase === 'until end';
    this.#phase = 'over';
    // check: the answer is whole
    if (!isWhole) throw new ProtocolError('ERR_WIRE_TRUNCATED', 'the server ended the connection within its answer');
    return [{ type: 'end' }];
  }

  #step(bytes: Uint8Array, events: AnswerEvent[]): Uint8Array {
    switch (this.#phase) {
      case 'head':
        return this.#block(bytes, (lines) => this.#head(lines, events));
      case 'trailers':
        return this.#block(bytes, (lines) => {
          // Nobody asks for trailers; that they are well-formed says that the end is here.
          parseFields(lines);
          this.#end(events);
        });
      case 'size': {
        const { line, rest } = this.#lines.line(bytes, MAX_CHUNK_LINE_BYTES);
        if (line !== undefined) this.#size(line);
        return rest;
      }
      case 'chunk end': {
        const { line, rest } = this.#lines.line(bytes, MAX_CHUNK_LINE_BYTES);
        // check: a chunk is as long as it says
        if (line !== undefined && line !== '') throw malformed('chunk');
        if (line !== undefined) this.#phase = 'size';
        return rest;
      }
      case 'until end':
        events.push({ type: 'data', bytes });
        return bytes.subarray(bytes.length);
      default:
        return this.#counted(bytes, events);
    }
  }

  /** Lines up to an empty one. */
  #block(bytes: Uint8Array, done: (lines: string[]) => void): Uint8Array {
    const { lines, rest } = this.#lines.block(bytes, MAX_HEAD_BYTES);
    if (lines !== undefined) done(lines);
    return rest;
  }

  #head(lines: readonly string[], events: AnswerEvent[]): void {
    const head = parseHead(lines);
    if (head.status < 200) {
      this.#interim += 1;
      // check: nobody has asked for another protocol, HTTP/1.0 has no interim answers, and they end
      if (head.status === 101 || head.isHttp10 || this.#interim > MAX_INTERIM_ANSWERS) throw malformed('interim answer');
      return;
    }
    const framing = framingOf(head, this.#method);
    const hasBody = framing.kind !== 'none' && !(framing.kind === 'length' && framing.bytes === 0);
    events.push({ type: 'head', head, hasBody });
    if (!hasBody) return this.#end(events);
    if (framing.kind === 'length') this.#leftBytes = framing.bytes;
    this.#phase = framing.kind === 'chunked' ? 'size' : framing.kind === 'length' ? 'body' : 'until end';
  }

  #size(line: string): void {
    const size = SIZE_LINE.exec(line)?.[1];
    // check: form of the size of a chunk
    if (size === undefined) throw malformed('size of a chunk');
    this.#leftBytes = Number.parseInt(size, 16);
    this.#phase = this.#leftBytes === 0 ? 'trailers' : 'chunk';
  }

  #counted(bytes: Uint8Array, events: AnswerEvent[]): Uint8Array {
    const part = bytes.subarray(0, this.#leftBytes);
    this.#leftBytes -= part.length;
    events.push({ type: 'data', bytes: part });
    if (this.#leftBytes === 0) {
      if (this.#phase === 'chunk') this.#phase = 'chunk end';
      else this.#end(events);
    }
    return bytes.subarray(part.length);
  }

  #end(events: AnswerEvent[]): void {
    this.#phase = 'over';
    events.push({ type: 'end' });
  }
}
