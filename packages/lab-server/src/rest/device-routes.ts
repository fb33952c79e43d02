import type { Administration } from '../admin/administration.ts';
import { mapChange } from '../admin/planned-change.ts';
import type { DeviceRecord, DeviceSummary } from '../state/devices.ts';
import { devicesView, deviceView, userDevicesView, userDeviceView } from './device-views.ts';
import { pageLinks, pageOf } from './paging.ts';
import { DEVICE_PART, USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';

/** What lists of devices are sorted and queried by. */
export const DEVICE_FIELDS = ['guid', 'username', 'os', 'osVersion', 'hardwareModel', 'serialNumber', 'lastContactTime', 'activationDate'] as const;
export type DeviceField = (typeof DEVICE_FIELDS)[number];

/** Where the text of a field is in the record, so that a long list is read for that alone. */
const DEVICE_TEXTS: Readonly<Record<DeviceField, { readonly of: keyof DeviceSummary; text(device: Partial<DeviceSummary>): string | undefined }>> = {
  guid: { of: 'deviceId', text: (device) => device.deviceId },
  username: { of: 'userId', text: (device) => device.userId },
  os: { of: 'info', text: (device) => device.info?.platform },
  osVersion: { of: 'info', text: (device) => device.info?.osVersion },
  hardwareModel: { of: 'info', text: (device) => device.info?.model },
  serialNumber: { of: 'info', text: (device) => device.info?.serialNumber },
  lastContactTime: { of: 'lastContactMs', text: (device) => new Date(device.lastContactMs ?? 0).toISOString() },
  activationDate: { of: 'activatedAtMs', text: (device) => new Date(device.activatedAtMs ?? 0).toISOString() },
};

/** A field of a device as text. */
export const readDevice = (device: Partial<DeviceSummary>, field: DeviceField): string => DEVICE_TEXTS[field].text(device) ?? '';

/** What these fields of devices stand in. */
export function partsOfFields(...fields: readonly (DeviceField | undefined)[]): readonly (keyof DeviceSummary)[] {
  return fields.flatMap((field) => (field === undefined ? [] : DEVICE_TEXTS[field].of));
}

/** The device of a path; it has to belong to the user of the path. @throws AdminProblem `USER_NOT_FOUND`, `DEVICE_NOT_FOUND` */
export function deviceOfUser(admin: Administration, parts: { readonly guid: string; readonly device: string }): DeviceRecord {
  return admin.deviceOfUser(parts.guid, parts.device);
}

const PARTS = { guid: USER_PART, device: DEVICE_PART };

/** Devices (F5.1). */
export function deviceRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listDevices',
      method: 'GET',
      path: '/devices',
      summary: 'Lists all active devices',
      tag: 'devices',
      role: 'readOnly',
      list: DEVICE_FIELDS,
      answers: { 200: { noun: 'devices', schema: devicesView } },
      run({ list, base }) {
        const page = pageOf(admin.deviceSummaries(partsOfFields(list.sortBy?.field, list.filter?.field)), list, readDevice);
        const devices = admin.devicesById(page.items.map(({ deviceId }) => deviceId));
        const links = pageLinks(`${base}/devices`, list, page.hasMore);
        return { status: 200, body: { devices: devices.map((device) => userDeviceView(base, device)), links } };
      },
    }),
    route({
      id: 'listUserDevices',
      method: 'GET',
      path: '/users/{guid}/userDevices',
      summary: 'Lists the active devices of a user',
      tag: 'devices',
      role: 'readOnly',
      parts: { guid: USER_PART },
      list: DEVICE_FIELDS,
      answers: { 200: { noun: 'userdevices', schema: userDevicesView } },
      problems: ['USER_NOT_FOUND'],
      run({ parts, list, base }) {
        const user = admin.user(parts.guid);
        const page = pageOf(admin.deviceSummariesOfUser(user.guid, partsOfFields(list.sortBy?.field, list.filter?.field)), list, readDevice);
        const devices = admin.devicesById(page.items.map(({ deviceId }) => deviceId));
        const links = pageLinks(`${base}/users/${user.guid}/userDevices`, list, page.hasMore);
        return { status: 200, body: { userDevices: devices.map((device) => userDeviceView(base, device)), links } };
      },
    }),
    route({
      id: 'getUserDevice',
      method: 'GET',
      path: '/users/{guid}/userDevices/{device}',
      summary: 'Shows one device, also after its end, with what it last reported',
      tag: 'devices',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'userdevice', schema: deviceView } },
      problems: ['USER_NOT_FOUND', 'DEVICE_NOT_FOUND'],
      run({ parts, base }) {
        const device = deviceOfUser(admin, parts);
        return { status: 200, body: userDeviceView(base, device, admin.inventory(device.deviceId), admin.complianceFindings(device.deviceId)) };
      },
    }),
    route({
      id: 'removeUserDevice',
      method: 'DELETE',
      path: '/users/{guid}/userDevices/{device}',
      summary: 'Removes a device: its certificates are revoked at once',
      tag: 'devices',
      role: 'administrator',
      parts: PARTS,
      answers: { 204: {} },
      problems: ['USER_NOT_FOUND', 'DEVICE_NOT_FOUND', 'DEVICE_NOT_ACTIVE'],
      change: ({ parts }) => mapChange(admin.planRemoval({ deviceId: parts.device, userGuid: parts.guid }), ({ deviceId }) => ({ status: 204, deviceId })),
    }),
  ];
}
