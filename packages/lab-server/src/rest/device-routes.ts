import type { Administration } from '../admin/administration.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { CommandRecord } from '../state/commands.ts';
import type { DeviceRecord } from '../state/devices.ts';
import { listQuery, pageLinks, pageOf } from './paging.ts';
import type { Route, RouteCall } from './rest-request.ts';
import { checkBody, commandBody } from './schemas.ts';
import { commandView, userDeviceView } from './views.ts';

const DEVICE_FIELDS = ['guid', 'username', 'os', 'osVersion', 'hardwareModel', 'serialNumber', 'lastContactTime', 'activationDate'] as const;
type DeviceField = (typeof DEVICE_FIELDS)[number];

const DEVICE_TEXTS: Readonly<Record<DeviceField, (device: DeviceRecord) => string>> = {
  guid: (device) => device.deviceId,
  username: (device) => device.userId,
  os: (device) => device.info.platform,
  osVersion: (device) => device.info.osVersion,
  hardwareModel: (device) => device.info.model,
  serialNumber: (device) => device.info.serialNumber ?? '',
  lastContactTime: (device) => new Date(device.lastContactMs ?? 0).toISOString(),
  activationDate: (device) => new Date(device.activatedAtMs ?? 0).toISOString(),
};

const readDevice = (device: DeviceRecord, field: DeviceField): string => DEVICE_TEXTS[field](device);

const COMMAND_FIELDS = ['type', 'guid'] as const;
const readCommand = (command: CommandRecord, field: (typeof COMMAND_FIELDS)[number]): string => (field === 'type' ? command.type : command.commandId);

/** Devices and their commands (F5.1). */
export function deviceRoutes(admin: Administration): readonly Route[] {
  /** The device of the path; it has to belong to the user of the path. */
  const deviceOf = ({ parts }: RouteCall): DeviceRecord => {
    const user = admin.user(parts['guid'] as string);
    const device = admin.device(parts['device'] as string);
    if (device.userGuid !== user.guid) throw new AdminProblem('DEVICE_NOT_FOUND', 'the user has no such device');
    return device;
  };
  const commandPath = '/users/{guid}/userDevices/{device}/commands';

  return [
    {
      method: 'GET',
      path: '/devices',
      run({ query, base }) {
        const wanted = listQuery(query, DEVICE_FIELDS);
        const page = pageOf(admin.devices(), wanted, readDevice);
        const links = pageLinks(`${base}/devices`, wanted, page.hasMore);
        return { status: 200, noun: 'devices', body: { devices: page.items.map((device) => userDeviceView(base, device)), links } };
      },
    },
    {
      method: 'GET',
      path: '/users/{guid}/userDevices',
      run({ parts, query, base }) {
        const user = admin.user(parts['guid'] as string);
        const wanted = listQuery(query, DEVICE_FIELDS);
        const page = pageOf(admin.devicesOfUser(user.guid), wanted, readDevice);
        const links = pageLinks(`${base}/users/${user.guid}/userDevices`, wanted, page.hasMore);
        return { status: 200, noun: 'userdevices', body: { userDevices: page.items.map((device) => userDeviceView(base, device)), links } };
      },
    },
    {
      method: 'GET',
      path: '/users/{guid}/userDevices/{device}',
      run(call) {
        const device = deviceOf(call);
        return { status: 200, noun: 'userdevice', body: userDeviceView(call.base, device, admin.inventory(device.deviceId)) };
      },
    },
    {
      method: 'DELETE',
      path: '/users/{guid}/userDevices/{device}',
      async run(call) {
        const { deviceId } = deviceOf(call);
        await admin.removeDevice(deviceId);
        return { status: 204, deviceId };
      },
    },
    {
      method: 'GET',
      path: commandPath,
      run(call) {
        const { deviceId, userGuid } = deviceOf(call);
        const wanted = listQuery(call.query, COMMAND_FIELDS);
        const page = pageOf(admin.commands(deviceId), wanted, readCommand);
        const links = pageLinks(`${call.base}/users/${userGuid}/userDevices/${deviceId}/commands`, wanted, page.hasMore);
        return { status: 200, noun: 'commands', body: { commands: page.items.map((command) => commandView(call.base, userGuid, command)), links } };
      },
    },
    {
      method: 'POST',
      path: commandPath,
      takes: 'command',
      async run(call) {
        const { deviceId, userGuid } = deviceOf(call);
        const { type, properties, expiry } = checkBody(commandBody, call.json);
        const command = await admin.sendCommand(deviceId, { type, properties, expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry) });
        const body = commandView(call.base, userGuid, command);
        const location = `${call.base}/users/${userGuid}/userDevices/${deviceId}/commands/${command.commandId}`;
        return { status: 201, noun: 'command', body, headers: { location }, deviceId };
      },
    },
    {
      method: 'GET',
      path: `${commandPath}/{command}`,
      run(call) {
        const { deviceId, userGuid } = deviceOf(call);
        return { status: 200, noun: 'command', body: commandView(call.base, userGuid, admin.command(deviceId, call.parts['command'] as string)) };
      },
    },
    {
      method: 'DELETE',
      path: `${commandPath}/{command}`,
      async run(call) {
        const { deviceId, userGuid } = deviceOf(call);
        const command = await admin.cancelCommand(deviceId, call.parts['command'] as string);
        return { status: 200, noun: 'command', body: commandView(call.base, userGuid, command), deviceId };
      },
    },
  ];
}
