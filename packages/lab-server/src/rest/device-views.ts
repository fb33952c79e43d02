import * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import type { SentCommand } from '../admin/new-device-command.ts';
import type { CommandRecord, CommandState } from '../state/commands.ts';
import type { DeviceRecord } from '../state/devices.ts';
import { decodeDocument, type InventoryRecord } from '../state/inventory.ts';
import type { FindingRecord } from '../state/supervision.ts';
import { component, guidText, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { documentView, jsonDocument, timeOf, type View } from './views.ts';

const told = (what: string) => v.optional(v.pipe(v.unknown(), v.description(what)));

/** Answer of /users/{guid}/userDevices/{device} */
export const deviceView: ViewSchema = component(
  'UserDevice',
  v.strictObject({
    guid: guidText,
    enrollmentType: v.array(v.string()),
    clientVersion: v.optional(v.string()),
    lastContactTime: v.optional(timeText),
    state: v.picklist(['ACTIVE', 'DEACTIVATED', 'REMOVED']),
    device: component(
      'Device',
      v.strictObject({
        guid: guidText,
        activationDate: v.optional(timeText),
        os: v.string(),
        osFamilyName: v.optional(v.string()),
        osVersion: v.string(),
        hardwareModel: v.string(),
        serialNumber: v.optional(v.string()),
        ownership: told('As the activation profile says, else as the device told it'),
        batteryLevel: told('As the device told it'),
        compromised: told('As the device told it'),
        imei: told('As the device told it'),
        udid: told('As the device told it'),
        wifiMacAddress: told('As the device told it'),
      }),
    ),
    user: component('DeviceUser', v.strictObject({ guid: guidText, username: v.string() })),
    message: v.optional(v.pipe(v.string(), v.description('Why it ended, or why its configuration could not be applied'))),
    outOfComplianceInfo: v.optional(
      v.array(
        component(
          'OutOfComplianceInfo',
          v.strictObject({
            date: timeText,
            reason: v.string(),
            displayName: v.string(),
            prompts: v.pipe(v.number(), v.description('How often the user has been asked')),
            action: v.optional(v.pipe(v.string(), v.description('What was done'))),
          }),
        ),
      ),
    ),
    lateContactTime: v.optional(v.pipe(timeText, v.description('When a device that was removed made contact again, was refused and so deletes its work data'))),
    deviceInformation: v.optional(documentView),
    installedApps: v.optional(documentView),
    links: linksView,
  }),
);

export const devicesView: ViewSchema = pageView('Devices', 'devices', deviceView);
export const userDevicesView: ViewSchema = pageView('UserDevices', 'userDevices', deviceView);

/** /users/{guid}/userDevices/{guid}, also the items of /devices. */
export function userDeviceView(base: string, device: DeviceRecord, inventory: InventoryRecord = {}, findings: readonly FindingRecord[] = []): View {
  const { info, userGuid, deviceId } = device;
  const reported = inventory.deviceInfo === undefined ? undefined : decodeDocument(inventory.deviceInfo);
  const known = (name: string): unknown => reported?.[name];
  return {
    guid: deviceId,
    enrollmentType: [device.activationType.replaceAll('-', '_').toUpperCase()],
    clientVersion: info.clientVersion,
    lastContactTime: timeOf(device.lastContactMs),
    state: device.status.toUpperCase(),
    device: {
      guid: deviceId,
      activationDate: timeOf(device.activatedAtMs),
      os: info.platform,
      osFamilyName: wire.platformOf(info.platform)?.family,
      osVersion: textOf(known('osVersion')) ?? info.osVersion,
      hardwareModel: info.model,
      serialNumber: info.serialNumber,
      ownership: device.ownership ?? known('ownership'),
      batteryLevel: known('batteryLevel'),
      compromised: known('compromised') ?? info.compromised,
      imei: known('imei'),
      udid: known('udid'),
      wifiMacAddress: known('wifiMacAddress'),
    },
    user: { guid: userGuid, username: device.userId },
    message: device.message,
    outOfComplianceInfo: findings.length === 0 ? undefined : findings.map(outOfCompliance),
    lateContactTime: timeOf(device.lateContactMs),
    deviceInformation: reported === undefined ? undefined : { reported: timeOf(inventory.deviceInfoAtMs), ...jsonDocument(reported) },
    installedApps: inventory.installedApps === undefined ? undefined : jsonDocument(decodeDocument(inventory.installedApps)),
    links: [
      { rel: 'self', href: `${base}/users/${userGuid}/userDevices/${deviceId}` },
      { rel: 'user', href: `${base}/users/${userGuid}` },
      { rel: 'commands', href: `${base}/users/${userGuid}/userDevices/${deviceId}/commands` },
    ],
  };
}

function outOfCompliance({ sinceMs, rule, displayName, prompts, acted }: FindingRecord): View {
  return { date: timeOf(sinceMs), reason: rule, displayName, prompts, action: acted };
}

/** What a device tells may be anything. */
function textOf(told: unknown): string | undefined {
  return typeof told === 'string' ? told : undefined;
}

/** Words of the documented status of a command. */
const COMMAND_STATES: Readonly<Record<CommandState, string>> = { queued: 'QUEUED', sent: 'SENT', done: 'COMPLETED', failed: 'FAILED', cancelled: 'CANCELLED' };

const COMMAND_ANSWER = {
  guid: guidText,
  type: v.string(),
  status: v.picklist(Object.values(COMMAND_STATES)),
  created: timeText,
  sent: v.optional(timeText),
  finished: v.optional(timeText),
  expiry: v.optional(timeText),
  notBefore: v.optional(timeText),
  message: v.optional(v.string()),
  data: v.optional(documentView),
  links: linksView,
};

/** Answer of .../commands/{command} */
export const commandAnswer: ViewSchema = component('Command', v.strictObject(COMMAND_ANSWER));

/** Answer to a command that was just sent. */
export const sentCommandAnswer: ViewSchema = component(
  'SentCommand',
  v.strictObject({
    ...COMMAND_ANSWER,
    generatedPassword: v.optional(
      v.pipe(
        v.string(),
        v.description('The new device password, base64: told this once, when it cannot be mailed to the user (GENERATE_DEVICE_PASSWORD_AND_LOCK)'),
      ),
    ),
    mail: v.optional(v.pipe(v.strictObject({ guid: guidText }), v.description('The mail by which the user is told the new device password'))),
  }),
);

export const commandsView: ViewSchema = pageView('Commands', 'commands', commandAnswer);

/** .../commands/{guid} */
export function commandView(base: string, userGuid: string, command: CommandRecord): View {
  return {
    guid: command.commandId,
    type: command.type,
    status: COMMAND_STATES[command.state],
    created: timeOf(command.createdAtMs),
    sent: timeOf(command.sentAtMs),
    finished: timeOf(command.finishedAtMs),
    expiry: timeOf(command.expiresAtMs),
    notBefore: timeOf(command.notBeforeMs),
    message: command.message,
    data: command.data === undefined ? undefined : jsonDocument(decodeDocument(command.data)),
    links: [{ rel: 'self', href: `${base}/users/${userGuid}/userDevices/${command.deviceId}/commands/${command.commandId}` }],
  };
}

/** .../commands/{guid} as it is told once, to who sent it. */
export function sentCommandView(base: string, userGuid: string, command: SentCommand): View {
  const { generatedPassword, mailId } = command;
  const view = commandView(base, userGuid, command);
  if (generatedPassword === undefined && mailId === undefined) return view;
  return {
    ...view,
    generatedPassword: generatedPassword === undefined ? undefined : btoa(generatedPassword),
    mail: mailId === undefined ? undefined : { guid: mailId },
  };
}
