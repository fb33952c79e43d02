import { LIMITS } from '../wire/limits.ts';

/*
 * offset size field
 * 0      1    type = 0x17
 * 1      1    direction: 0 initiator to responder, 1 responder to initiator
 * 2      8    sequence number, from 0, big-endian
 * 10     4    length n of the ciphertext in bytes
 * 14     16   iv
 * 30     n    ciphertext, AES-256-CBC with PKCS #7 padding
 * 30+n   32   tag
 *
 * Bytes 0 to 13 are the associated data.
 */
export const CBC_RECORD_TYPE = 0x17;
export const CBC_HEADER_BYTES = 14;
export const CBC_IV_BYTES = 16;
export const CBC_TAG_BYTES = 32;
/** Bytes of a record that are not ciphertext. */
export const CBC_OVERHEAD_BYTES: number = CBC_HEADER_BYTES + CBC_IV_BYTES + CBC_TAG_BYTES;
export const CBC_BLOCK_BYTES = 16;

/** Which way records of one key go. */
export type Direction = 'initiator-to-responder' | 'responder-to-initiator';

const DIRECTION_NUMBERS: Readonly<Record<Direction, number>> = { 'initiator-to-responder': 0, 'responder-to-initiator': 1 };

/** Header of a record, which is its associated data. */
export function cbcHeader(direction: Direction, sequence: number, ciphertextBytes: number): Uint8Array {
  const header = new Uint8Array(CBC_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint8(0, CBC_RECORD_TYPE);
  view.setUint8(1, DIRECTION_NUMBERS[direction]);
  // A key ends after 2^20 records, so the upper half of the number is never used.
  view.setUint32(6, sequence);
  view.setUint32(10, ciphertextBytes);
  return header;
}

/** Length of the ciphertext of a plaintext: padding adds 1 to 16 bytes. */
export function cbcCiphertextBytes(plaintextBytes: number): number {
  return plaintextBytes + CBC_BLOCK_BYTES - (plaintextBytes % CBC_BLOCK_BYTES);
}

/** True for a length that a ciphertext can have. */
export function isCbcCiphertextLength(lengthBytes: number): boolean {
  return lengthBytes >= CBC_BLOCK_BYTES && lengthBytes % CBC_BLOCK_BYTES === 0 && lengthBytes <= LIMITS.cbcCiphertextBytes;
}
