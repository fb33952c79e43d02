import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { readRecord } from './record-reader.ts';
import { writeRecord } from './record-writer.ts';
import type { StoredRecord, StoredValue } from './stored-record.ts';

/**
 * Deterministic CBOR with text keys. Each request reads and writes a dozen records, so the usual ones have a way of their own (`writeRecord`) to the same bytes.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for numbers that are not unsigned integers.
 */
export function encodeRecord(record: StoredRecord): Uint8Array {
  return writeRecord(record) ?? wire.encodeCbor(toCbor(record));
}

/** @throws ProtocolError `ERR_STORE_READ` for anything that `encodeRecord` did not write. */
export function decodeRecord<T>(bytes: Uint8Array): T {
  const read = readRecord(bytes);
  if (read !== undefined) return read as T;
  let value: wire.CborValue;
  try {
    value = wire.decodeCbor(bytes);
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'a stored record is damaged', { cause });
  }
  if (!(value instanceof Map)) throw new ProtocolError('ERR_STORE_READ', 'a stored record is not a map');
  return fromCbor(value) as T;
}

function toCbor(value: StoredValue): wire.CborValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return (value as readonly StoredValue[]).map(toCbor);
  const map = new Map<string, wire.CborValue>();
  for (const [field, part] of Object.entries(value as StoredRecord)) if (part !== undefined) map.set(field, toCbor(part));
  return map;
}

function fromCbor(value: wire.CborValue): StoredValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (!(value instanceof Map)) return (value as readonly wire.CborValue[]).map(fromCbor);
  const record: Record<string, StoredValue> = Object.create(null);
  for (const [field, part] of value as wire.CborMap) record[String(field)] = fromCbor(part);
  return record;
}
