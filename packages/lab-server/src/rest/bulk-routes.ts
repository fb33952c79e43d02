import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { type BulkResult, MAX_BULK_COMMANDS, MAX_BULK_DEVICES, MAX_BULK_TOTAL_COMMANDS } from '../admin/bulk-commands.ts';
import { leastRoleOfCommand } from '../admin/command-roles.ts';
import { AdminProblem, PROBLEM_IDS } from '../admin/problem.ts';
import type { DeviceRecord } from '../state/devices.ts';
import { type BodySchema, component, guidText, type ViewSchema } from './components.ts';
import { DEVICE_FIELDS, type DeviceField, partsOfFields, readDevice } from './device-routes.ts';
import { type ListQuery, listQuery, matches } from './paging.ts';
import { type Route, route } from './route.ts';
import { ID_PATTERN } from './router.ts';
import { type CommandBody, commandBody, type GuidReference } from './schemas.ts';

interface BulkBody {
  readonly commands: readonly CommandBody[];
  readonly devices?: readonly string[] | undefined;
  readonly query?: string | undefined;
  readonly group?: GuidReference | undefined;
  readonly deviceGroup?: GuidReference | undefined;
}

/** POST /deviceCommands: exactly one of `devices`, `query`, `group` and `deviceGroup` says which devices. */
const bulkBody: BodySchema<BulkBody> = component(
  'NewDeviceCommands',
  v.strictObject({
    commands: v.pipe(v.array(commandBody), v.minLength(1), v.maxLength(MAX_BULK_COMMANDS)),
    devices: v.optional(
      v.pipe(v.array(v.pipe(v.string(), v.regex(ID_PATTERN, 'is no guid'))), v.minLength(1), v.maxLength(MAX_BULK_DEVICES), v.description('Guids of devices')),
    ),
    query: v.optional(v.pipe(v.string(), v.maxLength(512), v.description('Active devices, as in the query of GET /devices'))),
    group: v.optional(v.pipe(v.strictObject({ guid: guidText }), v.description('Active devices of the users of a group'))),
    deviceGroup: v.optional(v.strictObject({ guid: guidText })),
  }),
);

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const bulkView: ViewSchema = component(
  'DeviceCommands',
  v.strictObject({
    sent: v.pipe(count, v.description('Devices that got all commands')),
    refused: v.pipe(count, v.description('Devices that got none')),
    devices: v.array(
      component(
        'DeviceCommandResult',
        v.strictObject({
          guid: guidText,
          commands: v.optional(v.pipe(v.array(guidText), v.description('Guids of the commands, in the order of the request'))),
          id: v.optional(v.pipe(v.picklist(PROBLEM_IDS), v.description('Why it got none'))),
        }),
      ),
    ),
  }),
);

/** One call for many devices (F5.1). */
export function bulkRoutes(admin: Administration): readonly Route[] {
  const wanted = ({ devices, query, group, deviceGroup }: BulkBody): readonly string[] => {
    if ([devices, query, group, deviceGroup].filter((one) => one !== undefined).length !== 1)
      throw new AdminProblem('INVALID_PROPERTY', 'devices: exactly one of devices, query, group and deviceGroup says which devices');
    if (devices !== undefined) return [...new Set(devices)];
    const filter = query === undefined ? undefined : queryOf(query);
    const found: string[] = [];
    const candidates =
      group !== undefined
        ? devicesOfUsers(admin, group.guid)
        : deviceGroup !== undefined
          ? admin.deviceSummariesOfGroup(deviceGroup.guid, [])
          : admin.deviceSummaries(partsOfFields(filter?.field));
    for (const device of candidates) {
      if (filter !== undefined && !matches(device, filter, readDevice)) continue;
      if (found.length === MAX_BULK_DEVICES) throw new AdminProblem('INVALID_PROPERTY', `devices: there are more than ${MAX_BULK_DEVICES} devices`);
      found.push(device.deviceId);
    }
    return found;
  };

  return [
    route({
      id: 'sendDeviceCommands',
      method: 'POST',
      path: '/deviceCommands',
      summary: 'Sends the same commands to many devices; each gets all of them or none',
      tag: 'commands',
      role: 'helpDesk',
      body: { noun: 'devicecommands', schema: bulkBody },
      answers: { 200: { noun: 'devicecommands', schema: bulkView } },
      problems: ['GROUP_NOT_FOUND'],
      roleOf: ({ commands }) => (commands.every(({ type }) => leastRoleOfCommand(type) === 'helpDesk') ? 'helpDesk' : 'administrator'),
      async run({ body }) {
        const deviceIds = wanted(body);
        if (deviceIds.length * body.commands.length > MAX_BULK_TOTAL_COMMANDS)
          throw new AdminProblem('INVALID_PROPERTY', `commands: more than ${MAX_BULK_TOTAL_COMMANDS} for all devices`);
        const commands = body.commands.map(({ expiry, ...command }) => ({ ...command, expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry) }));
        const results = await admin.sendCommands(deviceIds, commands);
        const sent = results.filter(({ problem }) => problem === undefined).length;
        return { status: 200, body: { sent, refused: results.length - sent, devices: results.map(resultView) } };
      },
    }),
  ];
}

function* devicesOfUsers(admin: Administration, groupId: string): Generator<Pick<DeviceRecord, 'deviceId'>> {
  for (const { guid } of admin.usersOfGroup(groupId)) yield* admin.deviceSummariesOfUser(guid, []);
}

function queryOf(query: string): ListQuery<DeviceField>['filter'] {
  try {
    return listQuery(new Map([['query', query]]), DEVICE_FIELDS).filter;
  } catch (error) {
    if (error instanceof AdminProblem) throw new AdminProblem('INVALID_PROPERTY', error.message.replace(/^query /, 'query: '));
    throw error;
  }
}

function resultView({ deviceId, commandIds, problem }: BulkResult): object {
  return { guid: deviceId, commands: commandIds, id: problem };
}
