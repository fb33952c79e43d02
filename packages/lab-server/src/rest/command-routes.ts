import type { Administration } from '../admin/administration.ts';
import { leastRoleOfCommand } from '../admin/command-roles.ts';
import { mapChange, type PlannedChange } from '../admin/planned-change.ts';
import type { CommandRecord } from '../state/commands.ts';
import { deviceOfUser } from './device-routes.ts';
import { commandAnswer, commandsView, commandView, sentCommandAnswer, sentCommandView } from './device-views.ts';
import { pageLinks, pageOf } from './paging.ts';
import { COMMAND_PART, DEVICE_PART, DYNAMICS_APP_PART, USER_PART } from './parts.ts';
import type { RouteResult } from './rest-request.ts';
import { type Route, route } from './route.ts';
import { type CommandBody, commandBody } from './schemas.ts';

const COMMAND_FIELDS = ['type', 'guid'] as const;
const readCommand = (command: CommandRecord, field: (typeof COMMAND_FIELDS)[number]): string => (field === 'type' ? command.type : command.commandId);

const PATH = '/users/{guid}/userDevices/{device}/commands';
const PARTS = { guid: USER_PART, device: DEVICE_PART };
const ONE_PARTS = { ...PARTS, command: COMMAND_PART };
const NOT_THERE = ['USER_NOT_FOUND', 'DEVICE_NOT_FOUND'] as const;
const APPLICATION_PATH = '/users/{guid}/userDevices/{device}/applications/{application}/commands';
const SENT = { 201: { noun: 'command', schema: sentCommandAnswer, headers: { location: 'Path of the command' } } } as const;
const SEND_PROBLEMS = [...NOT_THERE, 'DEVICE_NOT_ACTIVE', 'COMMAND_NOT_APPLICABLE', 'QUEUE_FULL'] as const;

/** Commands of a device and their status (F5.1). */
export function commandRoutes(admin: Administration): readonly Route[] {
  const send = (
    parts: { readonly guid: string; readonly device: string },
    { type, properties, expiry }: CommandBody,
    base: string,
    applicationId?: string,
  ): PlannedChange<RouteResult> => {
    const { guid: userGuid, device: deviceId } = parts;
    const expiresAtMs = expiry === undefined ? undefined : Date.parse(expiry);
    return mapChange(admin.planCommand({ deviceId, userGuid }, { type, properties, applicationId, expiresAtMs }), (command) => {
      const location = `${base}/users/${userGuid}/userDevices/${deviceId}/commands/${command.commandId}`;
      return { status: 201, body: sentCommandView(base, userGuid, command), headers: { location }, deviceId };
    });
  };

  return [
    route({
      id: 'listCommands',
      method: 'GET',
      path: PATH,
      summary: 'Lists the commands of a device, the oldest first',
      tag: 'commands',
      role: 'readOnly',
      parts: PARTS,
      list: COMMAND_FIELDS,
      answers: { 200: { noun: 'commands', schema: commandsView } },
      problems: NOT_THERE,
      run({ parts, list, base }) {
        const { deviceId, userGuid } = deviceOfUser(admin, parts);
        const page = pageOf(admin.commands(deviceId), list, readCommand);
        const links = pageLinks(`${base}/users/${userGuid}/userDevices/${deviceId}/commands`, list, page.hasMore);
        return { status: 200, body: { commands: page.items.map((command) => commandView(base, userGuid, command)), links } };
      },
    }),
    route({
      id: 'sendCommand',
      method: 'POST',
      path: PATH,
      summary: 'Sends a command; the device is woken (F5.2). Help desk may lock, unlock and ask',
      tag: 'commands',
      role: 'helpDesk',
      parts: PARTS,
      body: { noun: 'command', schema: commandBody },
      answers: SENT,
      problems: SEND_PROBLEMS,
      roleOf: ({ type }) => leastRoleOfCommand(type),
      change: ({ parts, body, base }) => send(parts, body, base),
    }),
    route({
      id: 'sendApplicationCommand',
      method: 'POST',
      path: APPLICATION_PATH,
      summary: 'Sends a command for one Dynamics app on the device; it is read and taken back among the commands of the device',
      tag: 'commands',
      role: 'helpDesk',
      parts: { ...PARTS, application: DYNAMICS_APP_PART },
      body: { noun: 'command', schema: commandBody },
      answers: SENT,
      problems: SEND_PROBLEMS,
      roleOf: ({ type }) => leastRoleOfCommand(type),
      change: ({ parts, body, base }) => send(parts, body, base, parts.application),
    }),
    route({
      id: 'getCommand',
      method: 'GET',
      path: `${PATH}/{command}`,
      summary: 'Shows one command and its status',
      tag: 'commands',
      role: 'readOnly',
      parts: ONE_PARTS,
      answers: { 200: { noun: 'command', schema: commandAnswer } },
      problems: [...NOT_THERE, 'COMMAND_NOT_FOUND'],
      run({ parts, base }) {
        const { deviceId, userGuid } = deviceOfUser(admin, parts);
        return { status: 200, body: commandView(base, userGuid, admin.command(deviceId, parts.command)) };
      },
    }),
    route({
      id: 'cancelCommand',
      method: 'DELETE',
      path: `${PATH}/{command}`,
      summary: 'Takes back a command that the device has not got yet',
      tag: 'commands',
      role: 'helpDesk',
      parts: ONE_PARTS,
      answers: { 200: { noun: 'command', schema: commandAnswer } },
      problems: [...NOT_THERE, 'COMMAND_NOT_FOUND', 'COMMAND_SENT', 'UPDATE_OF_SERVER'],
      change({ parts: { guid: userGuid, device: deviceId, command }, base }) {
        const planned = admin.planCancel({ deviceId, userGuid }, command);
        return mapChange(planned, (cancelled) => ({ status: 200, body: commandView(base, userGuid, cancelled), deviceId }));
      },
    }),
  ];
}
