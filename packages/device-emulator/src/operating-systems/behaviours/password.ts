import { toHex } from '@uemkit/protocol';

/** What is kept of a password that came as base64: its SHA-256 in hex. Undefined: not base64, or of nothing. */
export function hashOfPassword(base64: string, sha256: (data: Uint8Array) => Uint8Array): string | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64) || base64 === '') return undefined;
  return toHex(sha256(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))));
}
