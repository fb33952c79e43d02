import { concatBytes, toHex, u64be } from '@uemkit/protocol';
import { CHUNK_BYTES } from './limits.ts';

export const FILE_ID_BYTES = 16;

/** Content of the record of a file: fileId (16) || u64be(bytes) || u64be(time of the last write, ms since 1970). */
export interface FileEntry {
  readonly fileId: Uint8Array;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export function encodeEntry({ fileId, sizeBytes, modifiedMs }: FileEntry): Uint8Array {
  return concatBytes(fileId, u64be(sizeBytes), u64be(modifiedMs));
}

/** What the container sealed itself, so it is of the right form. */
export function decodeEntry(content: Uint8Array): FileEntry {
  const view = new DataView(content.buffer, content.byteOffset + FILE_ID_BYTES, 16);
  const number = (at: number): number => view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
  return { fileId: content.slice(0, FILE_ID_BYTES), sizeBytes: number(0), modifiedMs: number(8) };
}

export function chunksOfEntry({ sizeBytes }: FileEntry): number {
  return Math.ceil(sizeBytes / CHUNK_BYTES);
}

export function idOf({ fileId }: FileEntry): string {
  return toHex(fileId);
}
