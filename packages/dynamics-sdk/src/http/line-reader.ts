import { ProtocolError } from '@uemkit/protocol';
import { malformed } from './head.ts';

const CR = 13;
const LF = 10;

/** Lines that end with CR LF, out of pieces of any size; one char for each byte. What waits is bounded by `maxBytes` of its caller. */
export class LineReader {
  #text = '';
  #lines: string[] = [];
  #blockBytes = 0;

  /** A whole line without its end, when there is one. @throws ProtocolError `ERR_WIRE_LIMIT`, `ERR_WIRE_FIELD` */
  line(bytes: Uint8Array, maxBytes: number): { readonly line: string | undefined; readonly rest: Uint8Array } {
    const end = bytes.indexOf(LF);
    const part = end === -1 ? bytes : bytes.subarray(0, end + 1);
    // check: length of a line
    if (this.#text.length + part.length > maxBytes) throw new ProtocolError('ERR_WIRE_LIMIT', 'a line of the server is too long', { details: { maxBytes } });
    for (const byte of part) {
      const isAfterCr = this.#text.charCodeAt(this.#text.length - 1) === CR;
      // check: CR and LF stand together or not at all
      if ((byte === LF) !== isAfterCr) throw malformed('end of a line');
      this.#text += String.fromCharCode(byte);
    }
    const rest = bytes.subarray(part.length);
    if (end === -1) return { line: undefined, rest };
    const line = this.#text.slice(0, -2);
    this.#text = '';
    return { line, rest };
  }

  /** The lines up to an empty one, when that is there. @throws as `line` */
  block(bytes: Uint8Array, maxBytes: number): { readonly lines: string[] | undefined; readonly rest: Uint8Array } {
    let rest = bytes;
    while (rest.length > 0) {
      const read = this.line(rest, maxBytes - this.#blockBytes);
      rest = read.rest;
      if (read.line === undefined) break;
      this.#blockBytes += read.line.length + 2;
      if (read.line === '') {
        const lines = this.#lines;
        this.#lines = [];
        this.#blockBytes = 0;
        return { lines, rest };
      }
      this.#lines.push(read.line);
    }
    return { lines: undefined, rest };
  }
}
