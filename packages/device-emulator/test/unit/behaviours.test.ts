import { createHash } from 'node:crypto';
import type * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { configureDevice } from '../../src/operating-systems/activation.ts';
import { batteryLevel } from '../../src/operating-systems/behaviours/inventory.ts';
import { BEHAVIOURS, carryOut } from '../../src/operating-systems/carry-out.ts';
import { type DeviceState, decodeDeviceState, encodeDeviceState } from '../../src/operating-systems/device-state.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import type { InstalledApp, SystemId } from '../../src/operating-systems/system-definition.ts';
import { SYSTEMS } from '../../src/operating-systems/systems.ts';

const surroundings = { nowMs: 1_000_000, sha256: (data: Uint8Array) => createHash('sha256').update(data).digest() };
const PASSWORD_HASH = 'ab'.repeat(32);

function activated(system: SystemId, activationType: string, passwordHash: string | undefined = PASSWORD_HASH): DeviceState {
  const state = factoryState(SYSTEMS[system], { serialNumber: 'TEST-KEY-1', passwordHash }, () => 0);
  const configured = configureDevice(
    state,
    {
      activationType,
      createWorkSpace: system === 'android-enterprise',
      encryptDevice: true,
      pollIntervalS: 60,
      pollJitterS: 5,
      deviceAddress: 'localhost:1',
    },
    5,
  );
  if ('refusal' in configured) throw new Error(configured.refusal);
  return configured.state;
}

/** An app as the inventory tells it. */
const visible = ({ hasData: _hasData, ...app }: InstalledApp): object => app;

const full = (): DeviceState => activated('android-enterprise', 'work-and-personal-full-control');
const privacy = (): DeviceState => activated('android-enterprise', 'work-and-personal-user-privacy');

describe('LOCK_DEVICE', () => {
  it('locks a device that has a password', () => {
    const { state, outcome } = carryOut(full(), { type: 'LOCK_DEVICE', properties: { message: 'found? call 1' } }, surroundings);
    expect(state).toMatchObject({ locked: true, lockMessage: 'found? call 1', passwordHash: PASSWORD_HASH });
    expect(outcome).toEqual({ status: 'done', data: { locked: true } });
  });

  it('changes nothing on a device without a password, and says so', () => {
    const before = activated('ios', 'mdm-controls', undefined);
    const { state, outcome } = carryOut({ ...before, passwordHash: undefined }, { type: 'LOCK_DEVICE', properties: {} }, surroundings);
    expect(state.locked).toBe(false);
    expect(outcome).toEqual({ status: 'done', data: { locked: false, reason: 'the device has no password' } });
  });

  it('sets the password that comes with it, as a hash', () => {
    const before = { ...full(), passwordHash: undefined };
    const { state, outcome } = carryOut(
      before,
      { type: 'LOCK_DEVICE', properties: { password: Buffer.from('new-Secret-1').toString('base64') } },
      surroundings,
    );
    expect(outcome.status).toBe('done');
    expect(state.locked).toBe(true);
    expect(state.passwordHash).toBe(createHash('sha256').update('new-Secret-1').digest('hex'));
    expect(JSON.stringify(state)).not.toMatch(/new-Secret-1|bmV3LVNlY3JldC0x/);
  });

  it.each([
    ['under user privacy', privacy(), { password: 'eHl6' }, 'activation type work-and-personal-user-privacy does not let UEM set the device password'],
    ['on iOS', activated('ios', 'mdm-controls'), { password: 'eHl6' }, 'iOS takes no device password with a lock command'],
    ['when it is empty', full(), { password: '' }, 'LOCK_DEVICE: the password is not base64 of a password'],
    ['when it is not base64', full(), { password: 'a-b' }, 'LOCK_DEVICE: the password is not base64 of a password'],
    ['when it is no text', full(), { password: 1 }, 'LOCK_DEVICE: password and message must be text'],
  ])('refuses a password %s and leaves the device alone', (_where, before, properties, message) => {
    const { state, outcome } = carryOut(before, { type: 'LOCK_DEVICE', properties }, surroundings);
    expect(outcome).toEqual({ status: 'failed', message });
    expect(state).toEqual(before);
  });
});

describe('UNLOCK_DEVICE', () => {
  it('unlocks and clears the password', () => {
    const locked = carryOut(full(), { type: 'LOCK_DEVICE', properties: { message: 'm' } }, surroundings).state;
    const { state } = carryOut(locked, { type: 'UNLOCK_DEVICE', properties: {} }, surroundings);
    expect(state).toMatchObject({ locked: false });
    expect(state.passwordHash).toBeUndefined();
    expect(state.lockMessage).toBeUndefined();
  });

  it('is refused where UEM does not control the device password', () => {
    const { outcome } = carryOut(activated('ios', 'user-privacy'), { type: 'UNLOCK_DEVICE', properties: {} }, surroundings);
    expect(outcome).toMatchObject({ status: 'failed' });
  });
});

describe('delete commands', () => {
  it('DELETE_WORK_SPACE_DATA takes the work space and leaves personal data', () => {
    const before = full();
    const { state, leaves } = carryOut(before, { type: 'DELETE_WORK_SPACE_DATA', properties: {} }, surroundings);
    expect(leaves).toBe(true);
    expect(state).toMatchObject({ personalData: true, policy: { revision: 0, content: {} } });
    expect(state.workSpace).toBeUndefined();
    expect(state.activationType).toBeUndefined();
    expect(state.apps.some((app) => app.managed)).toBe(false);
    expect(state.apps.length).toBeGreaterThan(0);
    expect(state.passwordHash).toBe(before.passwordHash);
  });

  it('DELETE_DEVICE_DATA takes everything', () => {
    const { state, leaves } = carryOut(full(), { type: 'DELETE_DEVICE_DATA', properties: {} }, surroundings);
    expect(leaves).toBe(true);
    expect(state).toMatchObject({ personalData: false, locked: false });
    expect(state.passwordHash).toBeUndefined();
    expect(state.apps).toEqual(SYSTEMS['android-enterprise'].commonApps.map((app) => ({ ...app, hasData: false })));
  });

  it('DELETE_DEVICE_DATA is refused under user privacy', () => {
    const before = privacy();
    const { state, outcome, leaves } = carryOut(before, { type: 'DELETE_DEVICE_DATA', properties: {} }, surroundings);
    expect(outcome).toEqual({ status: 'failed', message: 'activation type work-and-personal-user-privacy lets UEM delete work data only' });
    expect(leaves).toBeUndefined();
    expect(state).toEqual(before);
  });
});

describe('requests', () => {
  it('REQUEST_DEVICE_INFO tells the state as it is', () => {
    const { state, outcome } = carryOut(full(), { type: 'REQUEST_DEVICE_INFO', properties: {} }, surroundings);
    expect(state).toEqual(full());
    expect(outcome).toMatchObject({
      status: 'done',
      data: { osFamilyName: 'Android', serialNumber: 'TEST-KEY-1', encrypted: true, locked: false, passwordSet: true, workSpace: true, policyRevision: 0 },
    });
  });

  it('REQUEST_INSTALLED_APPS keeps personal apps to itself under user privacy', () => {
    const seen = (state: DeviceState): unknown => carryOut(state, { type: 'REQUEST_INSTALLED_APPS', properties: {} }, surroundings).outcome;
    expect(seen(privacy())).toEqual({ status: 'done', data: { applications: SYSTEMS['android-enterprise'].workApps.map(visible) } });
    expect(seen(full())).toMatchObject({ data: { applications: expect.arrayContaining(SYSTEMS['android-enterprise'].commonApps.map(visible)) } });
  });

  it('drains the battery with time, between a fifth and full', () => {
    const levels = Array.from({ length: 100 }, (_, hour) => batteryLevel(full(), hour * 3_600_000));
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...levels)).toBeLessThanOrEqual(100);
    expect(new Set(levels).size).toBeGreaterThan(10);
  });
});

describe('updates (section 6.7)', () => {
  const update = (state: DeviceState, type: string, properties: wire.WireDocument) => carryOut(state, { type, properties }, surroundings);

  it.each([
    ['UPDATE_IT_POLICY', 'policy'],
    ['UPDATE_PROFILES', 'profiles'],
    ['UPDATE_APPLICATIONS', 'applications'],
  ] as const)('%s takes the whole document, then what is changed in it', (type, field) => {
    const first = update(full(), type, { revision: 3, set: { a: { x: 1 }, b: { y: true }, c: 'z' } });
    expect(first.state[field]).toEqual({ revision: 3, content: { a: { x: 1 }, b: { y: true }, c: 'z' } });
    expect(first.outcome).toMatchObject({ status: 'done', data: { revision: 3 } });
    const second = update(first.state, type, { revision: 5, baseRevision: 3, set: { a: { x: 2 }, d: {} }, remove: ['b', 'never there'] });
    expect(second.state[field]).toEqual({ revision: 5, content: { a: { x: 2 }, c: 'z', d: {} } });
    // The whole document is taken whatever is in force.
    expect(update(second.state, type, { revision: 4, set: { e: {} } }).state[field]).toEqual({ revision: 4, content: { e: {} } });
  });

  it.each<[string, wire.WireDocument]>([
    ['has another base', { revision: 9, baseRevision: 2, set: {}, remove: [] }],
    ['is not newer than its base', { revision: 3, baseRevision: 3, set: {} }],
    ['has no document', { revision: 4, baseRevision: 3, set: [] }],
    ['has nothing at all', {}],
    ['removes what has no name', { revision: 4, baseRevision: 3, set: {}, remove: [1] }],
    ['removes no list', { revision: 4, baseRevision: 3, set: {}, remove: 'a' }],
    ['has no revision', { set: {} }],
    ['has revision 0', { revision: 0, set: {} }],
    ['has a base that is no number', { revision: 4, baseRevision: 'x', set: {} }],
  ])('one that %s changes nothing, and the answer says what is in force', (_what, properties) => {
    const before = update(full(), 'UPDATE_IT_POLICY', { revision: 3, set: { a: { x: 1 } } }).state;
    const { state, outcome } = update(before, 'UPDATE_IT_POLICY', properties);
    expect(outcome).toMatchObject({ status: 'failed', data: { revision: 3 } });
    expect(state).toEqual(before);
  });

  it('reports the rules of the policy that the device breaks, and encrypts itself where it can', () => {
    const rules = { password: { required: true }, securityAndPrivacy: { encryptionRequired: true }, unknown: { group: [1] } };
    const before = { ...full(), passwordHash: undefined, encrypted: false };
    const { outcome, state } = update(before, 'UPDATE_IT_POLICY', { set: rules, revision: 1 });
    expect(outcome).toMatchObject({ data: { compliant: false, violations: ['password.required'] } });
    expect(state.encrypted).toBe(true);
    const onIos = { ...activated('ios', 'user-privacy'), encrypted: false };
    expect(update(onIos, 'UPDATE_IT_POLICY', { set: rules, revision: 1 }).outcome).toMatchObject({
      data: { violations: ['securityAndPrivacy.encryptionRequired'] },
    });
  });
});

describe('UPDATE_APPLICATIONS', () => {
  const app = (id: string, more: object = {}): wire.WireDocument => ({ id, name: id, version: '1.0', disposition: 'REQUIRED', ...more });
  const update = (state: DeviceState, properties: wire.WireDocument) => carryOut(state, { type: 'UPDATE_APPLICATIONS', properties }, surroundings);
  const managed = (state: DeviceState): readonly string[] => state.apps.filter((one) => one.managed).map(({ id, version }) => `${id} ${version}`);

  it('installs what is required, offers what is optional, takes away what is gone; the inventory tells the same', () => {
    const own = managed(full());
    const first = update(full(), { revision: 1, set: { a: app('com.a'), b: app('com.b', { disposition: 'OPTIONAL' }), odd: 'no application' } });
    expect(managed(first.state)).toEqual([...own, 'com.a 1.0']);
    expect(first.outcome).toMatchObject({ data: { installed: ['com.a 1.0'], removed: [], offered: ['com.b'] } });
    const second = update(first.state, { revision: 2, baseRevision: 1, set: { a: app('com.a', { version: '2.0' }), b: app('com.b') } });
    expect(managed(second.state)).toEqual([...own, 'com.a 2.0', 'com.b 1.0']);
    const third = update(second.state, { revision: 3, baseRevision: 2, set: { b: app('com.b', { disposition: 'OPTIONAL' }) }, remove: ['a'] });
    // Nobody takes an app away that is still offered.
    expect(managed(third.state)).toEqual([...own, 'com.b 1.0']);
    expect(third.outcome).toMatchObject({ data: { removed: ['com.a'] } });
    const { outcome } = carryOut(third.state, { type: 'REQUEST_INSTALLED_APPS', properties: {} }, surroundings);
    expect(outcome).toMatchObject({ data: { applications: expect.arrayContaining([expect.objectContaining({ id: 'com.b', managed: true })]) } });
    expect(managed(update(third.state, { revision: 4, set: {} }).state)).toEqual(own);
  });

  it('a work space beside the personal side has a copy of its own; elsewhere the app of the user is taken over', () => {
    const personal = { id: 'com.a', name: 'A', version: '0.9', managed: false, hasData: true };
    const beside = update({ ...full(), apps: [...full().apps, personal] }, { revision: 1, set: { a: app('com.a') } });
    expect(beside.state.apps.filter(({ id }) => id === 'com.a')).toEqual([
      personal,
      { ...personal, name: 'com.a', version: '1.0', managed: true, hasData: false },
    ]);
    const ios = activated('ios', 'mdm-controls');
    const over = update({ ...ios, apps: [...ios.apps, personal] }, { revision: 1, set: { a: app('com.a') } });
    expect(over.state.apps.filter(({ id }) => id === 'com.a')).toEqual([{ ...personal, name: 'com.a', version: '1.0', managed: true }]);
  });
});

describe('UPDATE_COMPLIANCE_STATUS', () => {
  const status = (state: DeviceState, properties: wire.WireDocument) => carryOut(state, { type: 'UPDATE_COMPLIANCE_STATUS', properties }, surroundings);

  it('shows the newest status and counts the prompts', () => {
    const finding = { rule: 'passwordMissing', displayName: 'no password', action: 'UNTRUST', prompt: 1, of: 3 };
    const first = status(full(), { compliant: false, findings: [finding, { rule: 'jailbroken', more: { later: 1 } }] });
    expect(first.state.compliance).toEqual({ compliant: false, findings: [finding, { rule: 'jailbroken' }], prompts: 1 });
    expect(decodeDeviceState(encodeDeviceState(first.state)).compliance).toMatchObject({ prompts: 1 });
    const second = status(first.state, { compliant: true, findings: [] });
    expect(second.state.compliance).toEqual({ compliant: true, findings: [], prompts: 1 });
    expect(second.outcome).toEqual({ status: 'done', data: { compliant: true, shown: 0 } });
  });

  it.each<wire.WireDocument>([
    {},
    { compliant: true },
    { compliant: 'no', findings: [] },
    { compliant: false, findings: [1] },
    { compliant: false, findings: [{}] },
  ])('fails on %j', (properties) => {
    const before = full();
    expect(status(before, properties)).toMatchObject({ state: before, outcome: { status: 'failed' } });
  });
});

describe('any device', () => {
  it('fails on a command that it does not know', () => {
    expect(carryOut(full(), { type: 'MAKE_COFFEE', properties: {} }, surroundings).outcome).toEqual({
      status: 'failed',
      message: 'Android Enterprise does not know the command MAKE_COFFEE',
    });
  });

  it.each([...BEHAVIOURS.keys()])('refuses %s before it is activated', (type) => {
    const before = factoryState(SYSTEMS.ios, { serialNumber: 'TEST-KEY-2' }, () => 0);
    expect(carryOut(before, { type, properties: {} }, surroundings)).toMatchObject({ state: before, outcome: { status: 'failed' } });
  });

  it('keeps its state through the stored form, and refuses a damaged or newer one', () => {
    const state = full();
    const stored = encodeDeviceState(state);
    expect(decodeDeviceState(stored)).toEqual(state);
    expect(() => decodeDeviceState(stored.subarray(1))).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
    const text = new TextDecoder().decode(stored);
    const changed = (from: string, to: string): Uint8Array => new TextEncoder().encode(text.replace(from, to));
    expect(() => decodeDeviceState(changed('"format":1', '"format":2'))).toThrow(expect.objectContaining({ code: 'ERR_STORE_VERSION' }));
    expect(() => decodeDeviceState(changed('"locked":false', '"locked":1'))).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
  });
});

describe('configuration (F1.5)', () => {
  it('is idempotent', () => {
    const state = full();
    const again = configureDevice(
      state,
      { activationType: 'work-and-personal-full-control', createWorkSpace: true, encryptDevice: true, pollIntervalS: 1, pollJitterS: 0, deviceAddress: 'h:1' },
      99,
    );
    expect(again).toEqual({ state });
  });

  it('refuses an activation type of another system', () => {
    const state = factoryState(SYSTEMS.ios, { serialNumber: 'S' }, () => 0);
    const configuration = {
      activationType: 'work-space-only',
      createWorkSpace: true,
      encryptDevice: true,
      pollIntervalS: 1,
      pollJitterS: 0,
      deviceAddress: 'h:1',
    };
    expect(configureDevice(state, configuration, 0)).toEqual({ refusal: 'iOS has no activation type work-space-only' });
    const withoutSpace = { ...configuration, activationType: 'mdm-controls' };
    expect(configureDevice(state, withoutSpace, 0)).toEqual({ refusal: 'activation type mdm-controls has no work space' });
    expect(configureDevice(state, { ...withoutSpace, createWorkSpace: false }, 0)).toHaveProperty('state');
  });
});

describe('supervised devices', () => {
  const supervised = (passwordHash?: string): DeviceState => ({ ...activated('ios', 'mdm-controls'), passwordHash, supervised: true });
  const run = (state: DeviceState, type: string, properties = {}): ReturnType<typeof carryOut> => carryOut(state, { type, properties }, surroundings);
  const lost = (passwordHash?: string): DeviceState => run(supervised(passwordHash), 'ENABLE_LOST_MODE', { phoneNumber: '1', message: 'm' }).state;

  it('are locked by lost mode without a device password, and stay in it when they are unlocked', () => {
    expect(lost()).toMatchObject({ locked: true, lostMode: { phoneNumber: '1', message: 'm' } });
    expect(run(lost(PASSWORD_HASH), 'UNLOCK_DEVICE').state).toMatchObject({ lostMode: { message: 'm' } });
    expect(run(lost(), 'DISABLE_LOST_MODE').state).toMatchObject({ locked: false, lostMode: undefined });
    expect(run(supervised(), 'DISABLE_LOST_MODE')).toMatchObject({ state: supervised(), outcome: { status: 'done', data: { lostMode: false } } });
  });

  it('leave lost mode with the organisation', () => {
    expect(run(lost(), 'DELETE_WORK_SPACE_DATA').state).toMatchObject({ locked: false, lostMode: undefined });
    expect(run(lost(PASSWORD_HASH), 'DELETE_WORK_SPACE_DATA').state).toMatchObject({ locked: true, lostMode: undefined });
  });

  it.each([{}, { phoneNumber: '1' }, { phoneNumber: 1, message: 'm' }, { phoneNumber: '1', message: 'm', footnote: 2 }])(
    'refuse lost mode with %j',
    (properties) => {
      expect(run(supervised(), 'ENABLE_LOST_MODE', properties)).toMatchObject({ state: supervised(), outcome: { status: 'failed' } });
    },
  );

  it('download and install a newer version only', () => {
    const update = (state: DeviceState, installAction: unknown, osVersion: unknown): ReturnType<typeof carryOut> =>
      run(state, 'UPDATE_DEVICE_OS', { installAction, osVersion });
    const before = { ...supervised(), osVersion: '17.7' };
    const downloaded = update(before, 'DOWNLOAD_ONLY', '17.10').state;
    expect(downloaded).toEqual({ ...before, downloadedOsVersion: '17.10' });
    expect(run(downloaded, 'REQUEST_DEVICE_INFO').outcome).toMatchObject({ data: { osVersion: '17.7', downloadedOsVersion: '17.10', supervised: true } });
    expect(update(downloaded, 'INSTALL', '17.10').state).toEqual({ ...before, osVersion: '17.10' });
    expect(update(before, 'INSTALL', '17.7.0').outcome).toEqual({ status: 'failed', message: 'the device has version 17.7, and 17.7.0 is not newer' });
    for (const version of ['17.6', '17.7', '9', '17', 'new', '1.2.3.4.5', 18]) expect(update(before, 'INSTALL', version).outcome.status).toBe('failed');
    for (const version of ['17.7.1', '18', '17.8']) expect(update(before, 'INSTALL', version).outcome.status).toBe('done');
    expect(update(before, 'NOW', '18').outcome.status).toBe('failed');
  });
});

describe('work space commands', () => {
  it.each([{}, { password: '' }, { password: 'a-b' }, { password: 7 }])('LOCK_WORK_SPACE is refused with %j', (properties) => {
    const before = full();
    expect(carryOut(before, { type: 'LOCK_WORK_SPACE', properties }, surroundings)).toMatchObject({ state: before, outcome: { status: 'failed' } });
  });

  it('fail on a device whose profile made no work space', () => {
    const before = { ...full(), workSpace: undefined };
    expect(carryOut(before, { type: 'DISABLE_WORK_SPACE', properties: {} }, surroundings).outcome).toEqual({
      status: 'failed',
      message: 'the device has no work space',
    });
  });
});

describe('what a device tells of its hardware', () => {
  const told = (state: DeviceState): Readonly<Record<string, unknown>> => {
    const { outcome } = carryOut(state, { type: 'REQUEST_DEVICE_INFO', properties: {} }, surroundings);
    return outcome.status === 'done' ? (outcome.data as Readonly<Record<string, unknown>>) : {};
  };

  it('are identifiers that no real device has, the same each time', () => {
    const info = told(activated('ios', 'mdm-controls'));
    expect(info).toMatchObject({ imei: expect.stringMatching(/^00\d{13}$/), udid: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(info['wifiMacAddress']).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    expect(told(activated('ios', 'mdm-controls'))).toEqual(info);
    // The check digit makes the sum of the digits, every second one doubled, a multiple of ten.
    const digits = [...String(info['imei'])].map((digit, place) => (place % 2 === 0 ? Number(digit) : [...String(Number(digit) * 2)].map(Number)));
    expect((digits.flat().reduce((sum: number, digit) => sum + digit, 0) as number) % 10).toBe(0);
  });

  it('is nothing under user privacy, and only what the kind has', () => {
    for (const state of [privacy(), activated('ios', 'user-privacy')]) {
      for (const name of ['imei', 'udid', 'wifiMacAddress']) expect(told(state)).not.toHaveProperty(name);
    }
    expect(told(activated('windows-10', 'mdm-controls'))).not.toHaveProperty('imei');
    expect(told(full())).toMatchObject({ workSpaceLocked: false, workSpaceEnabled: true, workSpacePasswordSet: false });
    expect(told(full())).not.toHaveProperty('supervised');
  });
});

describe('GET_DEVICE_LOGS', () => {
  it('tells what the device carried out', () => {
    const executions = [{ commandId: '00', type: 'LOCK_DEVICE', status: 'failed', atMs: 1_000 } as const];
    expect(carryOut(full(), { type: 'GET_DEVICE_LOGS', properties: {} }, { ...surroundings, executions }).outcome).toEqual({
      status: 'done',
      data: { entries: ['1970-01-01T00:00:01.000Z LOCK_DEVICE failed'] },
    });
  });
});
