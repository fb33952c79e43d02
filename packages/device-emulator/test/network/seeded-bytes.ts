import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const PIECE_BYTES = 65_536;

/** Bytes that nothing compresses and that a seed repeats: the key stream of AES-128-CTR. */
export function* seededBytes(seed: number, lengthBytes: number): Generator<Uint8Array> {
  const key = createHash('sha256').update(`uemkit ${seed}`).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE_BYTES);
  for (let left = lengthBytes; left > 0; left -= PIECE_BYTES) yield new Uint8Array(stream.update(zeros.subarray(0, Math.min(left, PIECE_BYTES))));
}

/** Hexadecimal SHA-256. */
export function sha256Of(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

/** Hexadecimal SHA-256 of a file; `no file` when there is none. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece);
  } catch {
    return 'no file';
  }
  return hash.digest('hex');
}
