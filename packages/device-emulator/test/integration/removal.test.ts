import type { Lab } from '@uemkit/lab-server';
import { type Store, toHex } from '@uemkit/protocol';
import { type FakeClock, memoryStore } from '@uemkit/protocol/testing';
import type { UemClient } from '@uemkit/uem-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import type { SystemId } from '../../src/operating-systems/system-definition.ts';
import { SYSTEM_IDS, SYSTEMS } from '../../src/operating-systems/systems.ts';
import { VirtualLab } from './virtual-lab.ts';

const YEAR_MS = 365 * 86_400_000;
/** What deletes data, on each kind and under each activation type that lets UEM do it. */
const DELETIONS = SYSTEM_IDS.flatMap((system) =>
  SYSTEMS[system].activationTypes.flatMap(({ name, workSpace, managed, deletesDevice }) => [
    ...(managed ? [['DELETE_WORK_SPACE_DATA', system, name, workSpace] as const] : []),
    ...(deletesDevice ? [['DELETE_DEVICE_DATA', system, name, workSpace] as const] : []),
  ]),
);
let here: VirtualLab;
let clock: FakeClock;
let lab: Lab;

beforeEach(async () => {
  here = await VirtualLab.start();
  ({ clock, lab } = here);
});
afterEach(() => here.close());

/** A store whose every key and value can be looked at, also what its readers do not ask for. */
function watched(store: Store): { readonly store: Store; readonly held: Map<string, Uint8Array> } {
  const held = new Map<string, Uint8Array>();
  const commit: Store['commit'] = async (writes) => {
    await store.commit(writes);
    for (const { key, value } of writes) {
      if (value === null) held.delete(key);
      else held.set(key, value);
    }
  };
  return { store: { get: (key) => store.get(key), commit }, held };
}

async function phone(system: SystemId = 'android-enterprise') {
  const { store, held } = watched(memoryStore());
  const factory = factoryState(SYSTEMS[system], { serialNumber: 'TEST-KEY-1', passwordHash: 'ab'.repeat(32) }, () => 0);
  return { ...(await here.device(factory, store)), held };
}

async function activate(client: UemClient, userGuid: string): Promise<string> {
  const { content } = await lab.admin.createQrCode(userGuid);
  await clock.hold(client.activate({ kind: 'qr', content }));
  client.start();
  await clock.advance(2_000);
  return client.deviceId as string;
}

describe('a device that is removed', () => {
  it.each([
    ['a month later', 30 * 86_400_000],
    ['when its certificate has long expired', 2 * YEAR_MS],
  ])('and makes contact %s is refused, deletes its work data, and can be activated anew with another key', async (_when, laterMs) => {
    const { guid } = await lab.admin.createUser({ username: 'ada' });
    const { client, os, held } = await phone();
    const deviceId = await activate(client, guid);
    expect(os.state.workSpace).toBeDefined();
    const keys = [...held].filter(([key]) => key.includes('key')).map(([, value]) => value);
    expect(keys.length).toBeGreaterThan(0);
    const { keyId } = lab.admin.device(deviceId);
    // The device is switched off when it is removed, so no wake-up reaches it.
    await client.stop();
    expect(await lab.admin.sendCommand(deviceId, { type: 'REMOVE_DEVICE' })).toMatchObject({ state: 'done' });
    expect(lab.admin.device(deviceId).status).toBe('removed');
    expect(lab.admin.device(deviceId).lateContactMs).toBeUndefined();
    await clock.advance(laterMs);
    expect(os.state.workSpace).toBeDefined();

    client.start();
    await clock.advance(3_600_000);
    expect(client.state).toBe('revoked');
    expect(os.state).toMatchObject({ workSpace: undefined, activationType: undefined, personalData: true });
    expect(lab.admin.device(deviceId).lateContactMs).toBeGreaterThan(Date.UTC(2026, 0, 15) + laterMs - 1);
    const left = [...held.values()].map(toHex).join(' ');
    for (const secret of keys) expect(left).not.toContain(toHex(secret));

    const again = await activate(client, guid);
    expect(again).not.toBe(deviceId);
    expect(lab.admin.device(again)).toMatchObject({ status: 'active', info: { serialNumber: 'TEST-KEY-1' } });
    expect(lab.admin.device(again).keyId).not.toBe(keyId);
    expect(os.state.workSpace).toBeDefined();
  });

  it.each(DELETIONS)('by %s leaves no key on %s under %s, and is activated anew with another one', async (type, system, activationType, createWorkSpace) => {
    await lab.admin.putProfile({ ...lab.admin.profile('default'), activationType, createWorkSpace });
    const { guid } = await lab.admin.createUser({ username: 'ada' });
    const { client, os, held } = await phone(system);
    const deviceId = await activate(client, guid);
    expect(os.state.activationType).toBe(activationType);
    const keys = [...held].filter(([key]) => key.includes('key')).map(([, value]) => value);
    expect(keys.length).toBeGreaterThan(0);
    const { keyId } = lab.admin.device(deviceId);
    await lab.admin.sendCommand(deviceId, { type });
    await clock.advance(10_000);
    expect([client.state, lab.admin.device(deviceId).status]).toEqual(['inactive', 'deactivated']);
    expect(os.state).toMatchObject({ personalData: type === 'DELETE_WORK_SPACE_DATA', activationType: undefined, workSpace: undefined });
    expect(os.state.apps.filter(({ managed }) => managed)).toEqual([]);
    const left = [...held.values()].map(toHex).join(' ');
    for (const secret of keys) expect(left).not.toContain(toHex(secret));
    const again = await activate(client, guid);
    expect(lab.admin.device(again).keyId).not.toBe(keyId);
    expect(os.state.activationType).toBe(activationType);
  });
});
