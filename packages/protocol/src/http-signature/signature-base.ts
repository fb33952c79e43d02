import { utf8 } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import { type Parameters, type StringItem, writeItem, writeList } from './structured-field.ts';

/** A covered component (RFC 9421, 2) with the value that it has in this message. */
export interface Component extends StringItem {
  readonly value: string;
}

/** Printable ASCII: a line break in a value would make two components of one. */
const LINE = /^[\x20-\x7e]*$/;

/**
 * The bytes that are signed (RFC 9421, 2.5): a line for each component, the parameters last, no line break at the end.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for a value that is not one line of ASCII
 */
export function signatureBase(components: readonly Component[], parameters: Parameters): Uint8Array {
  const lines = components.map((component) => `${writeItem(component)}: ${requireLine(component.value)}\n`);
  return utf8(`${lines.join('')}"@signature-params": ${writeList(components, parameters)}`);
}

function requireLine(value: string): string {
  if (!LINE.test(value)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a signed value is one line of ASCII');
  return value;
}
