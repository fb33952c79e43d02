import { type CryptoProvider, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { encodeDocument } from '../state/inventory.ts';

const DIGEST_BYTES = 8;

/** What tells one content from another: the beginning of a hash of its only encoding. No protection against anybody: administrators make both sides of a collision. */
export function digestOf(crypto: CryptoProvider, value: wire.WireDocumentValue): string {
  return toHex(crypto.sha256(encodeDocument({ value })).subarray(0, DIGEST_BYTES));
}
