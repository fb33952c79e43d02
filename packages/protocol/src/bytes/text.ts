import { ProtocolError } from '../errors/protocol-error.ts';

/** Two digits for each byte. */
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += PAIRS[byte] as string;
  return text;
}

/**
 * Bytes of hexadecimal text.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when the text is not hexadecimal.
 */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'not hexadecimal text');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Base64url text without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += (BASE64URL[group >> 18] as string) + (BASE64URL[(group >> 12) & 63] as string);
    if (left > 1) text += BASE64URL[(group >> 6) & 63] as string;
    if (left > 2) text += BASE64URL[group & 63] as string;
  }
  return text;
}

/**
 * Bytes of base64url text without padding; only the canonical form is taken.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for any other text.
 */
export function fromBase64url(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const character of text) {
    const value = BASE64URL.indexOf(character);
    if (value < 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'not base64url text');
    buffer = ((buffer << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffer >> bits) & 0xff;
    }
  }
  if (at !== bytes.length || toBase64url(bytes) !== text) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'not canonical base64url text');
  return bytes;
}
