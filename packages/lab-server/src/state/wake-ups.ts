import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

interface DueWakeUp {
  /** When a reason for it came last. */
  readonly askedMs: number;
}

const dueWakeUps: Table<DueWakeUp> = table('wake-up');

/** Remembers that a device has to be woken (F5.2) until it asks; a restarted server finds it again. */
export function putDueWakeUp(tx: WriteView, deviceId: string, nowMs: number): void {
  dueWakeUps.put(tx, deviceId, { askedMs: nowMs });
}

/** The device has asked, or is gone. */
export function deleteDueWakeUp(tx: WriteView, deviceId: string): void {
  if (dueWakeUps.has(tx, deviceId)) dueWakeUps.delete(tx, deviceId);
}

/** Devices that were to be woken and have not asked since; row ids are device ids. */
export function listDueWakeUps(view: ReadView, query: PageQuery): readonly Row<DueWakeUp>[] {
  return dueWakeUps.page(view, query);
}
