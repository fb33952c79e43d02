import {
  APP_ACTIVATION_KEY,
  type AppActivationRecord,
  type Clock,
  canonicalUserId,
  keySchedule,
  newAppActivation,
  ProtocolError,
  restoreAppActivation,
  type Store,
  wipe,
} from '@uemkit/protocol';
import { LIMITS } from '@uemkit/protocol/wire';
import { isLost } from '../state/sealed-store.ts';

/** What a person typed. */
interface Typed {
  readonly userId: string;
  readonly accessKey: string;
}

/** The activation as this device has it. `lost`: there is one, and this device cannot open it; a wipe removes it. */
export type KeptActivation = { readonly kind: 'none' } | { readonly kind: 'lost'; readonly error: ProtocolError } | Kept;

interface Kept {
  readonly kind: 'kept';
  readonly record: AppActivationRecord;
}

/** @throws ProtocolError other than for what cannot be opened */
export async function loadActivation(store: Store): Promise<KeptActivation> {
  try {
    const record = restoreAppActivation(await store.get(APP_ACTIVATION_KEY));
    return record === undefined ? { kind: 'none' } : { kind: 'kept', record };
  } catch (error) {
    if (!isLost(error)) throw error;
    return { kind: 'lost', error: error as ProtocolError };
  }
}

/**
 * The record to begin the next run with: the one that is kept, or one for another key, where the kept one cannot be of use any more. A key that UEM may have used up is gone on
 * with, since UEM takes no other one for it; for 24 hours, then nothing confirms it.
 * @returns undefined without a record and without credentials
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` for what can be no key or user
 */
export function recordToRun(
  kept: AppActivationRecord | undefined,
  typed: Typed | undefined,
  app: Pick<AppActivationRecord, 'appId' | 'instanceId'>,
  clock: Clock,
): AppActivationRecord | undefined {
  if (typed === undefined || (kept !== undefined && isTheSame(kept, typed))) return kept;
  const session = kept?.session;
  if (session !== undefined && clock.nowMs() - session.bornMs < LIMITS.cbcKeyAgeMs) return kept;
  return newAppActivation({ ...app, userId: typed.userId, key: { kind: 'typed', accessKey: typed.accessKey } });
}

function isTheSame({ userId, key }: AppActivationRecord, typed: Typed): boolean {
  return userId === canonicalUserId(typed.userId) && key?.accessKey === keySchedule.normalizeAccessKey(typed.accessKey);
}

/** Keys of a record that is not needed in memory any more. */
export function wipeActivation(record: AppActivationRecord | undefined): void {
  wipe(record?.link?.masterLinkKey, record?.data?.masterSessionKey, record?.session?.traffic);
}

/** What a NOC-side failure left behind is in the store; the part of the next run. */
export function requireActivated(record: AppActivationRecord | undefined): AppActivationRecord & { readonly data: NonNullable<AppActivationRecord['data']> } {
  if (record?.phase !== 'activated' || record.data === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated yet');
  return { ...record, data: record.data };
}
