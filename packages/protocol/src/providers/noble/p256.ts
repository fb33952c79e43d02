import { p256 } from '@noble/curves/nist.js';
import { keyRefused, requireLength, requireUncompressed } from '../checks.ts';
import { fixedPoints } from './fixed-points.ts';

type Point = InstanceType<typeof p256.Point>;

/** P-256 on noble curves; the same rules and errors as the port. */
export interface NobleP256 {
  publicKey(scalar: Uint8Array): Uint8Array;
  ecdh(scalar: Uint8Array, publicKey: Uint8Array): Uint8Array;
  multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array;
  sign(scalar: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** Runs library code whose every failure means a point or scalar that we refuse. */
function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch {
    throw keyRefused();
  }
}

function parsePoint(bytes: Uint8Array): Point {
  requireUncompressed(bytes);
  return refusing(() => p256.Point.fromBytes(bytes));
}

function parseScalar(scalar: Uint8Array): bigint {
  requireLength(scalar, 32, 'scalar');
  return refusing(() => p256.Point.Fn.fromBytes(scalar));
}

/** P + Q. The identity has no encoding, so the library refuses it. */
export function addPoints(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [left, right] = [parsePoint(a), parsePoint(b)];
  return refusing(() => left.add(right).toBytes(false));
}

/** P - Q. */
export function subtractPoints(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [left, right] = [parsePoint(a), parsePoint(b)];
  return refusing(() => left.subtract(right).toBytes(false));
}

/** P-256 with a table of its own for the fixed points of SPAKE2+. */
export function nobleP256(): NobleP256 {
  const fixed = fixedPoints();
  const multiply = (scalar: Uint8Array, bytes: Uint8Array): Uint8Array => {
    const k = parseScalar(scalar);
    const point = fixed(bytes) ?? parsePoint(bytes);
    // `multiply` refuses 0 and is the variant with a fixed sequence of operations.
    return refusing(() => point.multiply(k).toBytes(false));
  };
  return {
    multiply,
    publicKey(scalar) {
      const k = parseScalar(scalar);
      return refusing(() => p256.Point.BASE.multiply(k).toBytes(false));
    },
    ecdh: (scalar, publicKey) => multiply(scalar, publicKey).slice(1, 33),
    sign(scalar, message) {
      requireLength(scalar, 32, 'scalar');
      return refusing(() => p256.sign(message, scalar, { lowS: false }));
    },
    verify(publicKey, message, signature) {
      parsePoint(publicKey);
      if (signature.length !== 64) return false;
      // Half of the signatures of other libraries have a high s, so low s must not be asked for.
      return p256.verify(signature, message, publicKey, { lowS: false });
    },
  };
}
