/** The same bytes as a plain `Uint8Array`: `slice` of a `Buffer` would share memory, which callers do not expect. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** Joins what `update` and `final` gave, outside the shared pool of `Buffer`; `spareBytes` of zeros follow, `headBytes` come first. */
export function joinBuffers(first: Buffer, second: Buffer, spareBytes = 0, headBytes = 0): Uint8Array {
  if (second.length === 0 && spareBytes === 0) return plainBytes(first);
  // Not filled with zeros first: all of it is written here.
  const joined = plainBytes(Buffer.allocUnsafeSlow(headBytes + first.length + second.length + spareBytes));
  joined.fill(0, 0, headBytes);
  joined.fill(0, joined.length - spareBytes);
  joined.set(first, headBytes);
  joined.set(second, headBytes + first.length);
  return joined;
}
