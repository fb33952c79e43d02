import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { NewDeviceGroup } from '../admin/device-group-administration.ts';
import { MAX_MEMBERS_PER_CALL } from '../admin/user-group-administration.ts';
import { DEVICE_FIELDS as CONDITION_FIELDS, DEVICE_OPERATORS, type DeviceGroupRecord, MAX_DEVICE_CONDITIONS } from '../state/device-groups.ts';
import { type BodySchema, component, guidText, line, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { DEVICE_FIELDS, partsOfFields, readDevice } from './device-routes.ts';
import { devicesView, userDeviceView } from './device-views.ts';
import { pageLinks, pageOf } from './paging.ts';
import { DEVICE_GROUP_PART, DEVICE_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import type { GuidReference } from './schemas.ts';
import { timeOf, type View } from './views.ts';

const FIELDS = ['name', 'guid'] as const;
const readGroup = (group: DeviceGroupRecord, field: (typeof FIELDS)[number]): string => (field === 'name' ? group.name : group.groupId);

const query = component(
  'DeviceQuery',
  v.strictObject({
    match: v.picklist(['ALL', 'ANY']),
    conditions: v.pipe(
      v.array(v.strictObject({ field: v.picklist(CONDITION_FIELDS), operator: v.picklist(DEVICE_OPERATORS), value: line(128) })),
      v.minLength(1),
      v.maxLength(MAX_DEVICE_CONDITIONS),
    ),
  }),
);

const groupBody: BodySchema<NewDeviceGroup> = component(
  'NewDeviceGroup',
  v.strictObject({ name: line(128), description: v.optional(line(1_024)), query: v.optional(query) }),
);

interface DevicesBody {
  readonly devices: readonly GuidReference[];
}

const devicesBody: BodySchema<DevicesBody> = component(
  'DeviceReferences',
  v.strictObject({ devices: v.pipe(v.array(v.strictObject({ guid: guidText })), v.minLength(1), v.maxLength(MAX_MEMBERS_PER_CALL)) }),
);

const groupAnswer: ViewSchema = component(
  'DeviceGroup',
  v.strictObject({ guid: guidText, name: v.string(), description: v.optional(v.string()), query: v.optional(query), created: timeText, links: linksView }),
);
const groupsView = pageView('DeviceGroups', 'deviceGroups', groupAnswer);

/** /deviceGroups/{group} */
function groupView(base: string, { groupId, name, description, query: asked, createdAtMs }: DeviceGroupRecord): View {
  const self = `${base}/deviceGroups/${groupId}`;
  const links = ['devices', 'applications', 'profiles', 'policies'].map((rel) => ({ rel, href: `${self}/${rel}` }));
  return { guid: groupId, name, description, query: asked, created: timeOf(createdAtMs), links: [{ rel: 'self', href: self }, ...links] };
}

const PARTS = { group: DEVICE_GROUP_PART };

/** Groups of devices, by query or by list. */
export function deviceGroupRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listDeviceGroups',
      method: 'GET',
      path: '/deviceGroups',
      summary: 'Lists device groups',
      tag: 'device groups',
      role: 'readOnly',
      list: FIELDS,
      answers: { 200: { noun: 'devicegroups', schema: groupsView } },
      run({ list, base }) {
        const page = pageOf(admin.deviceGroups(), list, readGroup);
        const links = pageLinks(`${base}/deviceGroups`, list, page.hasMore);
        return { status: 200, body: { deviceGroups: page.items.map((group) => groupView(base, group)), links } };
      },
    }),
    route({
      id: 'createDeviceGroup',
      method: 'POST',
      path: '/deviceGroups',
      summary: 'Adds a device group: with a query, or as a list',
      tag: 'device groups',
      role: 'administrator',
      body: { noun: 'devicegroup', schema: groupBody },
      answers: { 201: { noun: 'devicegroup', schema: groupAnswer, headers: { location: 'path of the group' } } },
      problems: ['LIMIT_REACHED'],
      async run({ body, base }) {
        const group = await admin.createDeviceGroup(body);
        return { status: 201, body: groupView(base, group), headers: { location: `${base}/deviceGroups/${group.groupId}` } };
      },
    }),
    route({
      id: 'getDeviceGroup',
      method: 'GET',
      path: '/deviceGroups/{group}',
      summary: 'Shows one device group',
      tag: 'device groups',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'devicegroup', schema: groupAnswer } },
      problems: ['GROUP_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: groupView(base, admin.deviceGroup(parts.group)) }),
    }),
    route({
      id: 'putDeviceGroup',
      method: 'PUT',
      path: '/deviceGroups/{group}',
      summary: 'Changes a device group; it stays a group by query, or by list',
      tag: 'device groups',
      role: 'administrator',
      parts: PARTS,
      body: { noun: 'devicegroup', schema: groupBody },
      answers: { 200: { noun: 'devicegroup', schema: groupAnswer } },
      problems: ['GROUP_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: groupView(base, await admin.updateDeviceGroup(parts.group, body)) }),
    }),
    route({
      id: 'deleteDeviceGroup',
      method: 'DELETE',
      path: '/deviceGroups/{group}',
      summary: 'Deletes a device group whose list is empty',
      tag: 'device groups',
      role: 'administrator',
      parts: PARTS,
      answers: { 204: {} },
      problems: ['GROUP_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deleteDeviceGroup(parts.group);
        return { status: 204 };
      },
    }),
    route({
      id: 'listGroupDevices',
      method: 'GET',
      path: '/deviceGroups/{group}/devices',
      summary: 'Lists the active devices of a group',
      tag: 'device groups',
      role: 'readOnly',
      parts: PARTS,
      list: DEVICE_FIELDS,
      answers: { 200: { noun: 'devices', schema: devicesView } },
      problems: ['GROUP_NOT_FOUND'],
      run({ parts, list, base }) {
        const page = pageOf(admin.deviceSummariesOfGroup(parts.group, partsOfFields(list.sortBy?.field, list.filter?.field)), list, readDevice);
        const devices = admin.devicesById(page.items.map(({ deviceId }) => deviceId));
        const links = pageLinks(`${base}/deviceGroups/${parts.group}/devices`, list, page.hasMore);
        return { status: 200, body: { devices: devices.map((device) => userDeviceView(base, device)), links } };
      },
    }),
    route({
      id: 'addGroupDevices',
      method: 'POST',
      path: '/deviceGroups/{group}/devices',
      summary: 'Puts devices on the list of a group, all or none',
      tag: 'device groups',
      role: 'administrator',
      parts: PARTS,
      body: { noun: 'devices', schema: devicesBody },
      answers: { 204: {} },
      problems: ['GROUP_NOT_FOUND', 'GROUP_BY_QUERY', 'DEVICE_NOT_FOUND', 'DEVICE_NOT_ACTIVE', 'LIMIT_REACHED'],
      async run({ parts, body }) {
        await admin.addDevicesToGroup(
          parts.group,
          body.devices.map(({ guid }) => guid),
        );
        return { status: 204 };
      },
    }),
    route({
      id: 'removeGroupDevice',
      method: 'DELETE',
      path: '/deviceGroups/{group}/devices/{device}',
      summary: 'Takes a device off the list of a group',
      tag: 'device groups',
      role: 'administrator',
      parts: { group: DEVICE_GROUP_PART, device: DEVICE_PART },
      answers: { 204: {} },
      problems: ['GROUP_NOT_FOUND', 'GROUP_BY_QUERY', 'DEVICE_NOT_FOUND'],
      async run({ parts }) {
        await admin.removeDeviceFromGroup(parts.group, parts.device);
        return { status: 204, deviceId: parts.device };
      },
    }),
  ];
}
