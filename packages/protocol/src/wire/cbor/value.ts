/**
 * The subset of CBOR that the protocol uses: unsigned integers up to 2^53-1, byte strings, UTF-8 text, booleans, arrays,
 * and maps whose keys are all unsigned integers or all text.
 */
export type CborValue = number | Uint8Array | string | boolean | readonly CborValue[] | CborMap;

/** A map as decoded; keys stand in the deterministic order. */
export type CborMap = ReadonlyMap<number | string, CborValue>;

export function isCborMap(value: CborValue): value is CborMap {
  return value instanceof Map;
}
