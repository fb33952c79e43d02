import { ProtocolError } from '../errors/protocol-error.ts';
import { LIMITS } from '../wire/limits.ts';

/** How long one key may be used. */
export interface RecordLimits {
  /** Records protected under one key. */
  readonly records: number;
  /** Age of one key. */
  readonly keyAgeMs: number;
}

/** Bounds of a CBC key (docs/protocol/05-records.md). */
export const CBC_RECORD_LIMITS: RecordLimits = { records: LIMITS.cbcRecords, keyAgeMs: LIMITS.cbcKeyAgeMs };
/** Bounds of a GCM key. */
export const GCM_RECORD_LIMITS: RecordLimits = { records: LIMITS.gcmRecords, keyAgeMs: LIMITS.gcmKeyAgeMs };

/**
 * How much longer a receiver takes records than a sender may send them: the two clocks start at different moments,
 * and a record may be on its way when the time is up.
 */
export const RECEIVE_GRACE_MS = 60_000;

/** The stricter of the protocol's bound and a local one, so that options can only lower a bound. */
export function stricterLimits(bound: RecordLimits, local: Partial<RecordLimits> = {}): RecordLimits {
  return {
    records: Math.min(bound.records, local.records ?? bound.records),
    keyAgeMs: Math.min(bound.keyAgeMs, local.keyAgeMs ?? bound.keyAgeMs),
  };
}

/** The one error of a record that cannot be opened: no reason, no cause, whatever was wrong. */
export function recordRefused(): ProtocolError {
  return new ProtocolError('ERR_CRYPTO_OPEN', 'record could not be opened');
}

/** The error of a key that has done its work. */
export function keyExhausted(): ProtocolError {
  return new ProtocolError('ERR_CRYPTO_EXHAUSTED', 'the key has protected as many records, or for as long, as it may');
}

/** The error of a sealer or opener that is used after `wipe`. */
export function recordsEnded(): ProtocolError {
  return new ProtocolError('ERR_USAGE_STATE', 'records of this direction have ended');
}
