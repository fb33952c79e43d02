import { type Gcm, utf8 } from '@uemkit/protocol';

const LABEL = utf8('uemkit/1 container chunk');
const NONCE_BYTES = 12;

/** Place of a chunk in its file. The key is the file's own, so the nonce is the place: 7 zero bytes || u32be(index) || 1 for the last chunk, else 0. */
export interface ChunkPlace {
  readonly index: number;
  readonly last: boolean;
}

export function sealChunk(gcm: Gcm, place: ChunkPlace, plaintext: Uint8Array): Uint8Array {
  return gcm.seal(nonceOf(place), LABEL, plaintext);
}

/** @throws ProtocolError `ERR_CRYPTO_OPEN` when it is not this chunk of this file, or was not the last and should be */
export function openChunk(gcm: Gcm, place: ChunkPlace, sealed: Uint8Array): Uint8Array {
  return gcm.open(nonceOf(place), LABEL, sealed);
}

function nonceOf({ index, last }: ChunkPlace): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[NONCE_BYTES - 1] = last ? 1 : 0;
  return nonce;
}
