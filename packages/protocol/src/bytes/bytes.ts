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

/** An unsigned 16-bit number, big-endian. */
export function u16be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** An unsigned 32-bit number, big-endian. */
export function u32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
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
