import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { appendRefusal } from './refusal-events.ts';
import { joinId, partOf, sortable, type Table, table } from './table.ts';

/** A device that proved its secret and was not activated (F1.4). */
export interface ActivationRefusalRecord {
  readonly userGuid: string;
  readonly refusal: wire.ActivationRefusalReason;
  /** What the device was told. */
  readonly message?: string | undefined;
  readonly info: wire.DeviceInfo;
  readonly profileId: string;
  readonly refusedAtMs: number;
}

/** Refusals of one user that are kept; the oldest makes room. */
export const MAX_REFUSALS_PER_USER = 20;

const refusals: Table<ActivationRefusalRecord> = table('activation-refusal');

/** Keeps a refusal for the administrator. `id` makes two of one millisecond differ. */
export function putActivationRefusal(tx: WriteView, id: string, refusal: ActivationRefusalRecord): void {
  refusals.put(tx, joinId(refusal.userGuid, sortable(refusal.refusedAtMs), id), refusal);
  const rows = refusals.page(tx, { under: partOf(refusal.userGuid), limit: MAX_REFUSALS_PER_USER + 1 });
  if (rows.length > MAX_REFUSALS_PER_USER) refusals.delete(tx, (rows[0] as { readonly id: string }).id);
  const { refusedAtMs: timeMs, userGuid, refusal: rule, message: reason } = refusal;
  appendRefusal(tx, { timeMs, type: 'ACTIVATION_REFUSED', userGuid, refusal: rule, reason });
}

/** Refusals of one user, the oldest first. */
export function listActivationRefusals(view: ReadView, userGuid: string): readonly ActivationRefusalRecord[] {
  return refusals.page(view, { under: partOf(userGuid), limit: MAX_REFUSALS_PER_USER }).map(({ record }) => record);
}

/** Forgets the refusals of a user who is deleted. */
export function deleteActivationRefusals(tx: WriteView, userGuid: string): void {
  for (const { id } of refusals.page(tx, { under: partOf(userGuid), limit: MAX_REFUSALS_PER_USER })) refusals.delete(tx, id);
}
