/** Joins byte arrays into one new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0;
  for (const part of parts) lengthBytes += part.length;
  const joined = new Uint8Array(lengthBytes);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * True when both have the same bytes. Stops at the first difference, so it must never see a secret:
 * tags and confirmations are compared by `CryptoProvider.equal`.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const encoder = new TextEncoder();

/** UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Length of a string in UTF-8 bytes, without making them. Half of a surrogate pair counts as the replacement that `utf8` writes for it. */
export function utf8Length(text: string): number {
  let lengthBytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    lengthBytes += unit < 0x800 ? 1 : 2;
    // Both halves together are four bytes.
    if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) i++;
  }
  return lengthBytes;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** An unsigned 16-bit number, big-endian. */
export function u16be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** An unsigned 32-bit number, big-endian. */
export function u32be(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32be(bytes, 0, value);
  return bytes;
}

/** Writes an unsigned 32-bit number, big-endian, to the four bytes from `at` on, which have to be there. */
export function writeU32be(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The unsigned 32-bit number, big-endian, of the four bytes from `at` on, which have to be there. */
export function readU32be(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return high * 0x1_0000 + low;
}

/** An unsigned 64-bit number, big-endian; `value` must be a safe integer. */
export function u64be(value: number): Uint8Array {
  return concatBytes(u32be(Math.floor(value / 0x1_0000_0000)), u32be(value >>> 0));
}

/** An unsigned 64-bit number, little-endian; `value` must be a safe integer. */
export function u64le(value: number): Uint8Array {
  return u64be(value).reverse();
}

/** Length-prefixed bytes: u32be(length) || bytes (docs/protocol/01-framing.md, LP). */
export function lp(bytes: Uint8Array): Uint8Array {
  return concatBytes(u32be(bytes.length), bytes);
}
