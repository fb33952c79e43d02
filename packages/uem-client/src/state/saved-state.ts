import {
  ACTIVATION_KEY,
  type ActivationRecord,
  MANAGEMENT_KEYS,
  ProtocolError,
  restoreActivation,
  type Store,
  type StoreWrite,
  utf8,
  writeActivation,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeactivationReason } from '../operating-system.ts';

/**
 * Where the device stands, as it survives a crash. The activation machine writes the record of an activation; this adds how one ends.
 * `departing`: the identity is being destroyed. `ended`: it is destroyed; `reason` says why.
 */
export type SavedState =
  | { readonly phase: 'inactive' }
  | { readonly phase: 'activating'; readonly record: ActivationRecord }
  | { readonly phase: 'active'; readonly record: ActivationRecord }
  | { readonly phase: 'departing'; readonly keyId: string; readonly reason: DeactivationReason }
  | { readonly phase: 'ended'; readonly reason: DeactivationReason };

/** Token of the notification service. */
export const PUSH_TOKEN_KEY = 'uem/push-token';
const DEPARTURE_KEY = 'uem/departure';
/** An activation that is to replace the one that is out of date, until UEM accepts it. */
const ANEW_KEY = 'uem/activation-anew';
/** Key id of the identity that an accepted activation has replaced, until it is destroyed. */
const FORMER_KEY = 'uem/former-key';

const FORMAT = 1;
const FIELD = { format: 0, reason: 1, keyId: 2 } as const;
const REASONS: readonly DeactivationReason[] = ['command', 'revoked', 'unknown', 'expired', 'user'];

/** The identity is going: there is no activation any more. */
export function writeDeparting(keyId: string, reason: DeactivationReason): readonly StoreWrite[] {
  return [{ key: ACTIVATION_KEY, value: null }, writeDeparture(reason, keyId)];
}

/** The record of the activation that is to replace this one; undefined: there is none. @throws `ERR_STORE_READ`, `ERR_STORE_VERSION` */
export async function loadAnew(store: Store): Promise<ActivationRecord | undefined> {
  return restoreActivation(await store.get(ANEW_KEY));
}

/** An activation begins that is to replace the one that is out of date. */
export function writeAnew(record: ActivationRecord): StoreWrite {
  return { key: ANEW_KEY, value: writeActivation(record).value };
}

/**
 * Where the writes of an activation go that replaces the one of `formerKeyId`: its record stands beside that one until UEM has accepted it, and takes its place in the
 * commit that says so.
 */
export function placeAnew(writes: readonly StoreWrite[], formerKeyId: string): readonly StoreWrite[] {
  return writes.flatMap((write) => {
    const phase = write.key === ACTIVATION_KEY && write.value !== null ? restoreActivation(write.value)?.phase : undefined;
    if (phase === 'started') return { ...write, key: ANEW_KEY };
    return phase === 'received' ? [write, { key: ANEW_KEY, value: null }, { key: FORMER_KEY, value: utf8(formerKeyId) }] : write;
  });
}

/** Key id of an identity that was replaced and is not destroyed yet. */
export async function loadFormer(store: Store): Promise<string | undefined> {
  const saved = await store.get(FORMER_KEY);
  return saved === undefined ? undefined : new TextDecoder().decode(saved);
}

/** What a device forgets with its identity. */
export const FORGOTTEN: readonly StoreWrite[] = [PUSH_TOKEN_KEY, ANEW_KEY, FORMER_KEY, ...Object.values(MANAGEMENT_KEYS)].map((key) => ({ key, value: null }));

/** The identity is gone. */
export function writeEnded(reason: DeactivationReason): StoreWrite {
  return writeDeparture(reason, undefined);
}

/** A new activation begins: how the last one ended is forgotten. */
export const forgetDeparture: StoreWrite = { key: DEPARTURE_KEY, value: null };

function writeDeparture(reason: DeactivationReason, keyId: string | undefined): StoreWrite {
  const fields = new Map<number, wire.CborValue>([
    [FIELD.format, FORMAT],
    [FIELD.reason, REASONS.indexOf(reason)],
  ]);
  if (keyId !== undefined) fields.set(FIELD.keyId, keyId);
  return { key: DEPARTURE_KEY, value: wire.encodeCbor(fields) };
}

/** @throws `ERR_STORE_READ`, `ERR_STORE_VERSION` */
export async function loadState(store: Store): Promise<SavedState> {
  const record = restoreActivation(await store.get(ACTIVATION_KEY));
  if (record !== undefined) return { phase: record.phase === 'activated' ? 'active' : 'activating', record };
  const departure = await store.get(DEPARTURE_KEY);
  return departure === undefined ? { phase: 'inactive' } : decodeDeparture(departure);
}

function decodeDeparture(saved: Uint8Array): SavedState {
  let fields: wire.CborValue;
  try {
    fields = wire.decodeCbor(saved);
  } catch (cause) {
    throw damaged(cause);
  }
  if (!(fields instanceof Map)) throw damaged();
  const [format, index, keyId] = [fields.get(FIELD.format), fields.get(FIELD.reason), fields.get(FIELD.keyId)];
  if (typeof format === 'number' && format > FORMAT) throw new ProtocolError('ERR_STORE_VERSION', 'the state of the device was written by a newer version');
  const reason = typeof index === 'number' ? REASONS[index] : undefined;
  if (reason === undefined) throw damaged();
  return typeof keyId === 'string' ? { phase: 'departing', keyId, reason } : { phase: 'ended', reason };
}

function damaged(cause?: unknown): ProtocolError {
  return new ProtocolError('ERR_STORE_READ', 'the saved state of the device is damaged', { cause });
}
