import type { CommandRecord, Lab } from '@uemkit/lab-server';
import { startLab } from '@uemkit/lab-server';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LabDevice, labDevice, passwordOf } from '../support/lab-device.ts';

const HOUR_MS = 3_600_000;
const crypto = nodeCrypto();
const cost = { N: 16_384, r: 8, p: 1 };

let clock: FakeClock;
let lab: Lab;
const devices: LabDevice[] = [];

beforeEach(async () => {
  clock = fakeClock(Date.UTC(2026, 0, 15));
  lab = await startLab({ clock, crypto, entropy: seededEntropy('lab'), cost, profile: { pollIntervalS: 600, pollJitterS: 60 } });
});

afterEach(async () => {
  for (const { client } of devices.splice(0)) await client.close();
  lab.assertNoUnknownRequests();
  await lab.close();
});

async function opened(): Promise<LabDevice> {
  const device = labDevice({ clock, crypto, transport: () => lab.transport() });
  devices.push(device);
  await device.client.open();
  return device;
}

async function activated(userId = 'alice@example.com'): Promise<LabDevice> {
  const device = await opened();
  const user = lab.admin.userByName(userId) ?? (await lab.admin.createUser({ username: userId }));
  const { content } = await lab.admin.createQrCode(user.guid);
  await clock.hold(device.client.activate({ kind: 'qr', content }));
  device.client.start();
  await clock.settle();
  return device;
}

function states(device: LabDevice): readonly CommandRecord['state'][] {
  return [...lab.admin.commands(device.client.deviceId as string)].map(({ state }) => state);
}

describe('against the lab in virtual time', () => {
  it('activates with a password, is woken by push, and does the lock before the inventory', async () => {
    const device = await opened();
    const user = await lab.admin.createUser({ username: 'alice@example.com' });
    const { password } = await clock.hold(lab.admin.setActivationPassword(user.guid));
    await clock.hold(device.client.activate(passwordOf(lab, lab.trust, 'Alice@Example.com', password)));
    device.client.start();
    await clock.settle();
    expect(lab.pushConnections).toBe(1);
    const deviceId = device.client.deviceId as string;
    await Promise.all(['REQUEST_INSTALLED_APPS', 'LOCK_DEVICE'].map((type) => lab.admin.sendCommand(deviceId, { type })));
    await clock.advance(5_000);
    expect(device.told('wakeup').length).toBeGreaterThan(0);
    expect(states(device)).toEqual(['done', 'done']);
    expect(device.told('commanddone').map(({ type }) => type)).toEqual(['LOCK_DEVICE', 'REQUEST_INSTALLED_APPS']);
  });

  it.each([
    ['a wrong password', 'alice@example.com', async () => 'wrong'],
    ['an unknown user', 'mallory@example.com', async (password: string) => password],
    [
      'an expired password',
      'alice@example.com',
      async (password: string) => {
        await clock.advance(61_000);
        return password;
      },
    ],
    [
      'a used password',
      'alice@example.com',
      async (password: string) => {
        const first = await opened();
        await clock.hold(first.client.activate(passwordOf(lab, lab.trust, 'alice@example.com', password)));
        return password;
      },
    ],
  ])('gives %s the same error at F1.4', async (_name, userId, change) => {
    const device = await opened();
    const user = await lab.admin.createUser({ username: 'alice@example.com' });
    const { password } = await clock.hold(lab.admin.setActivationPassword(user.guid, { expiresAtMs: clock.nowMs() + 60_000 }));
    const credentials = passwordOf(lab, lab.trust, userId, await change(password));
    const error: unknown = await clock.hold(device.client.activate(credentials).catch((reason: unknown) => reason));
    expect(error).toMatchObject({ code: 'ERR_REJECTED_CREDENTIALS', step: 'F1.4', message: 'the user name or the secret is not right' });
    expect(device.client.deviceId).toBeUndefined();
  });

  it('is shut out by a guesser until a try comes back, or at once until the administrator gives a new password; nobody else is', async () => {
    const [guesser, alice, bob] = [await opened(), await opened(), await opened()];
    const issued = async (username: string): Promise<string> => {
      const { guid } = lab.admin.userByName(username) ?? (await lab.admin.createUser({ username }));
      const { password } = await clock.hold(lab.admin.setActivationPassword(guid));
      return password;
    };
    const activates = async (device: LabDevice, userId: string, password: string): Promise<unknown> => {
      const activation = device.client.activate(passwordOf(lab, lab.trust, userId, password));
      return clock.hold(activation.then(() => 'active').catch(({ code }: { code: unknown }) => code));
    };
    const [right, ofBob] = [await issued('alice@example.com'), await issued('bob@example.com')];
    for (let guess = 0; guess < 5; guess++) expect(await activates(guesser, 'alice@example.com', `guess ${guess}`)).toBe('ERR_REJECTED_CREDENTIALS');
    expect(await activates(alice, 'alice@example.com', right)).toBe('ERR_REJECTED_CREDENTIALS');
    expect(await activates(bob, 'bob@example.com', ofBob)).toBe('active');
    await clock.advance(600_000);
    expect(await activates(guesser, 'alice@example.com', 'guess 6')).toBe('ERR_REJECTED_CREDENTIALS');
    expect(await activates(alice, 'alice@example.com', right)).toBe('ERR_REJECTED_CREDENTIALS');
    expect(await activates(alice, 'alice@example.com', await issued('alice@example.com'))).toBe('active');
  });

  it('refuses a lab that it does not trust, before the user is named', async () => {
    const device = await opened();
    const before = lab.journal.last;
    const other = await startLab({ clock, crypto, entropy: seededEntropy('other lab'), cost });
    const activation = device.client.activate(passwordOf(lab, other.trust, 'alice@example.com', 'x'));
    await expect(activation).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS', step: 'F1.3' });
    expect(lab.journal.last).toBe(before);
    await other.close();
  });

  it('recovers a lost push by the regular poll', async () => {
    const device = await activated();
    lab.faults.add({ kind: 'drop', service: 'wakeUp' });
    await lab.admin.sendCommand(device.client.deviceId as string, { type: 'LOCK_DEVICE' });
    await clock.advance(60_000);
    expect(states(device)).not.toContain('done');
    await clock.advance(660_000);
    expect(states(device)).toEqual(['done']);
    expect(device.told('wakeup')).toEqual([]);
  });

  it('activates and is managed for a whole day while the notification service is down, and is woken when it is back', async () => {
    lab.faults.add({ kind: 'drop', role: 'notification' });
    lab.faults.add({ kind: 'drop', service: 'push' });
    const device = await activated();
    const deviceId = device.client.deviceId as string;
    for (let hour = 0; hour < 24; hour++) {
      await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
      await clock.advance(HOUR_MS);
    }
    expect([device.told('pushopen'), device.told('wakeup'), lab.pushConnections]).toEqual([[], [], 0]);
    expect(states(device)).toEqual(Array.from({ length: 24 }, () => 'done'));
    expect(device.os.executed).toHaveLength(24);
    lab.faults.clear();
    await clock.advance(HOUR_MS);
    await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    await clock.advance(5_000);
    expect([lab.pushConnections, device.told('wakeup').length, states(device).at(-1)]).toEqual([1, 1, 'done']);
  });

  it('manages a whole day while each connection to the notification service breaks', async () => {
    const device = await activated();
    for (let hour = 0; hour < 24; hour++) {
      await lab.restart('notification');
      await lab.admin.sendCommand(device.client.deviceId as string, { type: 'LOCK_DEVICE' });
      await clock.advance(HOUR_MS);
    }
    expect(new Set(states(device))).toEqual(new Set(['done']));
    expect(device.os.executed).toHaveLength(24);
    expect(device.client.state).toBe('active');
  });

  it('carries on through lost and doubled requests and answers, and does each command once', async () => {
    const device = await activated();
    lab.faults.add({ kind: 'drop', service: 'device', share: 0.2, seed: 1 });
    lab.faults.add({ kind: 'drop', service: 'device', at: 'answer', share: 0.2, seed: 2 });
    lab.faults.add({ kind: 'duplicate', service: 'device', share: 0.2, seed: 3 });
    const deviceId = device.client.deviceId as string;
    for (let command = 0; command < 20; command++) await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    await clock.advance(6 * HOUR_MS);
    expect(states(device)).toEqual(Array.from({ length: 20 }, () => 'done'));
    expect(new Set(device.os.executed).size).toBe(20);
    expect(device.os.executed).toHaveLength(20);
  });

  it('is told when an administrator removes it', async () => {
    const device = await activated();
    const deviceId = device.client.deviceId as string;
    await lab.admin.removeDevice(deviceId);
    await clock.advance(700_000);
    expect(['revoked', 'unknown']).toContain(device.client.state);
    expect(device.os.deactivations).toHaveLength(1);
  });

  it('leaves after a delete command: the answer first, then the identity', async () => {
    const device = await activated();
    const deviceId = device.client.deviceId as string;
    const { commandId } = await lab.admin.sendCommand(deviceId, { type: 'DELETE_DEVICE_DATA' });
    await clock.advance(5_000);
    expect(lab.admin.command(deviceId, commandId).state).toBe('done');
    expect([device.client.state, device.os.deactivations]).toEqual(['inactive', ['command']]);
  });

  it('renews its certificate with the lab', async () => {
    const device = await activated();
    let renewed = 0;
    device.client.addEventListener('renewed', () => renewed++);
    clock.jumpWallClock(250 * 24 * HOUR_MS);
    await device.client.poll();
    await clock.settle();
    expect(renewed).toBe(1);
    // The first certificate would be out of date by now.
    clock.jumpWallClock(200 * 24 * HOUR_MS);
    await lab.admin.sendCommand(device.client.deviceId as string, { type: 'LOCK_DEVICE' });
    await clock.advance(700_000);
    expect(device.client.state).toBe('active');
    expect(states(device)).toEqual(['done']);
  });

  it('goes on after every role was restarted', async () => {
    const device = await activated();
    for (const role of ['infrastructure', 'uem', 'notification'] as const) await lab.restart(role);
    await lab.admin.sendCommand(device.client.deviceId as string, { type: 'LOCK_DEVICE' });
    await clock.advance(700_000);
    expect(states(device)).toEqual(['done']);
  });
});
