import { type Gcm, utf8 } from '@uemkit/protocol';
import { openFailed } from './open-failed.ts';

const FORMAT = 1;
const VERSION_AT = 1;
const VERSION_BYTES = 8;
const NONCE_AT = VERSION_AT + VERSION_BYTES;
const NONCE_BYTES = 12;
const HEAD_BYTES = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;
const LABEL = utf8('uemkit/1 container row');

/** Version of a row, as it stands there in clear: 8 bytes, big-endian. @throws ProtocolError `ERR_CRYPTO_OPEN` when it cannot be a sealed row */
export function versionOf(value: Uint8Array): number {
  // check: form of a sealed row
  if (value.length < HEAD_BYTES + TAG_BYTES || value[0] !== FORMAT) throw openFailed();
  let version = 0;
  for (let at = VERSION_AT; at < NONCE_AT; at++) version = version * 256 + (value[at] as number);
  return version;
}

export function writeVersion(into: Uint8Array, at: number, version: number): void {
  for (let i = at + VERSION_BYTES - 1, left = version; i >= at; i--) {
    into[i] = left & 0xff;
    left = Math.floor(left / 256);
  }
}

/** AES-256-GCM of `plaintext`, bound to its row and version. */
export function sealRow(gcm: Gcm, nonce: Uint8Array, row: string, version: number, plaintext: Uint8Array): Uint8Array {
  const sealed = gcm.seal(nonce, associatedData(version, row), plaintext, HEAD_BYTES);
  sealed[0] = FORMAT;
  writeVersion(sealed, VERSION_AT, version);
  sealed.set(nonce, NONCE_AT);
  return sealed;
}

/** @throws ProtocolError `ERR_CRYPTO_OPEN` when the row was not sealed for this place */
export function openRow(gcm: Gcm, row: string, value: Uint8Array): Uint8Array {
  return gcm.open(value.subarray(NONCE_AT, HEAD_BYTES), associatedData(versionOf(value), row), value.subarray(HEAD_BYTES));
}

/** "uemkit/1 container row" || version || key of the row. */
function associatedData(version: number, row: string): Uint8Array {
  const bytes = new Uint8Array(LABEL.length + VERSION_BYTES + row.length);
  bytes.set(LABEL);
  writeVersion(bytes, LABEL.length, version);
  for (let i = 0, at = LABEL.length + VERSION_BYTES; i < row.length; i++) bytes[at + i] = row.charCodeAt(i);
  return bytes;
}
