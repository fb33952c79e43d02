import { toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { MAX_DEVICES_PER_STEP } from '../../src/configuration/fan-out.ts';
import { MAX_OPEN_COMMANDS } from '../../src/state/commands.ts';
import { deliveryOf, MAX_UPDATE_FAILURES } from '../../src/state/deliveries.ts';
import { deviceById } from '../../src/state/devices.ts';
import { nextRecomputeJob } from '../../src/state/recompute-jobs.ts';
import { ConfigurationBench, type DocumentDevice } from '../support/configuration-bench.ts';
import { frameIn } from '../support/uem-bench.ts';

let bench: ConfigurationBench;
let device: DocumentDevice;
let user: { readonly kind: 'user'; readonly id: string };

beforeEach(async () => {
  bench = await ConfigurationBench.start();
  device = await bench.addDevice();
  user = { kind: 'user', id: 'guid-of-device@example.com' };
});

const required = { password: { required: true } };
const wifi = (ssid: string) => ({ kind: 'wi-fi', name: ssid, content: { ssid, security: 'OPEN' } }) as const;

describe('what a device is given (F5.1, F5.2)', () => {
  it('is nothing as long as the administrator has said nothing', async () => {
    expect(await device.work()).toEqual([]);
    expect(bench.commands(device.deviceId)).toEqual([]);
  });

  it('the whole document first, then only the parts that change', async () => {
    const policy = await bench.admin.createPolicy({ name: 'Strict', rules: { ...required, deviceFunctionality: { allowCamera: false } } });
    await bench.admin.assign(user, { kind: 'policy', id: policy.policyId });
    await bench.settle();
    expect(bench.woken).toEqual([device.deviceId]);
    expect(await device.work()).toEqual(['UPDATE_IT_POLICY']);
    const named = { guid: policy.policyId, name: 'Strict' };
    expect(device.documents.policy).toEqual({ revision: 1, parts: { ...required, deviceFunctionality: { allowCamera: false }, policy: named } });
    expect(device.updates[0]?.properties).not.toHaveProperty('baseRevision');

    await bench.admin.updatePolicy(policy.policyId, {
      name: 'Strict',
      rules: { password: { required: true, minimumLength: 8 }, apps: { allowAppStore: false } },
    });
    await bench.settle();
    await device.work();
    expect(device.updates[1]?.properties).toEqual({
      revision: 2,
      baseRevision: 1,
      set: { password: { required: true, minimumLength: 8 }, apps: { allowAppStore: false } },
      remove: ['deviceFunctionality'],
    });
    expect(device.documents.policy.parts).toEqual({ password: { required: true, minimumLength: 8 }, apps: { allowAppStore: false }, policy: named });
    expect(await device.work()).toEqual([]);
  });

  it('profiles: one of each ranked kind, every unranked one; what is taken away goes', async () => {
    const [first, second, office] = await Promise.all([
      bench.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Behind', rank: 2, content: { enableLauncher: false } }),
      bench.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Before', rank: 1, content: { enableLauncher: true } }),
      bench.admin.createConfigurationProfile(wifi('Office')),
    ]);
    for (const { profileId } of [first, second, office]) await bench.admin.assign(user, { kind: 'profile', id: profileId });
    await bench.settle();
    expect(await device.work()).toEqual(['UPDATE_PROFILES']);
    expect(device.documents.profiles.parts).toEqual({
      [second.profileId]: { kind: 'dynamics', name: 'Before', content: { enableLauncher: true } },
      [office.profileId]: wifi('Office'),
    });
    await bench.admin.unassign(user, { kind: 'profile', id: second.profileId });
    await bench.settle();
    await device.work();
    expect(device.updates.at(-1)?.properties).toMatchObject({ set: { [first.profileId]: { name: 'Behind' } }, remove: [second.profileId] });
  });

  it('applications of its platform, with their disposition', async () => {
    const mail = await bench.admin.createApplication({ applicationId: 'com.example.mail', name: 'Mail', version: '1.0', platforms: ['ANDROID', 'IOS'] });
    const other = await bench.admin.createApplication({ applicationId: 'com.example.desk', name: 'Desk', version: '1.0', platforms: ['WINDOWS'] });
    await bench.admin.assign(user, { kind: 'application', id: mail.guid }, 'OPTIONAL');
    await bench.admin.assign(user, { kind: 'application', id: other.guid }, 'REQUIRED');
    await bench.settle();
    await device.work();
    const part = { id: 'com.example.mail', name: 'Mail', version: '1.0', disposition: 'OPTIONAL' };
    expect(device.documents.applications.parts).toEqual({ [mail.guid]: part });
    const group = await bench.admin.createUserGroup({ name: 'Sales' });
    await bench.admin.addUsersToGroup(group.groupId, [user.id]);
    await bench.admin.assign({ kind: 'userGroup', id: group.groupId }, { kind: 'application', id: mail.guid }, 'REQUIRED');
    await bench.settle();
    await device.work();
    expect(device.documents.applications.parts).toEqual({ [mail.guid]: { ...part, disposition: 'REQUIRED' } });
  });

  it('a new device finds it when it asks for the first time', async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    const late = await bench.addDevice('late');
    expect(await late.work()).toEqual(['UPDATE_IT_POLICY']);
    expect(late.documents.policy.parts).toMatchObject(required);
  });

  it('an activation anew begins with empty documents, so the device gets everything again', async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    await device.work();
    const before = device.documents.policy.revision;
    await device.activate(await bench.uem.addQr({ userId: 'device@example.com' }));
    device.documents.policy = { revision: 0, parts: {} };
    await device.work();
    expect(device.documents.policy.parts).toMatchObject(required);
    expect(device.documents.policy.revision).toBeGreaterThan(before);
  });

  it('what a device reports puts it into another group: the next command comes in the same exchange', async () => {
    const query = { match: 'ALL', conditions: [{ field: 'osVersion', operator: 'AT_LEAST', value: '15' }] } as const;
    const group = await bench.admin.createDeviceGroup({ name: 'New', query });
    const policy = await bench.admin.createPolicy({ name: 'For new ones', rules: required });
    await bench.admin.assign({ kind: 'deviceGroup', id: group.groupId }, { kind: 'policy', id: policy.policyId });
    await bench.settle();
    expect(await device.work()).toEqual([]);
    device.answers.set('REQUEST_DEVICE_INFO', { data: { osVersion: '15.1', rubbish: [1, { deep: true }] } });
    await bench.uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    expect(await device.work()).toEqual(['REQUEST_DEVICE_INFO', 'UPDATE_IT_POLICY']);
    expect([...bench.admin.deviceSummariesOfGroup(group.groupId, [])].map(({ deviceId }) => deviceId)).toEqual([device.deviceId]);
    expect(bench.admin.groupsOfDevice(device.deviceId).map(({ name }) => name)).toEqual(['New']);
  });
});

describe('one update for each document', () => {
  it('goes out as it was decided when the very result that it answers changes what the device should have: the rest follows', async () => {
    const query = { match: 'ALL', conditions: [{ field: 'osVersion', operator: 'AT_LEAST', value: '15' }] } as const;
    const group = await bench.admin.createDeviceGroup({ name: 'New', query });
    const own = await bench.admin.createConfigurationProfile(wifi('own'));
    const ofGroup = await bench.admin.createConfigurationProfile(wifi('of the group'));
    await bench.uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    const asked = await device.pollCommand();
    await bench.admin.assign(user, { kind: 'profile', id: own.profileId });
    await bench.admin.assign({ kind: 'deviceGroup', id: group.groupId }, { kind: 'profile', id: ofGroup.profileId });
    await bench.settle();
    const update = wire.command.decode(frameIn(await device.result(asked.commandId, { data: { osVersion: '15.1' } })));
    await device.result(update.commandId, device.carryOut(update));
    expect(await device.work()).toEqual(['UPDATE_PROFILES']);
    expect(device.updates.map(({ properties }) => Object.keys(properties['set'] as object))).toEqual([[own.profileId], [ofGroup.profileId]]);
    expect(Object.keys(device.documents.profiles.parts).sort()).toEqual([own.profileId, ofGroup.profileId].sort());
  });

  it('a newer change goes into the update that waits; what is taken back is not sent', async () => {
    const { policyId } = await bench.admin.createPolicy({ name: 'A', rules: required });
    await bench.admin.assign(user, { kind: 'policy', id: policyId });
    await bench.settle();
    await bench.admin.updatePolicy(policyId, { name: 'A', rules: { password: { required: false } } });
    await bench.settle();
    expect(bench.waiting(device.deviceId)).toEqual(['UPDATE_IT_POLICY']);
    await device.work();
    expect(device.updates).toHaveLength(1);
    expect(device.documents.policy.parts).toMatchObject({ password: { required: false } });
    await bench.admin.updatePolicy(policyId, { name: 'A', rules: required });
    await bench.settle();
    await bench.admin.updatePolicy(policyId, { name: 'A', rules: { password: { required: false } } });
    await bench.settle();
    expect(bench.waiting(device.deviceId)).toEqual([]);
    expect(await device.work()).toEqual([]);
  });

  it('in flight it stays as it is, byte for byte; the change follows in the next one', async () => {
    const { policyId } = await bench.admin.createPolicy({ name: 'A', rules: required });
    await bench.admin.assign(user, { kind: 'policy', id: policyId });
    await bench.settle();
    const first = await device.poll();
    await bench.admin.updatePolicy(policyId, { name: 'A', rules: { password: { minimumLength: 12 } } });
    await bench.settle();
    expect(await device.poll()).toEqual(first);
    bench.restart();
    expect(await device.poll()).toEqual(first);
    expect(await device.work()).toEqual(['UPDATE_IT_POLICY', 'UPDATE_IT_POLICY']);
    expect(device.updates.at(-1)?.properties).toEqual({ revision: 2, baseRevision: 1, set: { password: { minimumLength: 12 } }, remove: [] });
  });

  it('a deferred one comes again as it was', async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    const command = await device.pollCommand();
    await device.result(command.commandId, { status: 'deferred', retryAfterS: 60 });
    await bench.admin.updatePolicy('default', { name: 'Default', rules: { password: { minimumLength: 5 } } });
    await bench.settle();
    await bench.uem.clock.advance(60_000);
    expect(await device.pollCommand()).toEqual(command);
    expect(await device.work()).toEqual(['UPDATE_IT_POLICY', 'UPDATE_IT_POLICY']);
  });

  it('waits behind a queue that is full for the administrator', async () => {
    for (let n = 0; n < MAX_OPEN_COMMANDS; n++) await bench.uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    const command = await device.pollCommand();
    expect(command.type).toBe('UPDATE_IT_POLICY');
  });
});

describe('a device that has another revision, or does not do what it should', () => {
  beforeEach(async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    await device.work();
  });

  it('gets the whole document after a mismatch', async () => {
    device.documents.policy = { revision: 77, parts: { stale: true } };
    await bench.admin.updatePolicy('default', { name: 'Default', rules: { apps: { allowAppStore: false } } });
    await bench.settle();
    expect(await device.work()).toEqual(['UPDATE_IT_POLICY', 'UPDATE_IT_POLICY']);
    expect(Object.keys(device.documents.policy.parts)).toEqual(['apps', 'policy']);
    expect(device.updates.at(-1)?.properties).not.toHaveProperty('baseRevision');
    expect(bench.store.read((view) => deliveryOf(view, device.deviceId, 'policy'))).toMatchObject({ failures: 0 });
  });

  it('gets the whole document, also when it should have what UEM took it to have', async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: { apps: { allowAppStore: false } } });
    await bench.settle();
    const { commandId } = await device.pollCommand();
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    device.documents.policy = { revision: 77, parts: { stale: true } };
    await device.result(commandId, { status: 'failed', message: 'another base', data: { revision: 77 } });
    expect(await device.work()).toEqual(['UPDATE_IT_POLICY']);
    expect(device.updates.at(-1)?.properties).not.toHaveProperty('baseRevision');
    expect(device.documents.policy.parts).toMatchObject(required);
    expect(device.documents.policy.parts).not.toHaveProperty('stale');
  });

  it('is asked a few times, then not before the next change', async () => {
    device.carryOut = () => ({ status: 'failed', message: 'no room', data: { revision: 1 } });
    await bench.admin.updatePolicy('default', { name: 'Default', rules: { apps: { allowAppStore: false } } });
    await bench.settle();
    expect(await device.work()).toHaveLength(MAX_UPDATE_FAILURES);
    expect(bench.store.read((view) => deliveryOf(view, device.deviceId, 'policy'))).toMatchObject({ failures: MAX_UPDATE_FAILURES, message: 'no room' });
    expect(await device.work()).toEqual([]);
    await bench.admin.updatePolicy('default', { name: 'Default', rules: { apps: { allowAppStore: true } } });
    await bench.settle();
    expect(await device.work()).toHaveLength(MAX_UPDATE_FAILURES);
  });

  it.each([
    ['nothing', {}],
    ['another revision', { data: { revision: 999 } }],
    ['rubbish', { data: { revision: [true] } }],
  ])('says done with %s: it is not believed, and the work ends', async (_what, result) => {
    device.carryOut = () => result;
    await bench.admin.updatePolicy('default', { name: 'Default', rules: { apps: { allowAppStore: false } } });
    await bench.settle();
    expect(await device.work()).toHaveLength(MAX_UPDATE_FAILURES);
    expect(bench.store.read((view) => deliveryOf(view, device.deviceId, 'policy')?.confirmed.revision)).toBe(1);
  });
});

describe('large documents', () => {
  it('go in several updates, each within a frame, and end whole', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) {
      const payload = `${n}`.repeat(20_000);
      const { profileId } = await bench.admin.createConfigurationProfile({ kind: 'custom-payload', name: `P${n}`, content: { payload } });
      await bench.admin.assign(user, { kind: 'profile', id: profileId });
      ids.push(profileId);
    }
    await bench.settle();
    const types = await device.work();
    expect(types).toEqual(['UPDATE_PROFILES', 'UPDATE_PROFILES', 'UPDATE_PROFILES', 'UPDATE_PROFILES']);
    expect(Object.keys(device.documents.profiles.parts).sort()).toEqual(ids.toSorted());
    for (const { properties } of device.updates.slice(1)) expect(properties).toHaveProperty('baseRevision');
    // The parts that are there already are not sent again.
    expect(device.updates.flatMap(({ properties }) => Object.keys(properties['set'] as object)).toSorted()).toEqual(ids.toSorted());
  });

  it('too large for any frame is refused when it is written', async () => {
    const certificate = 'A'.repeat(16_384);
    const { profileId } = await bench.admin.createConfigurationProfile({ kind: 'certificate', name: 'CA', content: { certificate } });
    expect(profileId).toBeDefined();
    const rules = {
      apps: {
        blockedApplications: Array.from({ length: 200 }, (_, n) => `${n}`.padEnd(128, 'x')),
        allowedApplications: Array.from({ length: 200 }, (_, n) => `${n}`.padEnd(128, 'y')),
      },
    };
    await expect(bench.admin.createPolicy({ name: 'Huge', rules })).rejects.toMatchObject({ id: 'INVALID_PROPERTY', message: 'rules: is too large' });
  });
});

describe('fan-out over many devices', () => {
  const COUNT = sized(1_000, 10_000);

  it('works thousands of devices out in bounded steps, wakes each once, and others get their turn', { timeout: 120_000 }, async () => {
    await bench.addFleet(COUNT);
    const before = bench.woken.length;
    const started = bench.uem.store.commits;
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    // A change for one device does not wait for the thousands.
    await bench.admin
      .createPolicy({ name: 'Mine', rules: { apps: { allowAppStore: false } } })
      .then(({ policyId }) => bench.admin.assign(user, { kind: 'policy', id: policyId }));
    await bench.uem.clock.advanceUntil(() => bench.woken.includes(device.deviceId), 60_000);
    expect(bench.woken.length - before).toBeLessThan(4 * MAX_DEVICES_PER_STEP);
    await bench.settle();
    expect(new Set(bench.woken).size).toBe(COUNT + 1);
    expect(bench.woken).toHaveLength(COUNT + 1);
    expect(bench.uem.store.commits - started).toBeGreaterThan(COUNT / MAX_DEVICES_PER_STEP);
    expect(bench.failures).toEqual([]);
  });

  it('goes on after kill -9 in the middle: each device gets one update, none is left out', async () => {
    const ids = await bench.addFleet(600);
    const group = await bench.admin.createUserGroup({ name: 'All' });
    await bench.admin.addUsersToGroup(
      group.groupId,
      ids.map((_, index) => `user-${String(index).padStart(5, '0')}`),
    );
    await bench.settle();
    const { policyId } = await bench.admin.createPolicy({ name: 'For the group', rules: required });
    await bench.admin.assign({ kind: 'userGroup', id: group.groupId }, { kind: 'policy', id: policyId });
    for (let killed = 0; killed < 3; killed++) {
      const reached = bench.woken.length;
      await bench.uem.clock.advanceUntil(() => bench.woken.length > reached, 60_000);
      bench.restart();
    }
    expect(new Set(bench.woken).size).toBeLessThan(ids.length);
    await bench.settle();
    for (const id of ids) expect(bench.waiting(id)).toEqual(['UPDATE_IT_POLICY']);
    expect(bench.store.read((view) => nextRecomputeJob(view))).toBeUndefined();
  });

  it('loses nothing while nothing can be stored', async () => {
    await bench.addFleet(200);
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    bench.uem.store.fault = 'disk-full';
    await bench.uem.clock.advance(10_000);
    expect(bench.failures.length).toBeGreaterThan(2);
    expect(bench.failures.length).toBeLessThan(10);
    bench.uem.store.fault = undefined;
    await bench.settle();
    expect(new Set(bench.woken).size).toBe(201);
  });

  it('gives nothing to devices whose documents stay the same', async () => {
    await bench.addFleet(100);
    const { policyId } = await bench.admin.createPolicy({ name: 'Behind', rank: 2, rules: required });
    const { policyId: before } = await bench.admin.createPolicy({ name: 'Before', rank: 1, rules: { apps: { allowAppStore: false } } });
    for (const id of [policyId, before]) await bench.admin.assign(user, { kind: 'policy', id });
    await bench.settle();
    expect(bench.woken).toEqual([device.deviceId]);
    await device.work();
    await bench.admin.updatePolicy(policyId, { name: 'Behind', rank: 2, rules: { password: { minimumLength: 9 } } });
    await bench.settle();
    expect(await device.work()).toEqual([]);
    // With another rank it is in force.
    await bench.admin.updatePolicy(policyId, { name: 'Behind', rank: 0, rules: { password: { minimumLength: 9 } } });
    await bench.settle();
    expect(await device.work()).toEqual(['UPDATE_IT_POLICY']);
  });
});

describe('the end of a device', () => {
  it('forgets what it was given', async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    await device.work();
    await bench.uem.send(device.deviceId, 'DELETE_DEVICE_DATA');
    expect(frameIn(await device.result((await device.pollCommand()).commandId)).name).toBe('idle');
    expect(bench.store.read((view) => deviceById(view, device.deviceId)?.status)).toBe('deactivated');
    expect(bench.store.read((view) => deliveryOf(view, device.deviceId, 'policy'))).toBeUndefined();
  });

  it('an update that waits is not cancelled by hand: the id of the command is no handle for the configuration', async () => {
    await bench.admin.updatePolicy('default', { name: 'Default', rules: required });
    await bench.settle();
    const command = wire.command.decode(frameIn(await device.poll()));
    expect(bench.commands(device.deviceId).map(({ commandId }) => commandId)).toEqual([toHex(command.commandId)]);
  });
});
