import { sameBytes, toHex } from '@uemkit/protocol';
import { joinId, partOf, type Row, sortable, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';

/** Wake-ups without a collapse key that FCM keeps for one device; one more takes the place of all. */
export const MAX_NON_COLLAPSIBLE = 100;
/** Collapse keys of one device for which FCM keeps the newest wake-up. */
export const MAX_COLLAPSE_KEYS = 4;

/** A wake-up that waits for its device. */
export interface WaitingWakeUp {
  readonly wakeUpId: Uint8Array;
  /** When the service took it over. */
  readonly takenAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * What a service keeps for a device that is away. `newest`: one wake-up, a newer one takes its place (APNs, BlackBerry 10, WNS when it is asked to).
 * `collapse`: the newest of each collapse key, of at most `MAX_COLLAPSE_KEYS` (FCM). `all`: every one, up to `MAX_NON_COLLAPSIBLE` (FCM).
 */
export type KeepRule = { readonly kind: 'newest' } | { readonly kind: 'collapse'; readonly collapseKey: string } | { readonly kind: 'all' };

/** All that one device can have waiting. */
const MAX_WAITING = MAX_NON_COLLAPSIBLE + MAX_COLLAPSE_KEYS + 1;

const waiting: Table<WaitingWakeUp> = table('push-waiting');

/** Keeps a wake-up by the rule of its service. */
export function putWaiting(tx: WriteView, key: string, rule: KeepRule, wakeUp: WaitingWakeUp): void {
  if (rule.kind === 'newest') return waiting.put(tx, joinId(key, 'newest'), wakeUp);
  if (rule.kind === 'collapse') {
    const id = joinId(key, 'collapse', rule.collapseKey);
    const others = rowsOf(tx, key, 'collapse').filter((row) => row.id !== id);
    // FCM does not say which collapse key it gives up: here it is the one that was silent for longest.
    const [oldest] = [...others].sort((a, b) => a.record.takenAtMs - b.record.takenAtMs);
    if (others.length >= MAX_COLLAPSE_KEYS && oldest !== undefined) waiting.delete(tx, oldest.id);
    return waiting.put(tx, id, wakeUp);
  }
  const all = rowsOf(tx, key, 'all');
  // Over the limit FCM gives up all of them and tells the device that there were too many: one wake-up says that as well.
  if (all.length >= MAX_NON_COLLAPSIBLE) for (const { id } of all) waiting.delete(tx, id);
  waiting.put(tx, joinId(key, 'all', sortable(wakeUp.takenAtMs), toHex(wakeUp.wakeUpId)), wakeUp);
}

/** The wake-ups that wait and whose time is not over, oldest first. */
export function waitingOf(view: ReadView, key: string, nowMs: number): readonly WaitingWakeUp[] {
  return rowsOf(view, key)
    .map(({ record }) => record)
    .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    .sort((a, b) => a.takenAtMs - b.takenAtMs);
}

/** The device has taken this wake-up; another one that took its place stays. */
export function deleteWaiting(tx: WriteView, key: string, wakeUpId: Uint8Array): void {
  for (const { id, record } of rowsOf(tx, key)) if (sameBytes(record.wakeUpId, wakeUpId)) waiting.delete(tx, id);
}

/** Forgets everything that waits for a token. */
export function forgetWaiting(tx: WriteView, key: string): void {
  for (const { id } of rowsOf(tx, key)) waiting.delete(tx, id);
}

function rowsOf(view: ReadView, key: string, ...kind: readonly string[]): readonly Row<WaitingWakeUp>[] {
  return waiting.page(view, { under: partOf(key, ...kind), limit: MAX_WAITING });
}
