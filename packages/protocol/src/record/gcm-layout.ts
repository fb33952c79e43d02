import { LIMITS } from '../wire/limits.ts';

/*
 * offset size field
 * 0      1    type: 0x17 data, 0x15 alert, 0x18 key update
 * 1      2    length n of what follows, big-endian, 16 to 33,040
 * 3      n    ciphertext, then the tag of 16 bytes
 *
 * Bytes 0 to 2 are the associated data. The sequence number is not sent.
 */
export const GCM_RECORD_TYPES = { data: 0x17, alert: 0x15, keyUpdate: 0x18 } as const;

export type GcmRecordName = keyof typeof GCM_RECORD_TYPES;

export const GCM_HEADER_BYTES = 3;
export const GCM_TAG_BYTES = 16;
export const GCM_NONCE_BYTES = 12;
/** Most bytes after the header. */
export const GCM_MAX_BODY_BYTES: number = LIMITS.gcmPlaintextBytes + GCM_TAG_BYTES;

const NAMES: ReadonlyMap<number, GcmRecordName> = new Map(Object.entries(GCM_RECORD_TYPES).map(([name, type]) => [type, name as GcmRecordName]));

/** Name of a record type, or undefined for a number that stands for none. */
export function gcmRecordName(type: number): GcmRecordName | undefined {
  return NAMES.get(type);
}

/** Writes the header of a record, which is its associated data, into `header`. */
export function writeGcmHeader(header: Uint8Array, name: GcmRecordName, bodyBytes: number): void {
  header[0] = GCM_RECORD_TYPES[name];
  header[1] = bodyBytes >> 8;
  header[2] = bodyBytes & 0xff;
}

/** True for a length that the body of a record can have. */
export function isGcmBodyLength(lengthBytes: number): boolean {
  return lengthBytes >= GCM_TAG_BYTES && lengthBytes <= GCM_MAX_BODY_BYTES;
}
