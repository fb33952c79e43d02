import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { StoredRecord } from './stored-record.ts';

/**
 * Deterministic CBOR with text keys.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for numbers that are not unsigned integers.
 */
export function encodeRecord(record: StoredRecord): Uint8Array {
  return wire.encodeCborRecord(record);
}

/**
 * @param wanted only these fields: a long list is read for a few of them
 * @throws ProtocolError `ERR_STORE_READ` for anything that `encodeRecord` did not write.
 */
export function decodeRecord<T>(bytes: Uint8Array, wanted?: ReadonlySet<string>): T {
  try {
    return wire.decodeCborRecord(bytes, wanted) as T;
  } catch (cause) {
    throw new ProtocolError('ERR_STORE_READ', 'a stored record is damaged', { cause });
  }
}
