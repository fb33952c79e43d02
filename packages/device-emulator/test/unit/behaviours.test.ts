import { createHash } from 'node:crypto';
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
    expect(state.apps).toEqual(SYSTEMS['android-enterprise'].commonApps);
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

describe('updates', () => {
  it.each([
    ['UPDATE_IT_POLICY', 'policy'],
    ['UPDATE_PROFILES', 'profiles'],
  ] as const)('%s replaces an older revision and passes over an equal or older one', (type, field) => {
    const second = carryOut(full(), { type, properties: { [field]: { a: { b: true } }, revision: 2 } }, surroundings);
    expect(second.state[field]).toEqual({ revision: 2, content: { a: { b: true } } });
    expect(second.outcome).toMatchObject({ status: 'done', data: { applied: true, revision: 2 } });
    for (const revision of [1, 2]) {
      const stale = carryOut(second.state, { type, properties: { [field]: { c: 1 }, revision } }, surroundings);
      expect(stale.state).toEqual(second.state);
      expect(stale.outcome).toMatchObject({ status: 'done', data: { applied: false, revision: 2 } });
    }
  });

  it('reports the rules of the policy that the device breaks', () => {
    const before = { ...full(), passwordHash: undefined };
    const { outcome } = carryOut(
      before,
      { type: 'UPDATE_IT_POLICY', properties: { policy: { passwordRequired: true, encryptionRequired: true }, revision: 1 } },
      surroundings,
    );
    expect(outcome).toMatchObject({ data: { compliant: false, violations: ['passwordRequired'] } });
  });

  it.each([{ revision: 1 }, { policy: [], revision: 1 }, { policy: {} }, { policy: {}, revision: 0 }, { policy: {}, revision: 'x' }])(
    'fails on properties %j',
    (properties) => {
      const before = full();
      const { state, outcome } = carryOut(before, { type: 'UPDATE_IT_POLICY', properties }, surroundings);
      expect(outcome.status).toBe('failed');
      expect(state).toEqual(before);
    },
  );
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
  });
});
