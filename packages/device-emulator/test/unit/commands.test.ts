import { createHash } from 'node:crypto';
import { COMMAND_PRIORITIES, COMMANDS, type CommandDefinition, reaches } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { configureDevice } from '../../src/operating-systems/activation.ts';
import type { BehaviourResult } from '../../src/operating-systems/behaviours/behaviour.ts';
import { BEHAVIOURS, carryOut } from '../../src/operating-systems/carry-out.ts';
import { type DeviceState, decodeDeviceState, encodeDeviceState } from '../../src/operating-systems/device-state.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import type { SystemId } from '../../src/operating-systems/system-definition.ts';
import { SYSTEM_IDS, SYSTEMS } from '../../src/operating-systems/systems.ts';

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const surroundings = { nowMs: 1_000_000, sha256 };
const OLD_HASH = 'ab'.repeat(32);
const NEW_PASSWORD = Buffer.from('new-Secret-1').toString('base64');
const NEW_HASH = createHash('sha256').update('new-Secret-1').digest('hex');

/** Every kind with every activation type. */
const PAIRS: readonly (readonly [SystemId, string])[] = SYSTEM_IDS.flatMap((id) => SYSTEMS[id].activationTypes.map(({ name }) => [id, name] as const));
/** Every command on each of them. */
const CASES = PAIRS.flatMap(([id, name]) => Object.keys(COMMANDS).map((type) => [type, id, name] as const));

/** A device on which each command has something to change: supervised where that is known, with a password, used apps, an open work space. */
function able(system: SystemId, activationType: string): DeviceState {
  const type = SYSTEMS[system].activationTypes.find(({ name }) => name === activationType);
  const factory = factoryState(SYSTEMS[system], { serialNumber: 'TEST-KEY-1', passwordHash: OLD_HASH, supervised: true }, () => 0);
  const workSpace = type?.workSpace === true;
  const shared = { pollIntervalS: 60, pollJitterS: 5, deviceAddress: 'localhost:1', encryptDevice: true };
  const configured = configureDevice(factory, { ...shared, activationType, createWorkSpace: workSpace }, 5);
  if ('refusal' in configured) throw new Error(configured.refusal);
  return configured.state;
}

/** What a device has to be like for a command to change it, as far as its kind and activation type have such a thing. */
const BEFORE: Readonly<Record<string, (state: DeviceState) => Partial<DeviceState>>> = {
  UNLOCK_DEVICE: () => ({ locked: true, lockMessage: 'm' }),
  DISABLE_LOST_MODE: ({ supervised }) => (supervised ? { locked: true, lostMode: { phoneNumber: '1', message: 'm', footnote: undefined } } : {}),
  UPDATE_DEVICE_OS: ({ supervised }) => (supervised ? { downloadedOsVersion: '99.0' } : {}),
  RESET_WORK_SPACE_PASSWORD: ({ workSpace }) => (workSpace === undefined ? {} : { workSpace: { ...workSpace, locked: true, passwordHash: OLD_HASH } }),
  ENABLE_WORK_SPACE: ({ workSpace }) => (workSpace === undefined ? {} : { workSpace: { ...workSpace, enabled: false } }),
};

/** The device on which `type` has something to change. */
function ready(type: string, system: SystemId, activationType: string): DeviceState {
  const state = able(system, activationType);
  return { ...state, ...BEFORE[type]?.(state) };
}

/** Properties that a command needs, and those that make its effect visible. */
const PROPERTIES: Readonly<Record<string, wire.WireDocument>> = {
  LOCK_DEVICE: { message: 'found? call 1' },
  GENERATE_DEVICE_PASSWORD_AND_LOCK: { password: NEW_PASSWORD },
  ENABLE_LOST_MODE: { phoneNumber: '+1 555 0100', message: 'lost', footnote: 'thank you' },
  UPDATE_DEVICE_OS: { installAction: 'INSTALL', osVersion: '99.1' },
  LOCK_WORK_SPACE: { password: NEW_PASSWORD },
  LOCK_APPLICATION: { applicationId: 'com.example.mail' },
  DELETE_APPLICATION: { applicationId: 'com.example.mail' },
  ATTEST_APPLICATION: { applicationId: 'com.example.mail', attestationType: 'HARDWARE_KEY' },
  BLOCK_APPLICATION: { applicationId: 'com.example.mail', title: 't', body: 'b', actionId: 'a' },
  UNBLOCK_APPLICATION: { applicationId: 'com.example.mail', actionId: 'a' },
  UPDATE_IT_POLICY: { set: { password: { required: true } }, revision: 3 },
  UPDATE_PROFILES: { set: { wifi: { ssid: 'work' } }, revision: 3 },
  UPDATE_APPLICATIONS: { set: { a: { id: 'example.crm', name: 'CRM', version: '2', disposition: 'REQUIRED' } }, revision: 3 },
  UPDATE_COMPLIANCE_STATUS: { compliant: false, findings: [{ rule: 'osVersion' }] },
};

/** What a command leaves behind, said again and not looked up: `before` is what is expected to stay. */
const EFFECTS: Readonly<Record<string, (after: BehaviourResult, before: DeviceState) => void>> = {
  LOCK_DEVICE: ({ state }, before) => expect(state).toEqual({ ...before, locked: true, lockMessage: 'found? call 1' }),
  GENERATE_DEVICE_PASSWORD_AND_LOCK: ({ state }, before) => expect(state).toEqual({ ...before, locked: true, passwordHash: NEW_HASH }),
  UNLOCK_DEVICE: ({ state }, before) => expect(state).toEqual({ ...before, locked: false, lockMessage: undefined, passwordHash: undefined }),
  DELETE_WORK_SPACE_DATA: ({ state, leaves }, before) => {
    expect(leaves).toBe(true);
    expect(state).toEqual({ ...before, activationType: undefined, workSpace: undefined, apps: before.apps.filter(({ managed }) => !managed) });
    expect(state.apps.length).toBeGreaterThan(0);
  },
  DELETE_DEVICE_DATA: ({ state, leaves }, before) => {
    expect(leaves).toBe(true);
    const apps = SYSTEMS[before.system].commonApps.map((app) => ({ ...app, hasData: false }));
    expect(state).toEqual({ ...before, activationType: undefined, workSpace: undefined, passwordHash: undefined, personalData: false, apps });
  },
  ENABLE_LOST_MODE: ({ state }, before) =>
    expect(state).toEqual({ ...before, locked: true, lostMode: { phoneNumber: '+1 555 0100', message: 'lost', footnote: 'thank you' } }),
  DISABLE_LOST_MODE: ({ state, outcome }, before) => {
    expect(outcome).toEqual({ status: 'done', data: { lostMode: false } });
    // The device password still locks it.
    expect(state).toEqual({ ...before, locked: true, lostMode: undefined });
  },
  UPDATE_DEVICE_OS: ({ state }, before) => expect(state).toEqual({ ...before, osVersion: '99.1', downloadedOsVersion: undefined }),
  WIPE_APPLICATIONS: ({ state }, before) => {
    expect(state).toEqual({ ...before, apps: before.apps.map((app) => ({ ...app, hasData: !app.managed })) });
    expect(state.apps.filter(({ hasData }) => !hasData).length).toBeGreaterThan(0);
  },
  LOCK_WORK_SPACE: ({ state }, before) => expect(state).toEqual({ ...before, workSpace: { ...before.workSpace, locked: true, passwordHash: NEW_HASH } }),
  RESET_WORK_SPACE_PASSWORD: ({ state }, before) =>
    expect(state).toEqual({ ...before, workSpace: { ...before.workSpace, locked: false, passwordHash: undefined } }),
  DISABLE_WORK_SPACE: ({ state }, before) => expect(state).toEqual({ ...before, workSpace: { ...before.workSpace, enabled: false } }),
  ENABLE_WORK_SPACE: ({ state }, before) => expect(state).toEqual({ ...before, workSpace: { ...before.workSpace, enabled: true } }),
  UPDATE_IT_POLICY: ({ state }, before) => expect(state).toEqual({ ...before, policy: { revision: 3, content: { password: { required: true } } } }),
  UPDATE_PROFILES: ({ state }, before) => expect(state).toEqual({ ...before, profiles: { revision: 3, content: { wifi: { ssid: 'work' } } } }),
  UPDATE_APPLICATIONS: ({ state, outcome }, before) => {
    expect(outcome).toMatchObject({ data: { revision: 3, installed: ['example.crm 2'] } });
    expect(state).toMatchObject({ applications: { revision: 3 }, apps: [...before.apps, { id: 'example.crm', version: '2', managed: true }] });
  },
  UPDATE_COMPLIANCE_STATUS: ({ state }, before) =>
    expect(state).toEqual({ ...before, compliance: { compliant: false, findings: [expect.objectContaining({ rule: 'osVersion' })], prompts: 1 } }),
  REQUEST_DEVICE_INFO: ({ state, outcome }, before) => {
    expect(state).toEqual(before);
    expect(outcome).toMatchObject({ data: { serialNumber: 'TEST-KEY-1', activationType: before.activationType, locked: false, passwordSet: true } });
  },
  REQUEST_INSTALLED_APPS: ({ state, outcome }, before) => {
    expect(state).toEqual(before);
    expect(JSON.stringify(outcome)).toContain(SYSTEMS[before.system].workApps[0]?.id);
  },
  GET_DEVICE_LOGS: ({ state, outcome }, before) => {
    expect(state).toEqual(before);
    expect(outcome).toEqual({ status: 'done', data: { entries: [] } });
  },
};

/** Why a device refuses; each of these is said by the table of commands as a reach. */
const REASONS = /^(?:activation type [a-z0-9-]+ |under activation type work-space-only |iOS |macOS |Android |Samsung |Windows |BlackBerry )/;

describe('every command on every kind and activation type', () => {
  it('has a behaviour, or is carried out by UEM alone', () => {
    const forDevices = Object.entries(COMMANDS).filter(([, { carriedOutBy }]) => carriedOutBy !== 'uem');
    expect([...BEHAVIOURS.keys()].toSorted()).toEqual(forDevices.map(([type]) => type).toSorted());
    const effects = forDevices.filter(([, { carriedOutBy }]) => carriedOutBy === 'device').map(([type]) => type);
    expect(Object.keys(EFFECTS).toSorted()).toEqual(effects.toSorted());
  });

  it.each(CASES)('%s on %s, %s', (type, id, name) => {
    const before = ready(type, id, name);
    const result = carryOut(before, { type, properties: PROPERTIES[type] ?? {} }, surroundings);
    const { carriedOutBy, priority, reach, endsManagement = false } = COMMANDS[type] as CommandDefinition;
    if (reaches(reach, id, name) === 'yes' && carriedOutBy === 'device') {
      expect(result.outcome.status).toBe('done');
      EFFECTS[type]?.(result, before);
      // Requests alone change nothing.
      if (priority < COMMAND_PRIORITIES.request) expect(result.state).not.toEqual(before);
      expect(result.leaves ?? false).toBe(endsManagement);
      expect(decodeDeviceState(encodeDeviceState(result.state))).toEqual(result.state);
    } else {
      expect(result.leaves).toBeUndefined();
      expect(result.state).toBe(before);
      const reason = result.outcome.status === 'failed' ? result.outcome.message : 'none';
      const isForAbsentApp = carriedOutBy === 'application' && reaches(reach, id, name) === 'yes';
      expect(reason).toMatch(isForAbsentApp ? /^no Dynamics app com\.example\.mail is active on the device$/ : REASONS);
    }
  });

  it.each(PAIRS)('takes a password with LOCK_DEVICE exactly where the table says so: %s, %s', (id, name) => {
    const before = able(id, name);
    const { outcome, state } = carryOut(before, { type: 'LOCK_DEVICE', properties: { password: NEW_PASSWORD } }, surroundings);
    const reach = COMMANDS['LOCK_DEVICE']?.properties['password']?.reach ?? [];
    if (reaches(reach, id, name) === 'yes') expect([outcome.status, state]).toEqual(['done', { ...before, locked: true, passwordHash: NEW_HASH }]);
    else expect([outcome.status, state]).toEqual(['failed', before]);
  });

  it.each(CASES.filter(([type]) => COMMANDS[type]?.supervisedOnly))('%s fails on a device that is not supervised: %s, %s', (type, id, name) => {
    const before = { ...able(id, name), supervised: false };
    const { outcome, state } = carryOut(before, { type, properties: PROPERTIES[type] ?? {} }, surroundings);
    expect(state).toBe(before);
    const reached = reaches(COMMANDS[type]?.reach ?? [], id, name) === 'yes';
    expect(outcome).toEqual({ status: 'failed', message: reached ? 'the device is not supervised' : expect.stringMatching(REASONS) });
  });

  it.each(CASES.filter(([type]) => BEHAVIOURS.has(type)))('%s keeps secrets out of state and answer: %s, %s', (type, id, name) => {
    const { state, outcome } = carryOut(able(id, name), { type, properties: { ...PROPERTIES[type], password: NEW_PASSWORD } }, surroundings);
    expect(JSON.stringify([state, outcome])).not.toMatch(/new-Secret-1|bmV3LVNlY3JldC0x/);
  });
});
