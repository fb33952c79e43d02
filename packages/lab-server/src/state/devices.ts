import type { wire } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, partOf, type Row, type Table, table } from './table.ts';

/** `pending`: activated, not confirmed (A7). `deactivated`: it carried out a delete command. `removed`: by the administrator. */
export type DeviceStatus = 'pending' | 'active' | 'deactivated' | 'removed';

/** One activation of one device. */
export interface DeviceRecord {
  readonly deviceId: string;
  readonly userGuid: string;
  readonly userId: string;
  readonly info: wire.DeviceInfo;
  readonly status: DeviceStatus;
  /** Hex of SHA-256 of the device's public key: at most one live device a key. */
  readonly keyId: string;
  /** Serial numbers of its certificates that are not revoked, newest last. */
  readonly serials: readonly string[];
  readonly activationType: string;
  readonly profileId: string;
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  /** Secret that the pending activation was made with; used up at A7. */
  readonly secretId?: string | undefined;
  readonly secretKind?: wire.SecretKind | undefined;
  readonly pushToken?: Uint8Array | undefined;
  /** Wall clock, milliseconds. */
  readonly createdAtMs: number;
  readonly activatedAtMs?: number | undefined;
  readonly lastContactMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** Why its configuration could not be applied, or why it ended. */
  readonly message?: string | undefined;
}

interface DeviceReference {
  readonly deviceId: string;
}

const devices: Table<DeviceRecord> = table('device');
const devicesByUser: Table<DeviceReference> = table('device-by-user');
const devicesByKey: Table<DeviceReference> = table('device-by-key');

/** Creates or changes a device and keeps the indexes. */
export function putDevice(tx: WriteView, device: DeviceRecord): void {
  const before = devices.get(tx, device.deviceId);
  devices.put(tx, device.deviceId, device);
  if (before === undefined) devicesByUser.put(tx, joinId(device.userGuid, device.deviceId), { deviceId: device.deviceId });
  const wasLive = before !== undefined && isLive(before);
  if (isLive(device) && (!wasLive || before.keyId !== device.keyId)) devicesByKey.put(tx, device.keyId, { deviceId: device.deviceId });
  if (wasLive && (!isLive(device) || before.keyId !== device.keyId)) releaseKey(tx, before);
}

function releaseKey(tx: WriteView, device: DeviceRecord): void {
  if (devicesByKey.get(tx, device.keyId)?.deviceId === device.deviceId) devicesByKey.delete(tx, device.keyId);
}

/** Forgets a device that never counted. */
export function deleteDevice(tx: WriteView, deviceId: string): void {
  const device = devices.get(tx, deviceId);
  if (device === undefined) return;
  devices.delete(tx, deviceId);
  devicesByUser.delete(tx, joinId(device.userGuid, deviceId));
  releaseKey(tx, device);
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

/** Devices of one user, ended ones too; `after` is a device id. */
export function listDevicesOfUser(view: ReadView, userGuid: string, query: { readonly after?: string; readonly limit: number }): readonly DeviceRecord[] {
  const after = query.after === undefined ? undefined : joinId(userGuid, query.after);
  const rows = devicesByUser.page(view, { under: partOf(userGuid), after, limit: query.limit });
  return rows.flatMap(({ record }) => devices.get(view, record.deviceId) ?? []);
}
