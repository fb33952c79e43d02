import { beforeEach, describe, expect, it } from 'vitest';
import { supervisionOf } from '../../src/state/supervision.ts';
import { ConfigurationBench } from '../support/configuration-bench.ts';

let bench: ConfigurationBench;

beforeEach(async () => {
  bench = await ConfigurationBench.start();
});

describe('a device that is only registered', () => {
  it('is given nothing, asked nothing and watched by no rule, beside one of the same user group that is managed', async () => {
    const [known, managed] = (await bench.addFleet(2, (index) => ({ activationType: index === 0 ? '2fa-registration' : 'mdm-controls' }))) as [string, string];
    const { groupId } = await bench.admin.createUserGroup({ name: 'All' });
    await bench.admin.addUsersToGroup(groupId, ['user-00000', 'user-00001']);
    const group = { kind: 'userGroup', id: groupId } as const;
    const policy = await bench.admin.createPolicy({ name: 'Strict', rules: { password: { required: true } } });
    await bench.admin.assign(group, { kind: 'policy', id: policy.policyId });
    const rule = { osVersion: { minimum: [{ osFamily: 'IOS', version: '99' }], action: 'DELETE_WORK_DATA', promptBehavior: 'IMMEDIATE' } };
    for (const [kind, content] of [
      ['compliance', rule],
      ['enterprise-management-agent', { inventoryIntervalS: 3_600 }],
    ] as const) {
      const { profileId } = await bench.admin.createConfigurationProfile({ kind, name: kind, content });
      await bench.admin.assign(group, { kind: 'profile', id: profileId });
    }
    await bench.settle();
    expect(bench.waiting(managed)).toEqual(expect.arrayContaining(['UPDATE_IT_POLICY', 'UPDATE_COMPLIANCE_STATUS']));
    expect(bench.commands(known)).toEqual([]);
    expect(new Set(bench.woken)).toEqual(new Set([managed]));
    expect(bench.store.read((view) => supervisionOf(view, known))).toBeUndefined();
  });
});

describe('the minimum version of a compliance rule', () => {
  const withVersion = (version: string) =>
    bench.admin.createConfigurationProfile({
      kind: 'compliance',
      name: version,
      content: { osVersion: { minimum: [{ osFamily: 'IOS', version }], action: 'MONITOR_AND_LOG' } },
    });

  it.each(['latest', '18.x', '', '18.', '.18', '18 ', '-1', '18.1b', '1.2.3.4.5.6.7.8.9', '1234567890'])('is a version, which %j is not', async (version) => {
    await expect(withVersion(version)).rejects.toMatchObject({ id: 'INVALID_PROPERTY', message: expect.stringMatching(/osVersion\.minimum\.0\.version/) });
  });

  it.each(['18', '18.1', '10.0.19045.3803', '1.2.3.4.5.6.7.8'])('is a version, as %j is', async (version) => {
    await expect(withVersion(version)).resolves.toMatchObject({ name: version });
  });
});
