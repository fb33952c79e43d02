import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_OPEN_COMMANDS } from '../../src/state/commands.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

let lab: AdminLab;
let alice: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice' });
});

const types = (deviceId: string): string[] => [...lab.admin.commands(deviceId)].map(({ type }) => type);
const LOCK_AND_ASK = [{ type: 'LOCK_DEVICE', properties: { message: 'x' } }, { type: 'REQUEST_DEVICE_INFO' }];

describe('one call for many devices (F5.1)', () => {
  it('sends all commands to each device, wakes it, and answers for each', async () => {
    for (const id of ['d1', 'd2']) await lab.addDevice(alice, id);
    await lab.addDevice(alice, 'gone', { status: 'removed' });
    const { status, json } = await lab.ask('POST', '/deviceCommands', { commands: LOCK_AND_ASK, devices: ['d2', 'nothing', 'gone', 'd1', 'd2'] });
    expect(status).toBe(200);
    const [two, nothing, gone, one] = json.devices;
    expect([json.sent, json.refused]).toEqual([2, 2]);
    expect([nothing, gone]).toEqual([
      { guid: 'nothing', id: 'DEVICE_NOT_FOUND' },
      { guid: 'gone', id: 'DEVICE_NOT_ACTIVE' },
    ]);
    for (const { guid, commands } of [one, two]) {
      expect([...lab.admin.commands(guid)].map(({ commandId }) => commandId)).toEqual(commands);
      expect(types(guid)).toEqual(['LOCK_DEVICE', 'REQUEST_DEVICE_INFO']);
    }
    expect(lab.woken).toEqual(['d2', 'd1']);
  });

  it('gives a device all of the commands or none', async () => {
    await lab.addDevice(alice, 'd1');
    for (let n = 1; n < MAX_OPEN_COMMANDS; n++) await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE' });
    const { json } = await lab.ask('POST', '/deviceCommands', { commands: LOCK_AND_ASK, devices: ['d1'] });
    expect(json).toEqual({ sent: 0, refused: 1, devices: [{ guid: 'd1', id: 'QUEUE_FULL' }] });
    expect(types('d1')).toHaveLength(MAX_OPEN_COMMANDS - 1);
    expect((await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'REQUEST_DEVICE_INFO' }], devices: ['d1'] })).json.sent).toBe(1);
  });

  it('finds devices by query or by group', async () => {
    await lab.addDevice(alice, 'd1');
    await lab.addDevice(alice, 'd2', { info: { platform: 'macos', osVersion: '15', model: 'Mac', clientVersion: '1' } });
    await lab.addDevice(alice, 'd3');
    const byQuery = await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'LOCK_DEVICE' }], query: 'os=ios' });
    expect(byQuery.json.devices.map(({ guid }: { guid: string }) => guid)).toEqual(['d1', 'd3']);
    const { groupId } = await lab.admin.createDeviceGroup({ name: 'some' });
    await lab.admin.addDevicesToGroup(groupId, ['d2', 'd3']);
    const byGroup = await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'REQUEST_DEVICE_INFO' }], deviceGroup: { guid: groupId } });
    expect(byGroup.json.devices.map(({ guid }: { guid: string }) => guid)).toEqual(['d2', 'd3']);
    expect(types('d3').filter((type) => !type.startsWith('UPDATE'))).toEqual(['LOCK_DEVICE', 'REQUEST_DEVICE_INFO']);
    const bob = await lab.admin.createUser({ username: 'bob' });
    await lab.addDevice(bob, 'd4');
    const users = (await lab.admin.createUserGroup({ name: 'people' })).groupId;
    await lab.admin.addUsersToGroup(users, [bob.guid]);
    const byUsers = await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'LOCK_DEVICE' }], group: { guid: users } });
    expect(byUsers.json.devices.map(({ guid }: { guid: string }) => guid)).toEqual(['d4']);
    const nobody = await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'LOCK_DEVICE' }], group: { guid: 'nothing' } });
    expect(nobody.json.id).toBe('GROUP_NOT_FOUND');
    const none = await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'LOCK_DEVICE' }], deviceGroup: { guid: 'nothing' } });
    expect(none.json.id).toBe('GROUP_NOT_FOUND');
  });

  it.each<[string, object, string]>([
    ['no target', {}, 'devices:'],
    ['two targets', { devices: ['d1'], query: 'os=ios' }, 'devices:'],
    ['a query that is none', { query: 'shoe=1' }, 'query:'],
    ['a device id that is none', { devices: ['d/1'] }, 'devices.0:'],
    [
      'a wrong property in the second command',
      { devices: ['d1'], commands: [{ type: 'LOCK_DEVICE' }, { type: 'LOCK_DEVICE', properties: { loud: true } }] },
      'properties.loud:',
    ],
    ['an end in the past', { devices: ['d1'], commands: [{ type: 'LOCK_DEVICE', expiry: '2020-01-01T00:00:00Z' }] }, 'commands.0.expiry:'],
    ['no command', { devices: ['d1'], commands: [] }, 'commands:'],
    ['nine commands', { devices: ['d1'], commands: Array(9).fill({ type: 'LOCK_DEVICE' }) }, 'commands:'],
  ])('refuses %s and changes nothing', async (_what, body, field) => {
    await lab.addDevice(alice, 'd1');
    const before = lab.contents();
    const { status, json } = await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'LOCK_DEVICE' }], ...body });
    expect(status).toBe(400);
    expect(json.message.startsWith(field)).toBe(true);
    expect(lab.contents()).toBe(before);
    expect(lab.woken).toEqual([]);
  });

  it('refuses help desk what deletes, also between other commands', async () => {
    await lab.addDevice(alice, 'd1');
    const headers = await lab.headersOf('helpDesk');
    const commands = [{ type: 'LOCK_DEVICE' }, { type: 'DELETE_DEVICE_DATA' }];
    expect((await lab.ask('POST', '/deviceCommands', { commands, devices: ['d1'] }, headers)).json.id).toBe('NOT_AUTHORIZED');
    expect(types('d1')).toEqual([]);
  });
});
