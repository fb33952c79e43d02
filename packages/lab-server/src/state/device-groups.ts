import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, partOf, type Row, type Table, table } from './table.ts';

/** What a condition of a device group looks at. */
export const DEVICE_FIELDS = ['osFamily', 'os', 'osVersion', 'hardwareModel', 'activationType', 'ownership', 'compromised'] as const;
/** How it compares. `AT_LEAST` and `AT_MOST` compare versions, part by part. */
export const DEVICE_OPERATORS = ['EQUALS', 'NOT_EQUALS', 'STARTS_WITH', 'CONTAINS', 'AT_LEAST', 'AT_MOST'] as const;

export type DeviceField = (typeof DEVICE_FIELDS)[number];
export type DeviceOperator = (typeof DEVICE_OPERATORS)[number];

export interface DeviceCondition {
  readonly field: DeviceField;
  readonly operator: DeviceOperator;
  readonly value: string;
}

/** Devices by what they are: a device comes and goes with what it reports. */
export interface DeviceQuery {
  readonly match: 'ALL' | 'ANY';
  readonly conditions: readonly DeviceCondition[];
}

/** A group of devices: by query, or by list. */
export interface DeviceGroupRecord {
  readonly groupId: string;
  readonly name: string;
  readonly description?: string | undefined;
  /** Absent: a list of devices. */
  readonly query?: DeviceQuery | undefined;
  readonly createdAtMs: number;
}

/** Device groups of a tenant; each query is asked for each device. */
export const MAX_DEVICE_GROUPS = 200;
/** Conditions of one query. */
export const MAX_DEVICE_CONDITIONS = 20;

interface MemberReference {
  readonly groupId: string;
  readonly deviceId: string;
}

const deviceGroups: Table<DeviceGroupRecord> = table('device-group');
const members: Table<MemberReference> = table('device-group-member');
const groupsOfDevice: Table<MemberReference> = table('group-of-device');

export function putDeviceGroup(tx: WriteView, group: DeviceGroupRecord): void {
  deviceGroups.put(tx, group.groupId, group);
}

export function deviceGroupById(view: ReadView, groupId: string): DeviceGroupRecord | undefined {
  return deviceGroups.get(view, groupId);
}

export function listDeviceGroups(view: ReadView, query: PageQuery): readonly Row<DeviceGroupRecord>[] {
  return deviceGroups.page(view, query);
}

/** Forgets a group; members and assignments are the caller's business first. */
export function deleteDeviceGroup(tx: WriteView, groupId: string): void {
  deviceGroups.delete(tx, groupId);
}

/** False: the device was on the list already. */
export function addToDeviceGroup(tx: WriteView, groupId: string, deviceId: string): boolean {
  if (members.get(tx, joinId(groupId, deviceId)) !== undefined) return false;
  members.put(tx, joinId(groupId, deviceId), { groupId, deviceId });
  groupsOfDevice.put(tx, joinId(deviceId, groupId), { groupId, deviceId });
  return true;
}

/** False: the device was not on the list. */
export function removeFromDeviceGroup(tx: WriteView, groupId: string, deviceId: string): boolean {
  if (members.get(tx, joinId(groupId, deviceId)) === undefined) return false;
  members.delete(tx, joinId(groupId, deviceId));
  groupsOfDevice.delete(tx, joinId(deviceId, groupId));
  return true;
}

/** Ids of the devices on the list of a group; `after` is a device id. */
export function devicesOnList(view: ReadView, groupId: string, query: { readonly after?: string | undefined; readonly limit: number }): readonly string[] {
  const after = query.after === undefined ? undefined : joinId(groupId, query.after);
  return members.page(view, { under: partOf(groupId), after, limit: query.limit }).map((row) => row.record.deviceId);
}

/** Ids of the groups whose list a device is on. */
export function listsOfDevice(view: ReadView, deviceId: string): readonly string[] {
  return groupsOfDevice.page(view, { under: partOf(deviceId), limit: MAX_DEVICE_GROUPS }).map((row) => row.record.groupId);
}

/** Takes a device that has ended off every list. */
export function leaveDeviceGroups(tx: WriteView, deviceId: string): void {
  for (const groupId of listsOfDevice(tx, deviceId)) removeFromDeviceGroup(tx, groupId, deviceId);
}
