import { beforeEach, describe, expect, it } from 'vitest';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

let lab: AdminLab;
let alice: UserRecord;
let group: string;
let byQuery: string;
beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice' });
  const bob = await lab.admin.createUser({ username: 'bob' });
  // One id is the beginning of another.
  for (const id of ['d10', 'd1', 'd2']) await lab.addDevice(alice, id);
  await lab.addDevice(bob, 'd3');
  await lab.admin.removeDevice('d2');
  group = (await lab.admin.createDeviceGroup({ name: 'by list' })).groupId;
  await lab.admin.addDevicesToGroup(group, ['d1', 'd10', 'd3']);
  const conditions = [{ field: 'osVersion', operator: 'AT_LEAST', value: '0' }] as const;
  byQuery = (await lab.admin.createDeviceGroup({ name: 'by query', query: { match: 'ALL', conditions } })).groupId;
});

describe('lists of the devices of a user or of a group', () => {
  it('read the fields that are asked for, the id and the state, and nothing else of a device', () => {
    const summary = (deviceId: string, userId: string) => ({ deviceId, status: 'active', userId });
    expect([...lab.admin.deviceSummariesOfUser(alice.guid, ['userId'])]).toEqual([summary('d1', 'alice'), summary('d10', 'alice')]);
    expect([...lab.admin.deviceSummariesOfGroup(group, ['userId'])]).toEqual([summary('d1', 'alice'), summary('d10', 'alice'), summary('d3', 'bob')]);
    // A query looks at more than that.
    expect([...lab.admin.deviceSummariesOfGroup(byQuery, [])].map(({ deviceId }) => deviceId)).toEqual(['d1', 'd10', 'd3']);
    expect(Object.keys([...lab.admin.deviceSummariesOfGroup(byQuery, [])][0] ?? {})).not.toContain('serials');
  });

  it.each([
    ['a user', () => `/users/${alice.guid}/userDevices`, 'userDevices', ['d10', 'd1']],
    ['a group by list', () => `/deviceGroups/${group}/devices`, 'devices', ['d3', 'd10', 'd1']],
    ['a group by query', () => `/deviceGroups/${byQuery}/devices`, 'devices', ['d3', 'd10', 'd1']],
  ])('of %s are sorted, queried and paged by these, and whole records are read of the page alone', async (_whose, path, name, expected) => {
    const read: string[] = [];
    const { devicesById } = lab.admin;
    const never = (): never => {
      throw new Error('reads whole records');
    };
    Object.assign(lab.admin, {
      devices: never,
      devicesOfUser: never,
      devicesById: (ids: readonly string[]) => devicesById(ids.filter((id) => read.push(id) > 0)),
    });
    const guids = async (query: string): Promise<readonly string[]> =>
      (await lab.ask('GET', `${path()}?${query}`)).json[name].map(({ guid }: { readonly guid: string }) => guid);
    expect(await guids('sortBy=guid%20DESC')).toEqual(expected);
    read.length = 0;
    expect(await guids('sortBy=guid%20DESC&max=1&offset=1')).toEqual([expected[1]]);
    expect(read).toEqual([expected[1]]);
    expect(await guids('query=guid%3Dd1')).toEqual(['d1']);
    expect(await guids('query=username%3Dcarol')).toEqual([]);
  });
});
