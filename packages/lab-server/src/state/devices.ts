import { sameBytes } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import type { DeviceOwnership } from './profiles.ts';
import { joinId, type PageQuery, partOf, type Row, sortable, type Table, table } from './table.ts';

/** `pending`: activated, not confirmed (A7). `deactivated`: it carried out a delete command. `removed`: by the administrator. */
export type DeviceStatus = 'pending' | 'active' | 'deactivated' | 'removed';

/** Certificates of a device that are remembered; older ones are unknown. */
export const MAX_KNOWN_CERTIFICATES = 4;

/** One activation of one device. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly userGuid: string;
  readonly userId: string;
  readonly info: wire.DeviceInfo;
  readonly status: DeviceStatus;
  /** Hex of SHA-256 of the device's public key: at most one live device a key. */
  readonly keyId: string;
  /** Serial numbers of its last certificates, newest last; at most `MAX_KNOWN_CERTIFICATES`, revoked ones included. */
  readonly serials: readonly string[];
  readonly activationType: string;
  readonly profileId: string;
  readonly ownership?: DeviceOwnership | undefined;
  /** Activated with a secret that is paired with its profile, so the number of the user's devices did not matter. */
  readonly paired?: boolean | undefined;
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  /** A management agent profile has set the two. */
  readonly hasAgentSchedule?: boolean | undefined;
  /** Secret that the activation was made with; a one-time secret is used up at A7. */
  readonly secretId?: string | undefined;
  /** Of a pending device: its A7 has to come until then. */
  readonly confirmByMs?: number | undefined;
  readonly pushToken?: Uint8Array | undefined;
  /** Wall clock, milliseconds. */
  readonly createdAtMs: number;
  readonly activatedAtMs?: number | undefined;
  readonly lastContactMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** When a device that was removed came late and heard of it: it deletes its work data then. */
  readonly lateContactMs?: number | undefined;
  /** Delete command that ended it, hex: its result may come again. */
  readonly endedByCommand?: string | undefined;
  /** Why its activation was refused at A7; the answer that says so may be lost. */
  readonly refusal?: wire.ActivationRefusalReason | undefined;
  /** Why its configuration could not be applied, or why it ended. */
  readonly message?: string | undefined;
}

interface DeviceReference {
  readonly deviceId: string;
}

interface PendingReference extends DeviceReference {
  readonly secretId: string;
}

/** A device that waits for its A7, and how long it may. */
export interface UnconfirmedDevice extends DeviceReference {
  readonly confirmByMs: number;
}

/** Devices of one user by state. */
export interface DeviceCounts {
  readonly pending: number;
  readonly active: number;
  readonly ended: number;
}

const devices: Table<DeviceRecord> = table('device', { read: 'asRecords' });
const devicesByUser: Table<DeviceReference> = table('device-by-user');
const devicesByKey: Table<DeviceReference> = table('device-by-key');
/** By user and time: what waits for its A7. */
const pendingDevices: Table<PendingReference> = table('device-pending');
/** By the time at which they have to be confirmed. */
const unconfirmedDevices: Table<UnconfirmedDevice> = table('device-unconfirmed');
/** By user and time: what is only history. */
const endedDevices: Table<DeviceReference> = table('device-ended');
const deviceCounts: Table<DeviceCounts> = table('device-counts');
const tenantCounts: Table<{ readonly active: number }> = table('device-tenant-counts');
const ALL = 'all';

/** Creates or changes a device and keeps the indexes. User and creation time of a device never change. */
export function putDevice(tx: WriteView, device: DeviceRecord): void {
  const before = devices.get(tx, device.deviceId);
  devices.put(tx, device.deviceId, device);
  if (before === undefined) devicesByUser.put(tx, joinId(device.userGuid, device.deviceId), { deviceId: device.deviceId });
  const isListed = before?.status === device.status && before.keyId === device.keyId && before.secretId === device.secretId;
  if (isListed && before.confirmByMs === device.confirmByMs) return;
  if (before !== undefined) unlist(tx, before);
  list(tx, device);
}

/** Forgets a device: one that never counted, or old history. */
export function deleteDevice(tx: WriteView, deviceId: string): void {
  const device = devices.get(tx, deviceId);
  if (device === undefined) return;
  devices.delete(tx, deviceId);
  devicesByUser.delete(tx, joinId(device.userGuid, deviceId));
  unlist(tx, device);
}

function list(tx: WriteView, device: DeviceRecord): void {
  const { deviceId, secretId = '' } = device;
  if (isLive(device)) devicesByKey.put(tx, device.keyId, { deviceId });
  if (device.status === 'pending') pendingDevices.put(tx, listId(device), { deviceId, secretId });
  const unconfirmed = unconfirmedId(device);
  if (unconfirmed !== undefined) unconfirmedDevices.put(tx, unconfirmed, { deviceId, confirmByMs: device.confirmByMs as number });
  if (!isLive(device)) endedDevices.put(tx, listId(device), { deviceId });
  count(tx, device, 1);
}

function unlist(tx: WriteView, device: DeviceRecord): void {
  if (devicesByKey.get(tx, device.keyId)?.deviceId === device.deviceId) devicesByKey.delete(tx, device.keyId);
  if (device.status === 'pending') pendingDevices.delete(tx, listId(device));
  const unconfirmed = unconfirmedId(device);
  if (unconfirmed !== undefined) unconfirmedDevices.delete(tx, unconfirmed);
  if (!isLive(device)) endedDevices.delete(tx, listId(device));
  count(tx, device, -1);
}

function listId({ userGuid, createdAtMs, deviceId }: DeviceRecord): string {
  return joinId(userGuid, sortable(createdAtMs), deviceId);
}

function unconfirmedId({ status, confirmByMs, deviceId }: DeviceRecord): string | undefined {
  return status === 'pending' && confirmByMs !== undefined ? joinId(sortable(confirmByMs), deviceId) : undefined;
}

function count(tx: WriteView, { userGuid, status }: DeviceRecord, by: 1 | -1): void {
  const counts = deviceCountsOf(tx, userGuid);
  const name = status === 'pending' || status === 'active' ? status : 'ended';
  deviceCounts.put(tx, userGuid, { ...counts, [name]: counts[name] + by });
  if (name === 'active') tenantCounts.put(tx, ALL, { active: activeDevicesOfTenant(tx) + by });
}

/** Active devices of all users: each takes a licence. */
export function activeDevicesOfTenant(view: ReadView): number {
  return tenantCounts.get(view, ALL)?.active ?? 0;
}

/** How many devices a user has, without reading them. */
export function deviceCountsOf(view: ReadView, userGuid: string): DeviceCounts {
  return deviceCounts.get(view, userGuid) ?? { pending: 0, active: 0, ended: 0 };
}

/** Ids of devices that wait for their A7, the oldest first; with `secretId` only those that were activated with this secret. */
export function pendingDevicesOf(view: ReadView, userGuid: string, query: { readonly secretId?: string; readonly limit: number }): readonly string[] {
  const rows = pendingDevices.page(view, { under: partOf(userGuid), limit: query.limit });
  return rows.filter(({ record }) => query.secretId === undefined || record.secretId === query.secretId).map(({ record }) => record.deviceId);
}

/** Devices that wait for their A7, those first that may wait no longer. */
export function unconfirmedDevicesByTime(view: ReadView, limit: number): readonly UnconfirmedDevice[] {
  return unconfirmedDevices.page(view, { limit }).map(({ record }) => record);
}

/** The device that ended longest ago, as far as its creation tells. */
export function oldestEndedDevice(view: ReadView, userGuid: string): string | undefined {
  return endedDevices.page(view, { under: partOf(userGuid), limit: 1 })[0]?.record.deviceId;
}

/** True for a device that may still talk to UEM. */
export function isLive(device: DeviceRecord): boolean {
  return device.status === 'pending' || device.status === 'active';
}

export function deviceById(view: ReadView, deviceId: string): DeviceRecord | undefined {
  return devices.get(view, deviceId);
}

/** The live device with this key. */
export function deviceByKey(view: ReadView, keyId: string): DeviceRecord | undefined {
  const reference = devicesByKey.get(view, keyId);
  return reference === undefined ? undefined : devices.get(view, reference.deviceId);
}

/** All devices in the order of their ids. */
export function listDevices(view: ReadView, query: PageQuery): readonly Row<DeviceRecord>[] {
  return devices.page(view, query);
}

/** What lists of devices are chosen and sorted by. */
export type DeviceSummary = Pick<DeviceRecord, 'deviceId' | 'status' | 'userId' | 'info' | 'lastContactMs' | 'activatedAtMs'>;

/** All devices in the order of their ids, with these fields only. */
export function listDeviceSummaries<Name extends keyof DeviceRecord>(
  view: ReadView,
  query: PageQuery,
  names: ReadonlySet<Name>,
): readonly Row<Pick<DeviceRecord, Name>>[] {
  return devices.fields(view, query, names);
}

/** These fields of one device. The fields of a whole list cost a fraction of its records. */
export function deviceSummaryById<Name extends keyof DeviceRecord>(
  view: ReadView,
  deviceId: string,
  names: ReadonlySet<Name>,
): Pick<DeviceRecord, Name> | undefined {
  const [row] = devices.fields(view, { under: deviceId, limit: 1 }, names);
  return row?.id === deviceId ? row.record : undefined;
}

/** Devices of one user, ended ones too, with these fields only; row ids are device ids. */
export function listDeviceSummariesOfUser<Name extends keyof DeviceRecord>(
  view: ReadView,
  userGuid: string,
  query: { readonly after?: string | undefined; readonly limit: number },
  names: ReadonlySet<Name>,
): readonly Row<Pick<DeviceRecord, Name> | undefined>[] {
  const after = query.after === undefined ? undefined : joinId(userGuid, query.after);
  const rows = devicesByUser.page(view, { under: partOf(userGuid), after, limit: query.limit });
  return rows.map(({ record: { deviceId } }) => ({ id: deviceId, record: deviceSummaryById(view, deviceId, names) }));
}

/** Devices of one user, ended ones too; `after` is a device id. */
export function listDevicesOfUser(view: ReadView, userGuid: string, query: { readonly after?: string; readonly limit: number }): readonly DeviceRecord[] {
  const after = query.after === undefined ? undefined : joinId(userGuid, query.after);
  const rows = devicesByUser.page(view, { under: partOf(userGuid), after, limit: query.limit });
  return rows.flatMap(({ record }) => devices.get(view, record.deviceId) ?? []);
}

/** Forgets a push token that its service does not know any more; the device brings another one. */
export function forgetPushToken(tx: WriteView, deviceId: string, pushToken: Uint8Array): void {
  const device = devices.get(tx, deviceId);
  if (device?.pushToken === undefined || !sameBytes(device.pushToken, pushToken)) return;
  putDevice(tx, { ...device, pushToken: undefined });
}
