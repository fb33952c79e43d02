import { crc32 } from 'node:zlib';

/*
 * One commit as it stands in the log, all numbers big-endian:
 *
 *   0  u32  CRC-32 of everything behind it
 *   4  u32  length of the body, bytes
 *   8  u64  sequence: one more than the commit before
 *  16  body: for each write  u16 length of the key · key (ASCII) · u32 length of the value, 0xffffffff deletes · value
 */
const HEADER_BYTES = 16;
const DELETED = 0xffffffff;

/** A commit that was read from the log. */
export interface Frame {
  readonly sequence: number;
  readonly writes: ReadonlyMap<string, Uint8Array | null>;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * A commit to be appended.
 * @param writes by key (ASCII); null deletes
 */
export function encodeFrame(sequence: number, writes: ReadonlyMap<string, Uint8Array | null>): Buffer {
  let lengthBytes = HEADER_BYTES;
  for (const [key, value] of writes) lengthBytes += 6 + key.length + (value?.length ?? 0);
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  let at = HEADER_BYTES;
  for (const [key, value] of writes) {
    const keyAt = at + 2;
    const valueAt = keyAt + key.length + 4;
    bytes[at] = key.length >>> 8;
    bytes[at + 1] = key.length;
    bytes.write(key, keyAt, 'latin1');
    bytes.writeUInt32BE(value === null ? DELETED : value.length, valueAt - 4);
    if (value !== null) bytes.set(value, valueAt);
    at = valueAt + (value?.length ?? 0);
  }
  bytes.writeUInt32BE(lengthBytes - HEADER_BYTES, 4);
  bytes.writeBigUInt64BE(BigInt(sequence), 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** The commit that begins at `at`; undefined: there is none, or not all of it. */
export function readFrame(bytes: Buffer, at: number): Frame | undefined {
  const end = endOfFrame(bytes, at);
  if (end === undefined || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(at)) return undefined;
  const writes = new Map<string, Uint8Array | null>();
  for (let place = at + HEADER_BYTES; place < end; ) {
    const keyAt = place + 2;
    const valueAt = keyAt + bytes.readUInt16BE(place) + 4;
    const key = bytes.toString('latin1', keyAt, valueAt - 4);
    const lengthBytes = bytes.readUInt32BE(valueAt - 4);
    place = lengthBytes === DELETED ? valueAt : valueAt + lengthBytes;
    writes.set(key, lengthBytes === DELETED ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, lengthBytes));
  }
  return { sequence: Number(bytes.readBigUInt64BE(at + 8)), writes, end };
}

/** Where the commit that begins at `at` would end, by its own word. */
export function endOfFrame(bytes: Buffer, at: number): number | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined;
  const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 4);
  return end > bytes.length ? undefined : end;
}
