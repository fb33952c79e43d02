import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, sortable, type Table, table } from './table.ts';

/** One rule of compliance that a device breaks. */
export interface FindingRecord {
  /** Name of the rule in the compliance profile. */
  readonly rule: string;
  readonly displayName: string;
  readonly sinceMs: number;
  /** How often the user has been asked. */
  readonly prompts: number;
  /** When the user is asked again, or the action is taken; absent: it was. */
  readonly nextMs?: number | undefined;
  /** The action that was taken. */
  readonly acted?: string | undefined;
}

/** What UEM watches on a device by itself. There is none for a device that nothing is watched on. */
export interface SupervisionRecord {
  readonly findings: readonly FindingRecord[];
  /** The action *untrust* was taken: the device gets no resources of the company. */
  readonly isUntrusted?: boolean | undefined;
  /** The status that waits for the device or is on its way to it. */
  readonly statusCommand?: string | undefined;
  /** When UEM last asked for the inventory by itself. */
  readonly askedAtMs?: number | undefined;
  /** When it has to be looked at again although nothing happens. */
  readonly dueMs?: number | undefined;
}

interface DueDevice {
  readonly deviceId: string;
  readonly dueMs: number;
}

const supervisions: Table<SupervisionRecord> = table('supervision');
const dueDevices: Table<DueDevice> = table('supervision-due');

export function supervisionOf(view: ReadView, deviceId: string): SupervisionRecord | undefined {
  return supervisions.get(view, deviceId);
}

/** Writes what is watched, and when it is looked at again. Nothing to watch: forgets it. */
export function putSupervision(tx: WriteView, deviceId: string, supervision: SupervisionRecord | undefined): void {
  const before = supervisions.get(tx, deviceId);
  if (before?.dueMs !== undefined && before.dueMs !== supervision?.dueMs) dueDevices.delete(tx, dueId(deviceId, before.dueMs));
  if (supervision === undefined) {
    if (before !== undefined) supervisions.delete(tx, deviceId);
    return;
  }
  const { dueMs } = supervision;
  if (dueMs !== undefined && dueMs !== before?.dueMs) dueDevices.put(tx, dueId(deviceId, dueMs), { deviceId, dueMs });
  supervisions.put(tx, deviceId, supervision);
}

/** Devices that are to be looked at, the first due ones first. */
export function dueSupervisions(view: ReadView, limit: number): readonly DueDevice[] {
  return dueDevices.page(view, { limit }).map((row) => row.record);
}

/** Ids of devices that something is watched on, behind `after`. */
export function supervisedDevices(view: ReadView, after: string, limit: number): readonly string[] {
  return supervisions.page(view, { after: after === '' ? undefined : after, limit }).map((row) => row.id);
}

function dueId(deviceId: string, dueMs: number): string {
  return joinId(sortable(dueMs), deviceId);
}
