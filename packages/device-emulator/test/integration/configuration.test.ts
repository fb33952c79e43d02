import { type Lab, startLab } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import { createUemClient, softwareKeyStore, type UemClient } from '@uemkit/uem-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceState } from '../../src/operating-systems/device-state.ts';
import { EmulatedOperatingSystem } from '../../src/operating-systems/emulated-operating-system.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import type { SystemId } from '../../src/operating-systems/system-definition.ts';
import { SYSTEMS } from '../../src/operating-systems/systems.ts';

const HOUR_MS = 3_600_000;
const crypto = nodeCrypto();
let clock: FakeClock;
let lab: Lab;
const clients: UemClient[] = [];

beforeEach(async () => {
  clock = fakeClock(Date.UTC(2026, 0, 15));
  const profile = { activationType: 'mdm-controls', createWorkSpace: false, pollIntervalS: 600, pollJitterS: 60 };
  lab = await startLab({ clock, crypto, entropy: seededEntropy('lab'), cost: { N: 16_384, r: 8, p: 1 }, profile });
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  lab.assertNoUnknownRequests();
  await lab.close();
});

interface Device {
  readonly client: UemClient;
  readonly deviceId: string;
  readonly userGuid: string;
  readonly state: () => DeviceState;
}

/** A device of the real library and of the emulated system, activated against the lab. */
async function activated(username: string, system: SystemId = 'ios', change: Partial<DeviceState> = {}): Promise<Device> {
  const store = memoryStore();
  const entropy = nodeEntropy();
  const state = { ...factoryState(SYSTEMS[system], { serialNumber: username }, () => 0), ...change };
  const os = await EmulatedOperatingSystem.open({ store, clock, crypto, factoryState: state });
  const keyStore = softwareKeyStore({ crypto, entropy, store });
  const client = createUemClient({ crypto, clock, entropy, store, keyStore, operatingSystem: os, transport: lab.transport() });
  clients.push(client);
  await client.open();
  const user = await lab.admin.createUser({ username });
  const { content } = await lab.admin.createQrCode(user.guid);
  await clock.hold(client.activate({ kind: 'qr', content }));
  client.start();
  await clock.advance(2_000);
  return { client, deviceId: client.deviceId as string, userGuid: user.guid, state: () => os.state };
}

const types = ({ deviceId }: Device): readonly string[] => [...lab.admin.commands(deviceId)].map(({ type }) => type);

describe('configuration, from the administrator to the emulated device (F5.1 to F5.6)', () => {
  it('a policy of a group reaches its members by push, as a delta, and nobody else', async () => {
    const [ada, bob] = [await activated('ada'), await activated('bob')];
    expect([types(ada), types(bob)]).toEqual([[], []]);
    const group = await lab.admin.createUserGroup({ name: 'Sales' });
    await lab.admin.addUsersToGroup(group.groupId, [ada.userGuid]);
    const { policyId } = await lab.admin.createPolicy({ name: 'Sales', rules: { password: { required: true }, deviceFunctionality: { allowCamera: false } } });
    await lab.admin.assign({ kind: 'userGroup', id: group.groupId }, { kind: 'policy', id: policyId });
    await clock.advance(5_000);
    const rules = { password: { required: true }, deviceFunctionality: { allowCamera: false } };
    expect(ada.state().policy).toEqual({ revision: 1, content: { ...rules, policy: { guid: policyId, name: 'Sales' } } });
    await lab.admin.updatePolicy(policyId, { name: 'Sales', rules: { password: { required: true, minimumLength: 8 } } });
    await clock.advance(5_000);
    expect(ada.state().policy).toMatchObject({ revision: 2, content: { password: { required: true, minimumLength: 8 } } });
    expect(ada.state().policy.content).not.toHaveProperty('deviceFunctionality');
    expect([types(ada), types(bob)]).toEqual([['UPDATE_IT_POLICY', 'UPDATE_IT_POLICY'], []]);
    expect(lab.admin.deviceConfiguration(ada.deviceId).deliveries.policy).toMatchObject({ confirmed: { revision: 2 }, failures: 0 });
    await lab.admin.removeUserFromGroup(group.groupId, ada.userGuid);
    await clock.advance(5_000);
    expect(ada.state().policy).toEqual({ revision: 3, content: {} });
  });

  it('a change whose push is lost comes with the regular poll, also when UEM was restarted in between', async () => {
    const device = await activated('ada');
    lab.faults.add({ kind: 'drop', service: 'wakeUp' });
    await lab.admin.updatePolicy('default', { name: 'Default', rules: { password: { required: true } } });
    await lab.restart('uem');
    await clock.advance(60_000);
    expect(device.state().policy.revision).toBe(0);
    await clock.advance(660_000);
    expect(device.state().policy.revision).toBe(1);
  });

  it.each<SystemId>(['ios', 'macos', 'android-mdm-controls', 'windows-10'])(
    'applications are installed and taken away on %s, and its inventory tells the truth',
    async (system) => {
      const device = await activated('ada', system);
      const platforms = ['IOS', 'MACOS', 'ANDROID', 'WINDOWS'] as const;
      const { guid } = await lab.admin.createApplication({ applicationId: 'com.example.crm', name: 'CRM', version: '1.0', platforms });
      await lab.admin.assign({ kind: 'user', id: device.userGuid }, { kind: 'application', id: guid }, 'REQUIRED');
      await clock.advance(5_000);
      const crm = () => device.state().apps.filter(({ id }) => id === 'com.example.crm');
      expect(crm()).toMatchObject([{ version: '1.0', managed: true }]);
      await lab.admin.updateApplication(guid, { applicationId: 'com.example.crm', name: 'CRM', version: '2.0', platforms });
      await lab.admin.sendCommand(device.deviceId, { type: 'REQUEST_INSTALLED_APPS' });
      await clock.advance(5_000);
      expect(new TextDecoder().decode(lab.admin.inventory(device.deviceId).installedApps)).toContain('com.example.crm');
      expect(crm()).toMatchObject([{ version: '2.0' }]);
      await lab.admin.unassign({ kind: 'user', id: device.userGuid }, { kind: 'application', id: guid });
      await clock.advance(5_000);
      expect(crm()).toEqual([]);
    },
  );

  it('survives lost and doubled frames: every update is applied once, and the end is right', async () => {
    const device = await activated('ada');
    lab.faults.add({ kind: 'drop', service: 'device', share: 0.3, seed: 1 });
    lab.faults.add({ kind: 'drop', service: 'device', at: 'answer', share: 0.3, seed: 2 });
    lab.faults.add({ kind: 'duplicate', service: 'device', share: 0.3, seed: 3 });
    for (let minimumLength = 1; minimumLength <= 20; minimumLength++) {
      await lab.admin.updatePolicy('default', { name: 'Default', rules: { password: { minimumLength } } });
      if (minimumLength % 3 === 0) await lab.restart('uem');
      await clock.advance(400_000);
    }
    await clock.advance(6 * HOUR_MS);
    expect(device.state().policy.content).toMatchObject({ password: { minimumLength: 20 } });
    expect(lab.admin.deviceConfiguration(device.deviceId).deliveries.policy).toMatchObject({
      confirmed: { revision: device.state().policy.revision },
      failures: 0,
    });
    expect([...lab.admin.commands(device.deviceId)].filter(({ state }) => state === 'failed')).toEqual([]);
  });
});

describe('compliance, over days', () => {
  it('the user is asked three times, gets a password in time, and nothing is done', async () => {
    const device = await activated('ada', 'android-mdm-controls', { passwordHash: undefined });
    await lab.admin.updateConfigurationProfile('default-enterprise-management-agent', {
      kind: 'enterprise-management-agent',
      name: 'Agent',
      content: { inventoryIntervalS: 3_600 },
    });
    const content = { passwordMissing: { action: 'DELETE_WORK_DATA' } };
    await lab.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content });
    await clock.advance(2 * HOUR_MS);
    expect(device.state().compliance).toMatchObject({ compliant: false, findings: [{ rule: 'passwordMissing', prompt: 1, of: 3 }], prompts: 1 });
    await clock.advance(8 * HOUR_MS);
    expect(device.state().compliance).toMatchObject({ findings: [{ prompt: 3 }], prompts: 3 });
    // The administrator helps: a lock that brings a password.
    await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE', properties: { password: 'aGVsbG8gd29ybGQ=' } });
    await clock.advance(4 * HOUR_MS);
    expect(device.state().compliance).toMatchObject({ compliant: true, findings: [], prompts: 3 });
    expect(device.client.state).toBe('active');
  });

  it('the user does nothing: work data go after the last prompt, and the device is not managed any more', async () => {
    const device = await activated('ada', 'ios', { passwordHash: undefined });
    const content = { passwordMissing: { action: 'DELETE_ALL_DATA' } };
    await lab.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content });
    await lab.admin.sendCommand(device.deviceId, { type: 'REQUEST_DEVICE_INFO' });
    await clock.advance(11 * HOUR_MS);
    expect(device.client.state).toBe('active');
    await clock.advance(2 * HOUR_MS);
    expect(device.client.state).toBe('inactive');
    expect(device.state()).toMatchObject({ profiles: { revision: 0 }, personalData: false });
    expect(lab.admin.device(device.deviceId)).toMatchObject({ status: 'deactivated' });
  });

  it('a rule about the version refuses a new device with its reason (F1.4)', async () => {
    const content = { osVersion: { minimum: [{ osFamily: 'IOS', version: '99' }], action: 'MONITOR_AND_LOG' } };
    await lab.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content });
    await expect(activated('ada')).rejects.toMatchObject({ step: 'F1.4', message: expect.stringContaining('99') });
    expect([...lab.admin.devices()]).toEqual([]);
  });
});
