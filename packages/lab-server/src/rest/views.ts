import { toHex, wire } from '@uemkit/protocol';
import type { ActivationSecretRecord } from '../state/activation-secrets.ts';
import type { CommandRecord, CommandState } from '../state/commands.ts';
import type { DeviceRecord } from '../state/devices.ts';
import { decodeDocument, type InventoryRecord } from '../state/inventory.ts';
import type { UserRecord } from '../state/users.ts';

/** A JSON object of the API. Properties without a value are left out, as documented. */
export type View = Readonly<Record<string, unknown>>;

const time = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

/** /users/{guid} */
export function userView(base: string, user: UserRecord): View {
  return {
    guid: user.guid,
    username: user.username,
    displayName: user.displayName,
    firstName: user.firstName,
    lastName: user.lastName,
    emailAddress: user.email,
    created: time(user.createdAtMs),
    links: [
      { rel: 'self', href: `${base}/users/${user.guid}` },
      { rel: 'userDevices', href: `${base}/users/${user.guid}/userDevices` },
      { rel: 'activationPasswords', href: `${base}/users/${user.guid}/activationPasswords` },
    ],
  };
}

/** /users/{guid}/userDevices/{guid}, also the items of /devices. */
export function userDeviceView(base: string, device: DeviceRecord, inventory: InventoryRecord = {}): View {
  const { info, userGuid, deviceId } = device;
  const reported = inventory.deviceInfo === undefined ? undefined : decodeDocument(inventory.deviceInfo);
  const known = (name: string): unknown => reported?.[name];
  return {
    guid: deviceId,
    enrollmentType: [device.activationType.replaceAll('-', '_').toUpperCase()],
    clientVersion: info.clientVersion,
    lastContactTime: time(device.lastContactMs),
    state: device.status.toUpperCase(),
    device: {
      guid: deviceId,
      activationDate: time(device.activatedAtMs),
      os: info.platform,
      osFamilyName: wire.platformOf(info.platform)?.family,
      osVersion: info.osVersion,
      hardwareModel: info.model,
      serialNumber: info.serialNumber,
      ownership: known('ownership'),
      batteryLevel: known('batteryLevel'),
      compromised: known('compromised'),
    },
    user: { guid: userGuid, username: device.userId },
    message: device.message,
    deviceInformation: reported === undefined ? undefined : { reported: time(inventory.deviceInfoAtMs), ...jsonDocument(reported) },
    installedApps: inventory.installedApps === undefined ? undefined : jsonDocument(decodeDocument(inventory.installedApps)),
    links: [
      { rel: 'self', href: `${base}/users/${userGuid}/userDevices/${deviceId}` },
      { rel: 'user', href: `${base}/users/${userGuid}` },
      { rel: 'commands', href: `${base}/users/${userGuid}/userDevices/${deviceId}/commands` },
    ],
  };
}

/** Words of the documented status of a command. */
const COMMAND_STATES: Readonly<Record<CommandState, string>> = { queued: 'QUEUED', sent: 'SENT', done: 'COMPLETED', failed: 'FAILED', cancelled: 'CANCELLED' };

/** .../commands/{guid} */
export function commandView(base: string, userGuid: string, command: CommandRecord): View {
  return {
    guid: command.commandId,
    type: command.type,
    status: COMMAND_STATES[command.state],
    created: time(command.createdAtMs),
    sent: time(command.sentAtMs),
    finished: time(command.finishedAtMs),
    expiry: time(command.expiresAtMs),
    notBefore: time(command.notBeforeMs),
    message: command.message,
    data: command.data === undefined ? undefined : jsonDocument(decodeDocument(command.data)),
    links: [{ rel: 'self', href: `${base}/users/${userGuid}/userDevices/${command.deviceId}/commands/${command.commandId}` }],
  };
}

/** An activation password as it is listed: never the secret. */
export function activationPasswordView(secret: ActivationSecretRecord): View {
  return {
    guid: secret.secretId,
    kind: secret.kind === 'qr' ? 'QR_CODE' : 'PASSWORD',
    created: time(secret.createdAtMs),
    expiry: time(secret.expiresAtMs),
    expireAfterUse: secret.expireAfterUse,
    triesLeft: secret.tries.left,
    activationProfile: secret.profileId === undefined ? undefined : { guid: secret.profileId },
  };
}

/** A document of the wire as JSON; bytes as hexadecimal text. */
export function jsonDocument(document: wire.WireDocument): View {
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, jsonValue(value)]));
}

function jsonValue(value: wire.WireDocumentValue): unknown {
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return toHex(value);
  return Array.isArray(value) ? (value as readonly wire.WireDocumentValue[]).map(jsonValue) : jsonDocument(value as wire.WireDocument);
}
