import { concatBytes, utf8 } from '../bytes/bytes.ts';
import { ProtocolError } from '../errors/protocol-error.ts';

/** Tags of ASN.1 values that our certificates hold (X.690). */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a context-specific value: `[number]`, constructed or primitive. */
export function contextTag(number: number, form: 'constructed' | 'primitive'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

/** One value: tag, shortest length, content. */
export function derValue(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0;
  for (const part of content) lengthBytes += part.length;
  return concatBytes(derHeader(tag, lengthBytes), ...content);
}

function derHeader(tag: number, lengthBytes: number): Uint8Array {
  if (lengthBytes < 0x80) return Uint8Array.of(tag, lengthBytes);
  if (lengthBytes <= 0xff) return Uint8Array.of(tag, 0x81, lengthBytes);
  if (lengthBytes <= 0xffff) return Uint8Array.of(tag, 0x82, lengthBytes >> 8, lengthBytes & 0xff);
  throw new ProtocolError('ERR_USAGE_ARGUMENT', 'DER value is too long', { details: { lengthBytes } });
}

export function derSequence(...items: readonly Uint8Array[]): Uint8Array {
  return derValue(DER_TAG.sequence, ...items);
}

export function derSet(item: Uint8Array): Uint8Array {
  return derValue(DER_TAG.set, item);
}

/** A non-negative integer of big-endian bytes, in the shortest form. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const shortest = magnitude.subarray(start);
  const negative = ((shortest[0] ?? 0) & 0x80) !== 0;
  return negative ? derValue(DER_TAG.integer, Uint8Array.of(0), shortest) : derValue(DER_TAG.integer, shortest.length === 0 ? Uint8Array.of(0) : shortest);
}

/** A bit string of whole bytes. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derValue(DER_TAG.bitString, Uint8Array.of(0), bytes);
}

export function derOctetString(bytes: Uint8Array): Uint8Array {
  return derValue(DER_TAG.octetString, bytes);
}

export function derUtf8String(text: string): Uint8Array {
  return derValue(DER_TAG.utf8String, utf8(text));
}

/** True; false is the default of every field that we write, and DER leaves defaults out. */
export function derTrue(): Uint8Array {
  return Uint8Array.of(DER_TAG.boolean, 1, 0xff);
}

/**
 * A date as RFC 5280, 4.1.2.5 wants it: UTCTime until 2049, GeneralizedTime from then on. Parts of a second are dropped.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` outside the years 1950 to 9999
 */
export function derTime(timeMs: number): Uint8Array {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'date is outside of what a certificate can hold');
  const text = `${date.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
  return year < 2050 ? derValue(DER_TAG.utcTime, utf8(text.slice(2))) : derValue(DER_TAG.generalizedTime, utf8(text));
}
