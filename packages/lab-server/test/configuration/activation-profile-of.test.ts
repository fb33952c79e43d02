import { describe, expect, it } from 'vitest';
import { activationProfileOf } from '../../src/configuration/activation-profile-of.ts';
import { putProfile } from '../../src/state/profiles.ts';
import { updateUser, userByGuid } from '../../src/state/users.ts';
import { ConfigurationBench } from '../support/configuration-bench.ts';
import { PROFILE } from '../support/uem-bench.ts';

describe('the activation profile of a user (F1.1b)', () => {
  it('is the one set with the user, then one assigned to the user, then one of a group, then the default', async () => {
    const bench = await ConfigurationBench.start();
    for (const profileId of ['a', 'b', 'c', 'own']) await bench.store.transaction((tx) => putProfile(tx, { ...PROFILE, profileId }));
    const guid = await bench.uem.addUser('eve@example.com');
    const profile = (): string | undefined => bench.store.read((view) => activationProfileOf(view, guid));
    expect(profile()).toBeUndefined();
    const group = await bench.admin.createUserGroup({ name: 'G' });
    await bench.admin.addUsersToGroup(group.groupId, [guid]);
    const assignee = { kind: 'userGroup', id: group.groupId } as const;
    for (const id of ['c', 'b']) await bench.admin.assign(assignee, { kind: 'activationProfile', id });
    expect(profile()).toBe('b');
    await bench.admin.assign({ kind: 'user', id: guid }, { kind: 'activationProfile', id: 'c' });
    expect(profile()).toBe('c');
    await bench.store.transaction((tx) => {
      const user = userByGuid(tx, guid);
      if (user !== undefined) updateUser(tx, { ...user, profileId: 'own' });
    });
    expect(profile()).toBe('own');
    const query = { match: 'ALL', conditions: [{ field: 'os', operator: 'EQUALS', value: 'ios' }] } as const;
    const devices = await bench.admin.createDeviceGroup({ name: 'D', query });
    const forDevices = bench.admin.assign({ kind: 'deviceGroup', id: devices.groupId }, { kind: 'activationProfile', id: 'a' });
    await expect(forDevices).rejects.toMatchObject({ id: 'INVALID_PROPERTY' });
  });
});
