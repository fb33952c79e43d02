import { ProtocolError } from '@uemkit/protocol';

/** Name as the server wrote it, and value without blanks around it; one char for each byte. */
export type HeaderField = readonly [name: string, value: string];

/** Status line and headers of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly isHttp10: boolean;
  readonly headers: readonly HeaderField[];
}

/** `SP` and not any blank, one digit for one digit: what is lenient here is where two readers of one answer differ. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
/** RFC 9112, 5: no blank before the colon, and no line that goes on. */
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;

/** Status line and headers, without the empty line behind them (RFC 9112, 4 and 5). @throws ProtocolError `ERR_WIRE_FIELD` */
export function parseHead([first = '', ...lines]: readonly string[]): AnswerHead {
  const status = STATUS_LINE.exec(first);
  // check: form of the status line
  if (status === null) throw malformed('status line');
  return { status: Number(status[2]), statusText: status[3] ?? '', isHttp10: status[1] === '0', headers: parseFields(lines) };
}

/** @throws ProtocolError `ERR_WIRE_FIELD` */
export function parseFields(lines: readonly string[]): HeaderField[] {
  return lines.map((line) => {
    const field = FIELD_LINE.exec(line);
    // check: form of a header
    if (field === null) throw malformed('header');
    return [field[1] as string, field[2] as string];
  });
}

/** How the end of a body is known (RFC 9112, 6.3). */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'end' };

const NO_BODY: readonly number[] = [204, 304];

/** @throws ProtocolError `ERR_WIRE_FIELD` for what two readers could understand in two ways */
export function framingOf({ status, isHttp10, headers }: AnswerHead, method: string): BodyFraming {
  const codings = valuesOf(headers, 'transfer-encoding');
  const lengths = valuesOf(headers, 'content-length');
  // check: one length, or chunks, and never both
  if (lengths.length > 1 || codings.length > 1 || (lengths.length > 0 && codings.length > 0)) throw malformed('length of the body');
  const [coding] = codings;
  // check: no coding but `chunked`, which HTTP/1.0 does not have
  if (coding !== undefined && (isHttp10 || coding.toLowerCase() !== 'chunked')) throw malformed('transfer coding');
  const [length] = lengths;
  // check: form of a length
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw malformed('length of the body');
  if (method === 'HEAD' || NO_BODY.includes(status)) return { kind: 'none' };
  if (coding !== undefined) return { kind: 'chunked' };
  return length === undefined ? { kind: 'end' } : { kind: 'length', bytes: Number(length) };
}

export function valuesOf(headers: readonly HeaderField[], name: string): string[] {
  return headers.filter(([of]) => of.toLowerCase() === name).map(([, value]) => value);
}

export function malformed(what: string): ProtocolError {
  return new ProtocolError('ERR_WIRE_FIELD', `the server does not speak HTTP/1.1: ${what}`);
}
