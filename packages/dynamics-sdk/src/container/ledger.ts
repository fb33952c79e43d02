import { wipe } from '@uemkit/protocol';
import type { ContainerKeys } from './keys.ts';
import { openFailed } from './open-failed.ts';
import { BUCKETS, LEDGER_ROW } from './rows.ts';
import { openRow, sealRow, versionOf } from './sealed-row.ts';

const SUM_BYTES = 16;

/**
 * What the container knows about all its records together: how many versions there were, and for each bucket the sum (XOR) of the marks of its records.
 * It is written in the same commit as every change, so a record that is older, missing or too many makes its bucket's sum wrong.
 */
export class Ledger {
  /** Versions up to this one are used. */
  sequence: number;
  readonly #sums: Uint8Array;

  constructor(sequence = 0, sums: Uint8Array = new Uint8Array(BUCKETS * SUM_BYTES)) {
    this.sequence = sequence;
    this.#sums = sums;
  }

  copy(): Ledger {
    return new Ledger(this.sequence, this.#sums.slice());
  }

  /** Adds a mark to the sum of a bucket, or takes it away: both are the same. */
  toggle(bucket: number, mark: Uint8Array): void {
    for (let i = 0, at = bucket * SUM_BYTES; i < SUM_BYTES; i++, at++) this.#sums[at] = (this.#sums[at] as number) ^ (mark[i] as number);
  }

  sum(bucket: number): Uint8Array {
    return this.#sums.subarray(bucket * SUM_BYTES, (bucket + 1) * SUM_BYTES);
  }

  /** The sums are as secret as the marks. */
  wipe(): void {
    wipe(this.#sums);
  }

  seal(keys: ContainerKeys, nonce: Uint8Array): Uint8Array {
    return sealRow(keys.sealing('ledger', this.sequence), nonce, LEDGER_ROW, this.sequence, this.#sums);
  }

  /** @throws ProtocolError `ERR_CRYPTO_OPEN` */
  static open(keys: ContainerKeys, value: Uint8Array | undefined): Ledger {
    // check: there is a ledger
    if (value === undefined) throw openFailed();
    const sequence = versionOf(value);
    return new Ledger(sequence, openRow(keys.sealing('ledger', sequence), LEDGER_ROW, value));
  }
}
