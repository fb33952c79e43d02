import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { StoredRecord } from './stored-record.ts';

/**
 * Deterministic CBOR with text keys.
 * @param names of the fields of this kind of record
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for numbers that are not unsigned integers.
 */
export function encodeRecord(record: StoredRecord, names?: wire.CborFieldNames): Uint8Array {
  return wire.encodeCborRecord(record, names);
}

/**
 * @param wanted only these fields: a long list is read for a few of them
 * @param names of the fields of this kind of record
 * @throws ProtocolError `ERR_STORE_READ` for anything that `encodeRecord` did not write.
 */
export function decodeRecord<T>(bytes: Uint8Array, wanted?: ReadonlySet<string>, names?: wire.CborFieldNames): T {
  try {
    return wire.decodeCborRecord(bytes, wanted, names) as T;
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'a stored record is damaged', { cause });
  }
}
