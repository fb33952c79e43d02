import { concatBytes, sameBytes } from '../bytes/bytes.ts';
import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import { deriveSecret, NO_CONTEXT } from '../key-schedule/kdf.ts';
import { SECRET_LABELS } from '../key-schedule/labels.ts';
import type { CbcHs512, CryptoProvider } from '../ports/crypto-provider.ts';
import type { Entropy } from '../ports/entropy.ts';
import {
  CBC_HEADER_BYTES,
  CBC_IV_BYTES,
  CBC_OVERHEAD_BYTES,
  CBC_TAG_BYTES,
  cbcCiphertextBytes,
  cbcHeader,
  type Direction,
  isCbcCiphertextLength,
} from './cbc-layout.ts';
import { CBC_RECORD_LIMITS, keyExhausted, RECEIVE_GRACE_MS, type RecordLimits, recordRefused, recordsEnded, stricterLimits } from './record-limits.ts';

export interface CbcOptions {
  /** The traffic secret of this direction; stays with the caller, who wipes it. */
  readonly traffic: SecretBytes<'traffic'>;
  readonly direction: Direction;
  /** Time at which the key was made, on the same clock as `nowMs` later. */
  readonly bornMs: number;
  /** First sequence number; over 0 only for a session that is taken up again from saved state. */
  readonly sequence?: number;
  /** Bounds lower than those of the protocol. */
  readonly limits?: Partial<RecordLimits>;
}

/** Seals one direction. Sequence numbers count up from 0 and no number is used twice. */
export interface CbcSealer {
  /** Number of the next record. */
  readonly sequence: number;
  /**
   * A whole record around `plaintext`.
   * @throws ProtocolError `ERR_USAGE_ARGUMENT` for a plaintext that is too long, `ERR_CRYPTO_EXHAUSTED` when the key is used up or too old.
   */
  seal(plaintext: Uint8Array, nowMs: number): Uint8Array;
  wipe(): void;
}

/** Opens one direction, in strict order. The first record that fails ends it. */
export interface CbcOpener {
  /** Number that the next record must have. */
  readonly sequence: number;
  /**
   * Plaintext of one whole record.
   * @throws ProtocolError `ERR_CRYPTO_OPEN`, one error for every fault, `ERR_CRYPTO_EXHAUSTED` when the key is used up or too old.
   */
  open(record: Uint8Array, nowMs: number): Uint8Array;
  wipe(): void;
}

/** Longest plaintext of one record: the padding takes one byte at least. */
export const CBC_PLAINTEXT_BYTES = 65_551;

/** Prepares the key of a direction that we send in. Each record takes a fresh iv from `entropy`. */
export function createCbcSealer(crypto: CryptoProvider, entropy: Entropy, options: CbcOptions): CbcSealer {
  const key = prepareKey(crypto, options.traffic);
  const limits = stricterLimits(CBC_RECORD_LIMITS, options.limits);
  let sequence = options.sequence ?? 0;
  let ended = false;
  return {
    get sequence() {
      return sequence;
    },
    seal(plaintext, nowMs) {
      // check: sealer is live
      if (ended) throw recordsEnded();
      if (plaintext.length > CBC_PLAINTEXT_BYTES) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'plaintext is too long for one record');
      // check: CBC key of the sender is used up
      if (sequence >= limits.records || nowMs - options.bornMs >= limits.keyAgeMs) throw keyExhausted();
      const header = cbcHeader(options.direction, sequence, cbcCiphertextBytes(plaintext.length));
      const iv = entropy.randomBytes(CBC_IV_BYTES);
      const { ciphertext, tag } = key.seal(iv, header, plaintext);
      sequence++;
      return concatBytes(header, iv, ciphertext, tag);
    },
    wipe() {
      ended = true;
      key.wipe();
    },
  };
}

/** Prepares the key of a direction that we receive in. */
export function createCbcOpener(crypto: CryptoProvider, options: CbcOptions): CbcOpener {
  const key = prepareKey(crypto, options.traffic);
  const limits = stricterLimits(CBC_RECORD_LIMITS, options.limits);
  let sequence = options.sequence ?? 0;
  let ended: 'wiped' | 'refused' | undefined;
  return {
    get sequence() {
      return sequence;
    },
    open(record, nowMs) {
      // check: opener is live
      if (ended !== undefined) throw ended === 'wiped' ? recordsEnded() : recordRefused();
      // check: CBC key of the receiver is used up
      if (sequence >= limits.records || nowMs - options.bornMs >= limits.keyAgeMs + RECEIVE_GRACE_MS) throw keyExhausted();
      const plaintext = openRecord(key, options.direction, sequence, record);
      if (plaintext === undefined) {
        ended = 'refused';
        key.wipe();
        throw recordRefused();
      }
      sequence++;
      return plaintext;
    },
    wipe() {
      ended = 'wiped';
      key.wipe();
    },
  };
}

function prepareKey(crypto: CryptoProvider, traffic: SecretBytes<'traffic'>): CbcHs512 {
  const key = deriveSecret<'cbc'>(crypto, traffic, SECRET_LABELS.cbcKey, NO_CONTEXT, 64);
  const prepared = crypto.cbcHs512(key);
  wipe(key);
  return prepared;
}

/** Length, then direction and number, then the tag, then the padding; undefined for every fault alike. */
function openRecord(key: CbcHs512, direction: Direction, sequence: number, record: Uint8Array): Uint8Array | undefined {
  const ciphertextBytes = record.length - CBC_OVERHEAD_BYTES;
  // check: CBC length
  if (!isCbcCiphertextLength(ciphertextBytes)) return undefined;
  const header = cbcHeader(direction, sequence, ciphertextBytes);
  // check: CBC header
  if (!sameBytes(header, record.subarray(0, CBC_HEADER_BYTES))) return undefined;
  const start = CBC_HEADER_BYTES + CBC_IV_BYTES;
  const end = record.length - CBC_TAG_BYTES;
  try {
    return key.open(record.subarray(CBC_HEADER_BYTES, start), header, record.subarray(start, end), record.subarray(end));
  } catch {
    return undefined;
  }
}
