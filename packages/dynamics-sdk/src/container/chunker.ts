import { wipe } from '@uemkit/protocol';
import { CHUNK_BYTES } from './limits.ts';

/** A part of a file; they come in its order. */
export interface Chunk {
  readonly plaintext: Uint8Array;
  readonly last: boolean;
}

/** Cuts bytes that are there all at once; the chunks are parts of them, not copies. */
export function* cutBytes(bytes: Uint8Array): Generator<Chunk> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield { plaintext: bytes.subarray(at, at + CHUNK_BYTES), last: at + CHUNK_BYTES >= bytes.length };
}

/**
 * Cuts a stream into chunks of one size. The last is the one that is not full, or the full one that nothing follows; of an empty stream there is none.
 * Each chunk is good until the next is asked for: all of them are one array.
 */
export async function* cutChunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Chunk> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  try {
    for await (const part of source) {
      for (let at = 0; at < part.length; ) {
        if (filled === CHUNK_BYTES) {
          yield { plaintext: chunk, last: false };
          filled = 0;
        }
        const taken = part.subarray(at, at + CHUNK_BYTES - filled);
        chunk.set(taken, filled);
        filled += taken.length;
        at += taken.length;
      }
    }
    if (filled > 0) yield { plaintext: chunk.subarray(0, filled), last: true };
  } finally {
    wipe(chunk);
  }
}
