import { fromHex } from './text.ts';

/** n, the order of the group of P-256. */
export const P256_ORDER = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n;

const ORDER_BYTES = fromHex(P256_ORDER.toString(16));

/** Whether 32 big-endian bytes are a number from 1 to n-1. Looks at every byte, whatever they are: scalars are secret. */
export function isP256Scalar(bytes: Uint8Array): boolean {
  let [borrow, bits] = [0, 0];
  for (let i = ORDER_BYTES.length - 1; i >= 0; i--) {
    const byte = bytes[i] as number;
    borrow = (byte - (ORDER_BYTES[i] as number) - borrow) >>> 31;
    bits |= byte;
  }
  return borrow === 1 && bits !== 0;
}
