import { fromBase64url, toBase64url } from '../bytes/text.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import { SIGNATURE_LIMITS } from './limits.ts';

/**
 * The part of Structured Field Values (RFC 9651) that signatures need: dictionaries of byte sequences and of inner lists of strings, with parameters.
 * Only the form that RFC 9651, 4.1 serialises is read, so that what was signed and what was received are the same text. Not read at all: escapes in strings,
 * negative numbers, decimals, tokens, dates, display strings, booleans other than a bare `true`, and any key that comes twice.
 */

/** Value of a parameter; a bare key is `true`. */
export type BareItem = string | number | true;
export type Parameters = ReadonlyMap<string, BareItem>;

/** A string with parameters, as it names a covered component. */
export interface StringItem {
  readonly text: string;
  readonly parameters: Parameters;
}

export type Member =
  | { readonly kind: 'list'; readonly items: readonly StringItem[]; readonly parameters: Parameters }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly parameters: Parameters };

/** @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT` */
export function readDictionary(field: string, text: string, maxCharacters: number = SIGNATURE_LIMITS.fieldCharacters): ReadonlyMap<string, Member> {
  const reader = new FieldReader(field, text, maxCharacters);
  const members = new Map<string, Member>();
  do {
    const key = reader.key();
    reader.take('=');
    if (members.has(key)) throw malformed(field);
    members.set(key, reader.member());
  } while (reader.passes(', '));
  reader.end();
  return members;
}

/** A byte sequence with parameters that stands alone. @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT` */
export function readBytesItem(
  field: string,
  text: string,
  maxCharacters: number = SIGNATURE_LIMITS.fieldCharacters,
): { readonly value: Uint8Array; readonly parameters: Parameters } {
  const reader = new FieldReader(field, text, maxCharacters);
  const item = { value: reader.bytes(), parameters: reader.parameters() };
  reader.end();
  return item;
}

/** A byte sequence: base64 between colons. */
export function writeBytes(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return `:${text.padEnd(Math.ceil(text.length / 4) * 4, '=')}:`;
}

export function writeItem({ text, parameters }: StringItem): string {
  return `"${text}"${writeParameters(parameters)}`;
}

export function writeList(items: readonly StringItem[], parameters: Parameters): string {
  return `(${items.map(writeItem).join(' ')})${writeParameters(parameters)}`;
}

export function writeParameters(parameters: Parameters): string {
  return [...parameters].map(([key, value]) => (value === true ? `;${key}` : `;${key}=${typeof value === 'number' ? value : `"${value}"`}`)).join('');
}

const KEY = /[a-z*][a-z0-9_.*-]*/y;
/** Printable ASCII without quote and backslash. */
const STRING = /"([\x20\x21\x23-\x5b\x5d-\x7e]*)"/y;
const INTEGER = /0|[1-9]\d{0,14}/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;

class FieldReader {
  readonly #field: string;
  readonly #text: string;
  #at = 0;

  constructor(field: string, text: string, maxCharacters: number) {
    if (text.length > maxCharacters) throw new ProtocolError('ERR_WIRE_LIMIT', `${field}: is too long`, { details: { field } });
    this.#field = field;
    this.#text = text;
  }

  key(): string {
    return this.#match(KEY)[0];
  }

  member(): Member {
    if (this.#text[this.#at] === ':') return { kind: 'bytes', value: this.bytes(), parameters: this.parameters() };
    return { kind: 'list', items: this.#list(), parameters: this.parameters() };
  }

  bytes(): Uint8Array {
    const text = this.#match(BYTES)[1] as string;
    let value: Uint8Array;
    try {
      value = fromBase64url(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'));
    } catch {
      throw malformed(this.#field);
    }
    // Padding is part of the one form.
    if (writeBytes(value) !== `:${text}:`) throw malformed(this.#field);
    return value;
  }

  parameters(): Parameters {
    const parameters = new Map<string, BareItem>();
    while (this.passes(';')) {
      const key = this.key();
      if (parameters.has(key)) throw malformed(this.#field);
      if (parameters.size === SIGNATURE_LIMITS.parameters) throw tooMany(this.#field);
      parameters.set(key, this.passes('=') ? this.#bareItem() : true);
    }
    return parameters;
  }

  /** True when `text` comes next; it is behind the reader then. */
  passes(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  take(text: string): void {
    if (!this.passes(text)) throw malformed(this.#field);
  }

  end(): void {
    if (this.#at !== this.#text.length) throw malformed(this.#field);
  }

  #list(): readonly StringItem[] {
    const items: StringItem[] = [];
    this.take('(');
    if (this.passes(')')) return items;
    do {
      if (items.length === SIGNATURE_LIMITS.components) throw tooMany(this.#field);
      items.push({ text: this.#string(), parameters: this.parameters() });
    } while (this.passes(' '));
    this.take(')');
    return items;
  }

  #bareItem(): BareItem {
    return this.#text[this.#at] === '"' ? this.#string() : Number(this.#match(INTEGER)[0]);
  }

  #string(): string {
    return this.#match(STRING)[1] as string;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw malformed(this.#field);
    this.#at = pattern.lastIndex;
    return match;
  }
}

/** One error for whatever is wrong with a field. */
export function malformed(field: string): ProtocolError {
  return new ProtocolError('ERR_WIRE_FIELD', `${field}: is not of the form that signatures use`, { details: { field } });
}

function tooMany(field: string): ProtocolError {
  return new ProtocolError('ERR_WIRE_LIMIT', `${field}: has too many parts`, { details: { field } });
}
