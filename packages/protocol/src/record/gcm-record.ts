import { concatBytes, sameBytes } from '../bytes/bytes.ts';
import type { SecretBytes } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { LIMITS } from '../wire/limits.ts';
import { createGcmGeneration, type GcmGeneration } from './gcm-key.ts';
import { GCM_HEADER_BYTES, GCM_TAG_BYTES, type GcmRecordName, gcmRecordName, isGcmBodyLength, writeGcmHeader } from './gcm-layout.ts';
import { GCM_RECORD_LIMITS, keyExhausted, RECEIVE_GRACE_MS, type RecordLimits, recordRefused, recordsEnded, stricterLimits } from './record-limits.ts';

export interface GcmOptions {
  /** The traffic secret of this direction; stays with the caller, who wipes it. */
  readonly traffic: SecretBytes<'traffic'>;
  /** Time at which the key was made, on the same clock as `nowMs` later. */
  readonly bornMs: number;
  /** Bounds lower than those of the protocol. */
  readonly limits?: Partial<RecordLimits>;
}

/** Seals one direction of a connection. State is never saved: a restart means a new handshake, so that no nonce comes twice. */
export interface GcmSealer {
  /**
   * One data record. When the key is used up or too old, a key update goes before it, in the same bytes.
   * @throws ProtocolError `ERR_USAGE_ARGUMENT` for more than 33,024 bytes.
   */
  sealData(plaintext: Uint8Array, nowMs: number): Uint8Array;
  /** A key update record, the last one under the old key. */
  updateKey(nowMs: number): Uint8Array;
  /** The end of this direction, authenticated; nothing follows. `alert` is 0 for a close without fault, else a code of docs/protocol/01-framing.md. */
  close(alert?: number): Uint8Array;
  wipe(): void;
}

/** What one record of the peer means. After `closed` nothing more is taken. */
export type GcmOpened =
  | { readonly type: 'data'; readonly plaintext: Uint8Array }
  | { readonly type: 'key-updated' }
  /** `alert` 0: the peer has sent all that it wanted to. */
  | { readonly type: 'closed'; readonly alert: number };

/** Opens one direction of a connection, in strict order. The first record that fails ends it. */
export interface GcmOpener {
  /**
   * One whole record.
   * @throws ProtocolError `ERR_CRYPTO_OPEN`, one error for every fault, `ERR_CRYPTO_EXHAUSTED` when the peer goes on with a key that is used up or too old.
   */
  open(record: Uint8Array, nowMs: number): GcmOpened;
  /** To be called when the connection below ends. @throws ProtocolError `ERR_TRANSPORT_CLOSED` when the peer's close has not come: data may be cut off. */
  end(): void;
  wipe(): void;
}

const CLOSE = 0;

/** Prepares the key of a direction that we send in. */
export function createGcmSealer(crypto: CryptoProvider, options: GcmOptions): GcmSealer {
  const limits = stricterLimits(GCM_RECORD_LIMITS, options.limits);
  const header = new Uint8Array(GCM_HEADER_BYTES);
  let generation = createGcmGeneration(crypto, options.traffic);
  let bornMs = options.bornMs;
  let sequence = 0;
  let ended = false;

  function seal(name: GcmRecordName, plaintext: Uint8Array): Uint8Array {
    // check: GCM sealer is live
    if (ended) throw recordsEnded();
    writeGcmHeader(header, name, plaintext.length + GCM_TAG_BYTES);
    const record = generation.gcm.seal(generation.nonce(sequence), header, plaintext, GCM_HEADER_BYTES);
    record.set(header);
    sequence++;
    return record;
  }

  function updateKey(nowMs: number): Uint8Array {
    const record = seal('keyUpdate', new Uint8Array(0));
    generation = generation.next();
    bornMs = nowMs;
    sequence = 0;
    return record;
  }

  function wipe(): void {
    ended = true;
    generation.wipe();
  }

  return {
    sealData(plaintext, nowMs) {
      if (plaintext.length > LIMITS.gcmPlaintextBytes) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'plaintext is too long for one record');
      // The last number of a key belongs to the record that ends it: a key update, or a close.
      const due = sequence >= limits.records - 1 || nowMs - bornMs >= limits.keyAgeMs;
      return due ? concatBytes(updateKey(nowMs), seal('data', plaintext)) : seal('data', plaintext);
    },
    updateKey,
    close(alert = CLOSE) {
      const record = seal('alert', Uint8Array.of(alert));
      wipe();
      return record;
    },
    wipe,
  };
}

/** Prepares the key of a direction that we receive in. */
export function createGcmOpener(crypto: CryptoProvider, options: GcmOptions): GcmOpener {
  const limits = stricterLimits(GCM_RECORD_LIMITS, options.limits);
  const header = new Uint8Array(GCM_HEADER_BYTES);
  let generation = createGcmGeneration(crypto, options.traffic);
  let bornMs = options.bornMs;
  let sequence = 0;
  let ended: 'wiped' | 'closed' | 'refused' | undefined;

  function finish(how: 'wiped' | 'closed' | 'refused'): void {
    ended = how;
    generation.wipe();
  }

  return {
    open(record, nowMs) {
      // check: GCM opener is live
      if (ended !== undefined) throw ended === 'refused' ? recordRefused() : recordsEnded();
      const opened = openRecord(generation, sequence, record, header);
      if (opened === undefined) {
        finish('refused');
        throw recordRefused();
      }
      const dataTooLate = sequence >= limits.records - 1 || nowMs - bornMs >= limits.keyAgeMs + RECEIVE_GRACE_MS;
      if (opened.type === 'data' && dataTooLate) {
        finish('refused');
        throw keyExhausted();
      }
      sequence++;
      if (opened.type === 'closed') finish('closed');
      if (opened.type === 'key-updated') {
        generation = generation.next();
        bornMs = nowMs;
        sequence = 0;
      }
      return opened;
    },
    end() {
      if (ended === 'closed') return;
      finish('refused');
      throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection ended before the peer closed it: data may be cut off');
    },
    wipe: () => finish('wiped'),
  };
}

/** Length and type, then the tag, then the form of the plaintext; undefined for every fault alike. `header` is room to work in. */
function openRecord(generation: GcmGeneration, sequence: number, record: Uint8Array, header: Uint8Array): GcmOpened | undefined {
  const name = gcmRecordName(record[0] ?? 0);
  const bodyBytes = record.length - GCM_HEADER_BYTES;
  // check: GCM type and length
  if (name === undefined || !isGcmBodyLength(bodyBytes)) return undefined;
  writeGcmHeader(header, name, bodyBytes);
  // check: GCM header
  if (!sameBytes(header, record.subarray(0, GCM_HEADER_BYTES))) return undefined;
  let plaintext: Uint8Array;
  try {
    plaintext = generation.gcm.open(generation.nonce(sequence), header, record.subarray(GCM_HEADER_BYTES));
  } catch {
    return undefined;
  }
  if (name === 'data') return { type: 'data', plaintext };
  if (name === 'alert') return plaintext.length === 1 ? { type: 'closed', alert: plaintext[0] as number } : undefined;
  return plaintext.length === 0 ? { type: 'key-updated' } : undefined;
}
