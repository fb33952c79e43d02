import { p256 } from '@noble/curves/nist.js';
import { sameBytes } from '../../bytes/bytes.ts';

type Point = InstanceType<typeof p256.Point>;

/** M and N of SPAKE2+ for P-256 (RFC 9383, section 4). */
const SPAKE2_POINTS = [
  '02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f',
  '03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49',
] as const;

/** A table costs as much as eight multiplications, so a device that activates once makes none. */
const USES_BEFORE_TABLE = 8;
const TABLE_WINDOW_BITS = 6;

/** Looks up a fixed point by its uncompressed bytes; after some uses it has a table that makes multiplication six times faster. */
export function fixedPoints(): (bytes: Uint8Array) => Point | undefined {
  const entries = SPAKE2_POINTS.map((hex) => {
    const point = p256.Point.fromHex(hex);
    return { point, bytes: point.toBytes(false), uses: 0 };
  });
  return (bytes) => {
    const entry = entries.find((candidate) => sameBytes(candidate.bytes, bytes));
    if (entry === undefined) return undefined;
    if (++entry.uses === USES_BEFORE_TABLE) entry.point.precompute(TABLE_WINDOW_BITS);
    return entry.point;
  };
}
