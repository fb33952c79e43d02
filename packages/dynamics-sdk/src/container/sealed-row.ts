import { type Gcm, u64be, utf8 } from '@uemkit/protocol';
import { openFailed } from './open-failed.ts';

const FORMAT = 1;
const VERSION_AT = 1;
const NONCE_AT = 9;
const NONCE_BYTES = 12;
const HEAD_BYTES = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;
const LABEL = utf8('uemkit/1 container row');

/** Version of a row, as it stands there in clear: 8 bytes, big-endian. @throws ProtocolError `ERR_CRYPTO_OPEN` when it cannot be a sealed row */
export function versionBytes(value: Uint8Array): Uint8Array {
  // check: form of a sealed row
  if (value.length < HEAD_BYTES + TAG_BYTES || value[0] !== FORMAT) throw openFailed();
  return value.subarray(VERSION_AT, NONCE_AT);
}

/** @throws ProtocolError `ERR_CRYPTO_OPEN` */
export function versionOf(value: Uint8Array): number {
  const version = versionBytes(value);
  const view = new DataView(version.buffer, version.byteOffset, 8);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/** AES-256-GCM of `plaintext`, bound to its row and version. */
export function sealRow(gcm: Gcm, nonce: Uint8Array, row: string, version: number, plaintext: Uint8Array): Uint8Array {
  const data = associatedData(u64be(version), row);
  const sealed = gcm.seal(nonce, data, plaintext, HEAD_BYTES);
  sealed[0] = FORMAT;
  sealed.set(data.subarray(LABEL.length, LABEL.length + 8), VERSION_AT);
  sealed.set(nonce, NONCE_AT);
  return sealed;
}

/** @throws ProtocolError `ERR_CRYPTO_OPEN` when the row was not sealed for this place */
export function openRow(gcm: Gcm, row: string, value: Uint8Array): Uint8Array {
  return gcm.open(value.subarray(NONCE_AT, HEAD_BYTES), associatedData(versionBytes(value), row), value.subarray(HEAD_BYTES));
}

/** "uemkit/1 container row" || version || key of the row. */
function associatedData(version: Uint8Array, row: string): Uint8Array {
  const bytes = new Uint8Array(LABEL.length + version.length + row.length);
  bytes.set(LABEL);
  bytes.set(version, LABEL.length);
  for (let i = 0, at = LABEL.length + version.length; i < row.length; i++) bytes[at + i] = row.charCodeAt(i);
  return bytes;
}
