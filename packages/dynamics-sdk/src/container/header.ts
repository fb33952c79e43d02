import { concatBytes, ProtocolError, sameBytes, utf8 } from '@uemkit/protocol';
import { openFailed } from './open-failed.ts';

const MAGIC = utf8('uemkit container');
const FORMAT = 1;
export const CONTAINER_ID_BYTES = 16;

/** "uemkit container" || u8 format (1) || containerId (16): part of what authenticates the slots. */
export function encodeHeader(containerId: Uint8Array): Uint8Array {
  return concatBytes(MAGIC, Uint8Array.of(FORMAT), containerId);
}

/** @throws ProtocolError `ERR_STORE_VERSION` for the format of a newer version, `ERR_CRYPTO_OPEN` when it is no header */
export function requireHeader(value: Uint8Array): Uint8Array {
  // check: it is a container
  if (!sameBytes(value.subarray(0, MAGIC.length), MAGIC)) throw openFailed();
  const format = value[MAGIC.length] ?? 0;
  // check: format of the container
  if (format > FORMAT) throw new ProtocolError('ERR_STORE_VERSION', 'the container was written by a newer version', { details: { format } });
  // check: length of the header
  if (value.length !== MAGIC.length + 1 + CONTAINER_ID_BYTES || format !== FORMAT) throw openFailed();
  return value;
}
