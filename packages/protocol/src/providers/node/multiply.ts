import { ECDH } from 'node:crypto';
import { concatBytes, sameBytes } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import { fromHex, toHex } from '../../bytes/text.ts';
import { requireUncompressed } from '../checks.ts';
import { CURVE, ecdhNative, refusing } from './p256.ts';
import { plainBytes } from './plain-bytes.ts';

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const ONE = fromHex('01'.padStart(64, '0'));
/** n - 1. */
const MINUS_ONE = fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550');

/**
 * k·T as a full point from two native key agreements, which give x-coordinates only, eight times faster than portable code.
 *
 * With R = k·T, the first gives x(R) and so R or -R, the second gives x(R + T). Of the two candidates only R fulfils
 * x(C + T) = x(R + T): x(-R + T) = x(R - T) is another number unless 2R or 2T is the identity, which a prime order rules out.
 * k = 1 and k = n-1 would add equal or opposite points and are answered directly; k + 1 is a valid scalar for all others.
 */
export function multiplyNative(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  requireUncompressed(point);
  if (sameBytes(scalar, ONE)) return onCurve(point);
  if (sameBytes(scalar, MINUS_ONE)) return negate(onCurve(point));
  const x = ecdhNative(scalar, point);
  const next = increment(scalar);
  const xOfSum = ecdhNative(next, point);
  wipe(next);
  const candidate = onCurve(concatBytes(Uint8Array.of(2), x));
  return sumHasX(candidate, point, xOfSum) ? candidate : negate(candidate);
}

/** Uncompressed form of a point in any form, checked to lie on the curve. */
function onCurve(point: Uint8Array): Uint8Array {
  return refusing(() => plainBytes(ECDH.convertKey(point, CURVE, undefined, undefined, 'uncompressed') as Buffer));
}

function increment(scalar: Uint8Array): Uint8Array {
  const next = scalar.slice();
  for (let i = next.length - 1; i >= 0; i--) {
    const byte = ((next[i] as number) + 1) & 0xff;
    next[i] = byte;
    if (byte !== 0) break;
  }
  return next;
}

/** Is x(A + B) the given one? Chord rule without division: (x + xA + xB)(xA - xB)^2 = (yA - yB)^2; xA and xB differ. */
function sumHasX(a: Uint8Array, b: Uint8Array, x: Uint8Array): boolean {
  const [xA, yA, xB, yB] = [number(a.subarray(1, 33)), number(a.subarray(33)), number(b.subarray(1, 33)), number(b.subarray(33))];
  const dx = xA - xB;
  const dy = yA - yB;
  return ((number(x) + xA + xB) * ((dx * dx) % P) - dy * dy) % P === 0n;
}

function negate(point: Uint8Array): Uint8Array {
  const y = (P - number(point.subarray(33))).toString(16).padStart(64, '0');
  return concatBytes(point.subarray(0, 33), fromHex(y));
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}
