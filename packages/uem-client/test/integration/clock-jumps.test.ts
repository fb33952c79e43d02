import type { CommandRecord, Lab } from '@uemkit/lab-server';
import { startLab } from '@uemkit/lab-server';
import type { Clock } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LabDevice, labDevice } from '../support/lab-device.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 366 * DAY_MS;
const USER = 'alice@example.com';

/** Where a wall clock can be wrong. */
type Side = 'device' | 'server';

const JUMPS: readonly [Side, string, number][] = [
  ['device', 'forward', YEAR_MS],
  ['device', 'back', -YEAR_MS],
  ['server', 'forward', YEAR_MS],
  ['server', 'back', -YEAR_MS],
];

let clock: FakeClock;
let lab: Lab;
let device: LabDevice;
/** How wrong each clock is. */
const wrongMs: Record<Side, number> = { device: 0, server: 0 };
/** Called with each frame before it leaves the device. */
let leaving: (name: wire.FrameName | undefined) => void;

function clockOf(side: Side): Clock {
  return {
    nowMs: () => clock.nowMs() + wrongMs[side],
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
  };
}

beforeEach(async () => {
  clock = fakeClock(Date.UTC(2026, 0, 15));
  wrongMs.device = 0;
  wrongMs.server = 0;
  leaving = () => undefined;
  lab = await startLab({ clock: clockOf('server'), crypto: nodeCrypto(), entropy: seededEntropy('lab'), profile: { pollIntervalS: 600, pollJitterS: 60 } });
  device = labDevice({
    clock: clockOf('device'),
    transport: () => {
      const transport = lab.transport();
      return {
        ...transport,
        exchange: (request) => {
          leaving(wire.peekFrameName(request.frame));
          return transport.exchange(request);
        },
      };
    },
  });
  await device.client.open();
});

afterEach(async () => {
  await device.client.close();
  lab.assertNoUnknownRequests();
  await lab.close();
});

async function qrCode(): Promise<string> {
  const user = lab.admin.userByName(USER) ?? (await lab.admin.createUser({ username: USER }));
  return (await lab.admin.createQrCode(user.guid)).content;
}

async function activate(content: string): Promise<void> {
  await clock.hold(device.client.activate({ kind: 'qr', content }));
  device.client.start();
  await clock.settle();
}

function commands(): readonly CommandRecord[] {
  return [...lab.admin.commands(device.client.deviceId as string)];
}

/** The device is managed by the activation that it had, and nothing on it was deleted. */
async function expectManaged(deviceId: string | undefined): Promise<void> {
  expect([device.client.state, device.client.deviceId, device.os.deactivations]).toEqual(['active', deviceId, []]);
  const { commandId } = await lab.admin.sendCommand(deviceId as string, { type: 'LOCK_DEVICE' });
  await clock.advance(HOUR_MS);
  expect(lab.admin.command(deviceId as string, commandId).state).toBe('done');
  expect(device.os.executed.filter((id) => id === commandId)).toHaveLength(1);
}

describe('a wall clock that jumps by a year while the device is managed', () => {
  it.each(JUMPS)('of the %s, %s: nothing is deleted, and when it is right again the device goes on', async (side, _direction, byMs) => {
    await activate(await qrCode());
    const { deviceId } = device.client;
    wrongMs[side] = byMs;
    await clock.advance(6 * HOUR_MS);
    const outOfDate = side === 'server' && byMs > 0;
    expect([device.client.state, device.client.deviceId, device.os.deactivations]).toEqual([outOfDate ? 'expired' : 'active', deviceId, []]);
    if (!outOfDate) await expectManaged(deviceId);
    wrongMs[side] = 0;
    await clock.advance(2 * HOUR_MS);
    await expectManaged(deviceId);
  });

  it('of the server by half a year: certificates that were renewed meanwhile are good when it is right again', async () => {
    await activate(await qrCode());
    const { deviceId } = device.client;
    wrongMs.server = 300 * DAY_MS;
    await clock.advance(2 * HOUR_MS);
    expect(device.told('renewed')).toHaveLength(1);
    wrongMs.server = 0;
    await clock.advance(2 * HOUR_MS);
    await expectManaged(deviceId);
  });

  it('refuses a command whose time is over by the clock of the device, and says so', async () => {
    await activate(await qrCode());
    wrongMs.device = YEAR_MS;
    const { commandId } = await lab.admin.sendCommand(device.client.deviceId as string, { type: 'LOCK_DEVICE', expiresAtMs: clock.nowMs() + DAY_MS });
    await clock.advance(HOUR_MS);
    expect(lab.admin.command(device.client.deviceId as string, commandId)).toMatchObject({
      state: 'failed',
      message: 'the command expired before it was carried out',
    });
    expect(device.os.executed).toEqual([]);
  });
});

describe('a wall clock that jumps by a year while commands wait', () => {
  it.each(JUMPS)('of the %s, %s: each is done once, at the latest when the clock is right again', async (side, _direction, byMs) => {
    await activate(await qrCode());
    const deviceId = device.client.deviceId as string;
    await device.client.stop();
    for (const type of ['LOCK_DEVICE', 'REQUEST_DEVICE_INFO', 'LOCK_DEVICE']) await lab.admin.sendCommand(deviceId, { type });
    wrongMs[side] = byMs;
    device.client.start();
    await clock.advance(3 * HOUR_MS);
    wrongMs[side] = 0;
    await clock.advance(3 * HOUR_MS);
    expect(commands().map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect([device.os.executed.length, new Set(device.os.executed).size]).toEqual([3, 3]);
    expect(device.os.deactivations).toEqual([]);
  });

  it('one that was deferred under a clock that was ahead does not wait for that time', async () => {
    await activate(await qrCode());
    const deviceId = device.client.deviceId as string;
    wrongMs.server = 200 * DAY_MS;
    device.os.outcome = () => ({ status: 'deferred', retryAfterS: 300 });
    const { commandId } = await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    await clock.advance(60_000);
    expect(lab.admin.command(deviceId, commandId)).toMatchObject({ state: 'queued', deferrals: 1 });
    device.os.outcome = () => ({ status: 'done' });
    wrongMs.server = 0;
    await clock.advance(HOUR_MS);
    expect(lab.admin.command(deviceId, commandId).state).toBe('done');
  });

  it('a deletion that was ordered is carried out, whatever the clock of the device says', async () => {
    await activate(await qrCode());
    const deviceId = device.client.deviceId as string;
    wrongMs.device = YEAR_MS;
    await lab.admin.sendCommand(deviceId, { type: 'DELETE_WORK_SPACE_DATA' });
    await clock.advance(HOUR_MS);
    expect([device.client.state, device.os.deactivations]).toEqual(['inactive', ['command']]);
    expect(lab.admin.device(deviceId).status).toBe('deactivated');
  });
});

describe('a wall clock that jumps by a year in the middle of an activation', () => {
  const FRAMES = ['activationStart', 'activationShare', 'activationRequest', 'activationDone'] as const;
  const cases = JUMPS.flatMap(([side, direction, byMs]) => FRAMES.map((frame) => [side, direction, frame, byMs] as const));

  it.each(cases)('of the %s, %s, before %s: it succeeds or says why, and goes on when the clock is right', async (side, _direction, frame, byMs) => {
    const content = await qrCode();
    leaving = (name) => {
      if (name === frame) wrongMs[side] = byMs;
    };
    const outcome = await clock.hold(device.client.activate({ kind: 'qr', content }).catch((error: unknown) => error));
    leaving = () => undefined;
    if (outcome !== undefined) expect(outcome).toMatchObject({ name: 'ProtocolError', code: expect.stringMatching(/^ERR_(REJECTED|CERTIFICATE)_/) });
    wrongMs[side] = 0;
    if (device.client.state !== 'active') await clock.hold(device.client.activate({ kind: 'qr', content }));
    device.client.start();
    await clock.advance(HOUR_MS);
    expect([...lab.admin.devices()].filter(({ status }) => status === 'active').map(({ deviceId }) => deviceId)).toEqual([device.client.deviceId]);
    expect(device.client.state).toBe('active');
    expect(device.told('idle').length).toBeGreaterThan(0);
  });
});
