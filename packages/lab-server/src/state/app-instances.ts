import type { ReadView, WriteView } from '../store/lab-store.ts';
import { deleteAppConsole } from './app-consoles.ts';
import { putNocMessage } from './noc-outbox.ts';
import { joinId, type PageQuery, partOf, type Row, type Table, table } from './table.ts';

/** One activated app on one device (F3.11). Ids in hex. */
export interface AppInstanceRecord {
  readonly instanceId: string;
  readonly userGuid: string;
  readonly appId: string;
  readonly appVersion: string;
  readonly platform: string;
  /** The device whose UEM Client took part, for this app or for the sibling that asked for its key; absent: nobody knows. */
  readonly deviceId?: string | undefined;
  /** As the operating system reported the app when its key was asked for; absent: its key was typed. */
  readonly platformId?: string | undefined;
  /** When it asked for keys of other apps, the last ones, wall clock, milliseconds. */
  readonly keysAskedMs?: readonly number[] | undefined;
  /** Link at the NOC. */
  readonly linkId: string;
  /** Access key that it was activated with. */
  readonly keyId: string;
  /** psk of `px` and `dc`, from which each Proxy gets its own (4.8); secret. The one before is gone. */
  readonly masterSessionKey: Uint8Array;
  readonly sessionKeyId: Uint8Array;
  readonly sessionKeyExpiresAtMs: number;
  readonly activatedAtMs: number;
  /** Since when it is not assigned to its user any more; it is to hear that, and ends then. */
  readonly endingSinceMs?: number | undefined;
}

/** Activated apps of one user; the one that was activated first makes room. */
export const MAX_APP_INSTANCES_PER_USER = 1_000;

interface CoreKey {
  readonly scalar: Uint8Array;
}

interface InstanceReference {
  readonly instanceId: string;
}

const instances: Table<AppInstanceRecord> = table('app-instance');
const instancesOfUser: Table<InstanceReference> = table('app-instance-of-user');
const coreKeys: Table<CoreKey> = table('core-key');
const ONLY = 'this';

/** Keeps an activated app; an activation of the same installation takes the place of the one before, with its keys, and ends its link. */
export function putAppInstance(tx: WriteView, instance: AppInstanceRecord): void {
  const before = instances.get(tx, instance.instanceId);
  if (before !== undefined) forget(tx, before, instance.linkId);
  const known = instancesOfUser.page(tx, { under: partOf(instance.userGuid), limit: MAX_APP_INSTANCES_PER_USER });
  if (known.length >= MAX_APP_INSTANCES_PER_USER) {
    const all = listAppInstances(tx, instance.userGuid);
    deleteAppInstance(
      tx,
      all.reduce((oldest, other) => (other.activatedAtMs < oldest.activatedAtMs ? other : oldest)),
    );
  }
  instances.put(tx, instance.instanceId, instance);
  instancesOfUser.put(tx, joinId(instance.userGuid, instance.instanceId), { instanceId: instance.instanceId });
}

/** Changes an app that is kept. */
export function changeAppInstance(tx: WriteView, instance: AppInstanceRecord): void {
  instances.put(tx, instance.instanceId, instance);
}

/** The app is none of the tenant any more. Its keys are gone here, and in the outbox is the end of its link at the NOC. */
export function deleteAppInstance(tx: WriteView, instance: AppInstanceRecord): void {
  forget(tx, instance);
  deleteAppConsole(tx, instance.instanceId);
}

/** The app is to hear that it ends: its link leads to UEM and nowhere else from now on. */
export function beginToEnd(tx: WriteView, instance: AppInstanceRecord, nowMs: number): void {
  changeAppInstance(tx, { ...instance, endingSinceMs: nowMs });
  putNocMessage(tx, instance.linkId, { kind: 'narrowLink' });
}

function forget(tx: WriteView, { instanceId, userGuid, linkId }: AppInstanceRecord, keptLinkId?: string): void {
  instances.delete(tx, instanceId);
  instancesOfUser.delete(tx, joinId(userGuid, instanceId));
  // check: F10.2 a link ends with its app
  if (linkId !== keptLinkId) putNocMessage(tx, linkId, { kind: 'endLink' });
}

export function appInstanceById(view: ReadView, instanceId: string): AppInstanceRecord | undefined {
  return instances.get(view, instanceId);
}

export function listAppInstances(view: ReadView, userGuid: string): readonly AppInstanceRecord[] {
  const rows = instancesOfUser.page(view, { under: partOf(userGuid), limit: MAX_APP_INSTANCES_PER_USER });
  return rows.flatMap(({ record }) => instances.get(view, record.instanceId) ?? []);
}

/** All activated apps; row ids are instance ids. */
export function listAllAppInstances(view: ReadView, query: PageQuery): readonly Row<AppInstanceRecord>[] {
  return instances.page(view, query);
}

/** Apps of a user that is deleted, or those of its device that ended. */
export function deleteAppInstances(tx: WriteView, userGuid: string, deviceId?: string): void {
  for (const instance of listAppInstances(tx, userGuid)) if (deviceId === undefined || instance.deviceId === deviceId) deleteAppInstance(tx, instance);
}

/** UEM's static key for `px`, once there is one. */
export function knownCoreKey(view: ReadView): Uint8Array | undefined {
  return coreKeys.get(view, ONLY)?.scalar;
}

/** UEM's static key for `px` (0x40, field 9), made once; secret. */
export function coreKeyOf(tx: WriteView, make: () => Uint8Array): Uint8Array {
  const known = coreKeys.get(tx, ONLY);
  if (known !== undefined) return known.scalar;
  const scalar = make();
  coreKeys.put(tx, ONLY, { scalar });
  return scalar;
}
