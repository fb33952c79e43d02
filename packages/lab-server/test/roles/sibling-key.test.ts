import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_CORE_SESSIONS } from '../../src/roles/uem/core-sessions.ts';
import { ASSISTED_KEY_LIFE_MS } from '../../src/roles/uem/grant-app-key.ts';
import { SIBLING_REQUESTS, SIBLING_WINDOW_MS } from '../../src/roles/uem/sibling-key.ts';
import type { UemRole } from '../../src/roles/uem/uem-role.ts';
import { listAccessKeys } from '../../src/state/access-keys.ts';
import { appInstanceById, changeAppInstance } from '../../src/state/app-instances.ts';
import { deleteAssignment } from '../../src/state/assignments.ts';
import { removeDevice } from '../../src/state/device-lifecycle.ts';
import { deleteUser } from '../../src/state/users.ts';
import { APP_ID, AppLab, INSTANCE, KeyDevice, NONCE } from '../support/app-bench.ts';
import { CHAT, CHAT_ID, CHAT_PLATFORM_ID, delegates, newApp, preparedFor, Sibling } from '../support/sibling-bench.ts';
import { USER } from '../support/uem-bench.ts';

let lab: AppLab;
beforeEach(async () => {
  lab = await AppLab.start();
  await preparedFor(lab);
});

const keys = () => lab.uem.store.read((view) => listAccessKeys(view, lab.userGuid));
const instance = (id: Uint8Array) => lab.uem.store.read((view) => appInstanceById(view, toHex(id)));
const lastReason = (): string | undefined => lab.uem.reasons.at(-1);

/** A sibling that a UEM Client has asked the key for, and its device. */
async function onDevice(name = 'device'): Promise<{ readonly device: KeyDevice; readonly sibling: Sibling }> {
  const device = await KeyDevice.activated(lab, name);
  const { key } = await device.key();
  return { device, sibling: await Sibling.activated(lab, { key, device: device.identity }) };
}

describe('an access key that a sibling app asks for (F3.4, F3.5)', () => {
  it('activates the new app, on the device and for the user of the sibling, and the console sees who asked', async () => {
    const { device, sibling } = await onDevice();
    const response = await sibling.response({ deviceId: device.deviceId });
    const nowMs = lab.nowMs();
    expect(response).toMatchObject({ nonce: CHAT.nonce, userId: USER, expiryEpochS: Math.floor((nowMs + ASSISTED_KEY_LIFE_MS) / 1_000) });
    const keyId = toHex(response.keyId);
    expect(lab.key(keyId)?.origin).toMatchObject({
      appId: CHAT_ID,
      instanceId: toHex(CHAT.instanceId),
      platformId: CHAT_PLATFORM_ID,
      deviceId: device.deviceId,
      sibling: { appId: APP_ID, instanceId: toHex(INSTANCE) },
    });
    expect(lab.uem.told).toContain(keyId);
    expect(lab.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_CREATED', keyId, applicationId: CHAT_ID, reason: `asked for by the app ${APP_ID}` });
    expect(lab.uem.journal.entries().findLast(({ service }) => service === 'px')).toMatchObject({
      ...{ role: 'uem', step: 'F3.5', request: 'accessKeyForward', answer: 'accessKeyResponse', userId: USER, deviceId: device.deviceId },
    });
    const app = newApp(lab, response);
    expect(await app.run()).toBe('activated');
    // The app has seen no device, so none is told it; UEM knows it all the same.
    expect([app.output?.data.deviceId, app.output?.data.deviceKeyHash]).toEqual([undefined, undefined]);
    expect(instance(CHAT.instanceId)).toMatchObject({ deviceId: device.deviceId, platformId: CHAT_PLATFORM_ID, userGuid: lab.userGuid });
    expect(lab.key(keyId)).toMatchObject({ used: {} });
    expect(await newApp(lab, response, { instanceId: new Uint8Array(16).fill(9) }).run()).not.toBe('activated');
  });

  it('is there too where no UEM Client ever was: the first key was typed', async () => {
    const sibling = await Sibling.activated(lab);
    expect(await newApp(lab, await sibling.response()).run()).toBe('activated');
    expect(instance(CHAT.instanceId)).toMatchObject({ platformId: CHAT_PLATFORM_ID });
    expect(instance(CHAT.instanceId)?.deviceId).toBeUndefined();
  });

  it('is for nobody who names a device that the sibling has not shown', async () => {
    const response = await (await onDevice()).sibling.response();
    const other = await KeyDevice.activated(lab, 'other');
    expect(await newApp(lab, response, { device: other.identity }).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(instance(CHAT.instanceId)).toBeUndefined();
  });

  it('is dead when the device is removed before it is used', async () => {
    const { device, sibling } = await onDevice();
    const response = await sibling.response();
    await lab.uem.store.transaction((tx) => removeDevice(tx, device.deviceId, lab.nowMs()));
    expect(await newApp(lab, response).run()).toBe('ERR_REJECTED_CREDENTIALS');
    expect(lab.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_REFUSED', reason: 'the device is gone on which the key was asked for' });
  });
});

describe('a sibling gets no key', () => {
  it('when policy does not mark it as a delegate, or not any more; it is reported', async () => {
    const sibling = await Sibling.activated(lab);
    await delegates(lab, [CHAT_ID]);
    expect(await sibling.told()).toBe('authFailed');
    expect(lastReason()).toBe('the app that asks is no delegate');
    expect(lab.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_REFUSED', applicationId: CHAT_ID, userGuid: lab.userGuid });
    expect(keys()).toEqual([]);
    await delegates(lab, [APP_ID]);
    // It was not answered, so the same nonce may be sent again.
    expect(await sibling.told()).toBe('key');
  });

  it('when it is not assigned any more', async () => {
    const sibling = await Sibling.activated(lab);
    await lab.uem.store.transaction((tx) => deleteAssignment(tx, { kind: 'user', id: lab.userGuid }, { kind: 'application', id: `guid-of-${APP_ID}` }));
    expect(await sibling.told()).toBe('authFailed');
    expect(lastReason()).toBe('the app is not assigned to its user any more');
  });

  it.each<[string, Partial<wire.AccessKeyForward>, string]>([
    ['an app of which nobody knows', { appId: 'com.example.unknown' }, 'not assigned to the user'],
    ['an app that is assigned to another user', { appId: 'com.example.unassigned' }, 'not assigned to the user'],
    ['another package that poses as the app', { platformId: CHAT_PLATFORM_ID.replace('chat', 'evil') }, 'another platform id'],
    ['the package under another signature', { platformId: CHAT_PLATFORM_ID.replace('ab', 'cd') }, 'another platform id'],
  ])('for %s', async (_what, request, reason) => {
    await lab.addApplication('com.example.unassigned', { assigned: false });
    const sibling = await Sibling.activated(lab);
    expect(await sibling.told(request)).toBe('authFailed');
    expect(lastReason()).toContain(reason);
    expect(keys()).toEqual([]);
  });

  it('for an app on another device: the session says which device it is, and no message', async () => {
    const { sibling } = await onDevice();
    const other = await KeyDevice.activated(lab, 'other');
    expect(await sibling.told({ deviceId: other.deviceId })).toBe('authFailed');
    expect(lastReason()).toContain('ERR_PEER_MISMATCH');
    const second = await other.key({ ...CHAT, nonce: NONCE });
    expect(await newApp(lab, { accessKey: second.key.accessKey, nonce: NONCE }, { device: other.identity }).run()).toBe('activated');
    expect(await sibling.told()).toBe('authFailed');
    expect(lastReason()).toBe('the installation is on another device');
    // Once that device is gone the installation may have moved.
    await lab.uem.store.transaction((tx) => removeDevice(tx, other.deviceId, lab.nowMs()));
    expect(await sibling.told()).toBe('key');
  });

  it('for an installation of another user, while there is one', async () => {
    const sibling = await Sibling.activated(lab);
    expect(await newApp(lab, await sibling.response()).run()).toBe('activated');
    const { userGuid } = lab;
    const bob = await lab.uem.addUser('bob@example.com');
    await lab.uem.store.transaction((tx) => {
      const app = appInstanceById(tx, toHex(CHAT.instanceId));
      if (app !== undefined) changeAppInstance(tx, { ...app, userGuid: bob });
    });
    expect(await sibling.told({ nonce: NONCE })).toBe('authFailed');
    expect(lastReason()).toBe('the installation is that of another user');
    await lab.uem.store.transaction((tx) => deleteUser(tx, bob));
    expect([await sibling.told({ nonce: NONCE }), lab.userGuid]).toEqual(['key', userGuid]);
  });

  it('for an app in another space of the device: nothing passes between a Knox Workspace and what is outside', async () => {
    const { sibling } = await onDevice();
    const inside = CHAT_PLATFORM_ID.replace('android', 'samsung-knox-workspace');
    await lab.addApplication(CHAT_ID, { platformIds: [CHAT_PLATFORM_ID, inside] });
    expect(await sibling.told({ platformId: inside })).toBe('authFailed');
    expect(lastReason()).toBe('the two apps are in different spaces');
    expect(await sibling.told()).toBe('key');
  });

  it('twice for one nonce', async () => {
    const sibling = await Sibling.activated(lab);
    expect([await sibling.told(), await sibling.told()]).toEqual(['key', 'authFailed']);
    expect(lastReason()).toContain('ERR_PEER_REPLAY');
    lab.uem.restart();
    expect(await sibling.told()).toBe('authFailed');
  });

  it('more than a few times in a while', async () => {
    const sibling = await Sibling.activated(lab);
    const nonce = (number: number) => ({ nonce: new Uint8Array(32).fill(number) });
    for (let number = 0; number < SIBLING_REQUESTS; number++) expect(await sibling.told(nonce(number))).toBe('key');
    expect(await sibling.told(nonce(99))).toBe('ERR_REJECTED_BUSY');
    await lab.uem.clock.advance(SIBLING_WINDOW_MS);
    expect(await sibling.told(nonce(99))).toBe('key');
  });

  it('with keys that are none any more: another session key, a device or a user that is gone', async () => {
    const { device, sibling } = await onDevice();
    expect(await sibling.told({}, { sessionKeyId: new Uint8Array(16) })).toBe('authFailed');
    expect(lastReason()).toBe('no app with this key');
    await lab.uem.store.transaction((tx) => removeDevice(tx, device.deviceId, lab.nowMs()));
    expect(await sibling.told()).toBe('authFailed');
    expect(lastReason()).toBe('no app with this key');
    const second = await Sibling.activated(lab, { instanceId: new Uint8Array(16).fill(8) });
    await lab.uem.store.transaction((tx) => deleteUser(tx, lab.userGuid));
    expect(await second.told()).toBe('authFailed');
    expect(keys()).toEqual([]);
  });

  it('when what it lives on goes away in the middle of the session', async () => {
    const { device, sibling } = await onDevice();
    const change = (bytes: Uint8Array, index: number): Uint8Array => {
      if (index === 2) void lab.uem.store.transaction((tx) => removeDevice(tx, device.deviceId, lab.nowMs()));
      return bytes;
    };
    expect(await sibling.told({}, { change })).toBe('authFailed');
    expect(lastReason()).toContain('no app with this key');
  });

  it('with bytes that are none of px, and UEM goes on', async () => {
    const sibling = await Sibling.activated(lab);
    for (const at of [0, 1, 2]) {
      const outcome = await sibling.ask({}, { change: (bytes, index) => (index === at ? new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9]) : bytes) });
      expect('error' in outcome).toBe(true);
    }
    expect(await sibling.told()).toBe('key');
  });

  it('when nothing can be stored now: it may come again with the same nonce', async () => {
    const sibling = await Sibling.activated(lab);
    lab.uem.store.fault = 'disk-full';
    const outcome = await sibling.ask();
    lab.uem.store.fault = undefined;
    expect('error' in outcome ? outcome.error.code : outcome).toBe('ERR_REJECTED_BUSY');
    expect(await sibling.told()).toBe('key');
  });

  it('while too many apps are connected, or when UEM ends', async () => {
    const sibling = await Sibling.activated(lab);
    const role = lab.uem.role as UemRole;
    let closed = 0;
    const socket = { send: () => {}, close: () => void closed++ };
    const open = Array.from({ length: MAX_CORE_SESSIONS }, () => role.connectApp(socket, 'noc'));
    expect(await sibling.told()).toBe('ERR_TRANSPORT_CLOSED');
    open[0]?.closed();
    await expect.poll(() => closed).toBe(1);
    expect(await sibling.told()).toBe('key');
    role.close();
    await expect.poll(() => closed).toBe(MAX_CORE_SESSIONS);
  });
});
