import { toHex } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NotificationRole } from '../../src/roles/notification/notification.ts';
import type { ProviderResponse } from '../../src/roles/notification/providers/provider.ts';
import { apnsRequest, IDENTITIES, PushBench, START_MS, strangeToken } from '../support/push-bench.ts';
import { PushDevice } from '../support/push-device.ts';

let bench: PushBench;

beforeEach(() => {
  bench = new PushBench();
});

/** An MDM push whose answer is not waited for. */
const sendTo = (role: NotificationRole, token: Uint8Array, id: number): Promise<ProviderResponse> =>
  role.providers.handle({ method: 'POST', http: '2', source: '', body: new Uint8Array(0), headers: {}, ...apnsRequest(token, START_MS, { id }) }, undefined);

describe('tokens', () => {
  it.each([
    ['apns', /^[0-9a-f]{64}$/],
    ['fcm', /^[\w-]{22}:APA91b[\w-]{134}$/],
    ['wns', /^https:\/\/push\.test:443\/\?token=AwYAAA[\w-]{60}$/],
    ['bb10', /^[0-9A-F]{8}-[\w-]{22}$/],
  ] as const)('of %s have the form of the service, and only their hash is kept', async (service, form) => {
    const { token } = await bench.connected(await bench.start(), undefined, service);
    const address = wire.pushAddressOf(token);
    expect(address).toEqual({ service, address: expect.stringMatching(form) });
    const all = bench.store.read((view) => view.range({ prefix: '', limit: 100 })).map(({ key, value }) => `${key} ${toHex(value)}`);
    expect(all.join()).not.toContain(toHex(token));
    expect(all.join()).not.toContain(address?.address);
  });

  it('a known token is taken back, after a restart of the service too', async () => {
    const role = await bench.start();
    const { token } = await bench.connected(role);
    role.close();
    expect((await bench.connected(await bench.start(), token)).token).toEqual(token);
  });

  it('another token is given in place of one that is not known', async () => {
    expect((await bench.connected(await bench.start(), strangeToken())).token).not.toEqual(strangeToken());
  });

  it('another token is given to a device that asks under another service or for another sender', async () => {
    const role = await bench.start();
    const { token } = await bench.connected(role);
    expect(wire.pushAddressOf((await bench.connected(role, token, 'fcm')).token)?.service).toBe('fcm');
    expect((await bench.connected(role, token, 'apns', IDENTITIES.credentials.apnsApp.topic)).token).not.toEqual(token);
  });

  it.each([
    ['another service', 'web', undefined],
    ['a sender that nobody knows', 'apns', 'com.example.other'],
  ])('a device is refused with %s', async (_what, service, application) => {
    const device = new PushDevice(await bench.start());
    device.register(undefined, service, application);
    await bench.clock.settle();
    expect(device.ended).toBe('refused');
  });

  it('nothing is sent before the token is durable', async () => {
    const role = await bench.start();
    const release = bench.store.hold();
    const device = await bench.connected(role);
    expect(device.frames).toEqual([]);
    release();
    await bench.clock.settle();
    expect(device.names).toEqual(['pushRegistered']);
  });

  it('a device is refused when the token cannot be stored', async () => {
    const role = await bench.start();
    bench.store.fault = 'disk-full';
    const device = await bench.connected(role);
    expect(device.ended).toBe('refused');
    expect(device.frames).toEqual([]);
  });

  it('the connection of a revoked token is closed, and senders are told', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    expect(await role.revokeToken(device.token)).toBe(true);
    expect(device.names).toEqual(['pushRegistered', 'pushClose']);
    expect(await bench.push(role, device.token)).toBe('410 Unregistered');
    expect(await role.revokeToken(device.token)).toBe(false);
  });

  it('nothing waits for a token that has been revoked', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.connection.closed();
    await bench.push(role, device.token);
    const waiting = (): number => bench.store.read((view) => view.range({ prefix: 'push-waiting/', limit: 10 })).length;
    expect(waiting()).toBe(1);
    await role.revokeToken(device.token);
    expect(waiting()).toBe(0);
  });

  describe('of WNS', () => {
    const DAY_MS = 86_400_000;

    it('are renewed when the device comes back in the second half of their life; the old channel is gone', async () => {
      const role = await bench.start();
      const first = await bench.connected(role, undefined, 'wns');
      first.connection.closed();
      await bench.clock.advance(14 * DAY_MS);
      const second = await bench.connected(role, first.token, 'wns');
      expect(second.token).toEqual(first.token);
      second.connection.closed();
      await bench.clock.advance(2 * DAY_MS);
      const third = await bench.connected(role, first.token, 'wns');
      expect(third.token).not.toEqual(first.token);
      expect(await role.revokeToken(first.token)).toBe(false);
    });

    it('end on an open connection when their time is over', async () => {
      const role = await bench.start();
      const device = await bench.connected(role, undefined, 'wns');
      bench.clock.jumpWallClock(30 * DAY_MS - 60_000);
      await bench.clock.advance(50_000);
      expect(device.ended).toBeUndefined();
      await bench.clock.advance(20_000);
      expect(wire.pushClose.decode(device.frames.at(-1) as wire.Frame)).toEqual({ reason: 'revoked' });
    });

    it('are replaced when the service has another address', async () => {
      const { token } = await bench.connected(await bench.start(), undefined, 'wns');
      const moved = await bench.start({ origin: 'https://push.test:444' });
      expect((await bench.connected(moved, token, 'wns')).token).not.toEqual(token);
    });
  });
});

describe('when all places for tokens are taken', () => {
  const limits = { tokens: 2, unnamedLifeMs: 3_600_000 };

  it('one more is refused', async () => {
    const role = await bench.start({ limits });
    for (const _ of [1, 2]) (await bench.connected(role)).connection.closed();
    expect((await bench.connected(role)).ended).toBe('refused');
    expect(bench.journal.entries().at(-1)?.reason).toBe('too many tokens');
  });

  it('a token that no notification has named makes room after an hour', async () => {
    const role = await bench.start({ limits });
    const left = await bench.connected(role);
    left.connection.closed();
    await bench.clock.advance(60_000);
    const named = await bench.connected(role);
    expect(await bench.push(role, named.token)).toBe('200 delivered');
    named.connection.closed();
    await bench.clock.advance(3_600_000 - 61_000);
    expect((await bench.connected(role)).ended).toBe('refused');
    await bench.clock.advance(2_000);
    expect((await bench.connected(role)).ended).toBeUndefined();
    expect(await bench.push(role, left.token)).toBe('400 BadDeviceToken');
    // The one that is of use stays, however long its device is away.
    await bench.clock.advance(7_200_000);
    expect(await bench.push(role, named.token)).toBe('200 stored');
  });

  it('the device of a token that makes room is not connected', async () => {
    const role = await bench.start({ limits });
    const staying = [await bench.connected(role), await bench.connected(role)];
    await bench.clock.advance(7_200_000);
    expect((await bench.connected(role)).ended).toBe('refused');
    for (const { token } of staying) expect(await bench.push(role, token)).toBe('200 delivered');
  });

  it('connected devices do not stand in the way of the others behind them', async () => {
    const role = await bench.start({ limits: { tokens: 200 } });
    for (let index = 0; index < 150; index++) await bench.connected(role);
    for (let index = 0; index < 50; index++) (await bench.connected(role)).connection.closed();
    await bench.clock.advance(3_700_000);
    const outcomes: (string | undefined)[] = [];
    for (let tries = 0; tries < 3; tries++) outcomes.push((await bench.connected(role)).ended);
    expect(outcomes.at(-1)).toBeUndefined();
  });

  it('tokens that are gone make room first, at once', async () => {
    const role = await bench.start({ limits });
    const [first] = [await bench.connected(role), await bench.connected(role)];
    await role.revokeToken(first.token);
    expect((await bench.connected(role)).ended).toBeUndefined();
    expect(await bench.push(role, first.token)).toBe('400 BadDeviceToken');
  });

  it('a token that its device did not use for long makes room, though it was named', async () => {
    const role = await bench.start({ limits: { tokens: 1, tokenLifeMs: 10_000_000 } });
    const device = await bench.connected(role);
    await bench.push(role, device.token);
    device.connection.closed();
    await bench.clock.advance(10_000_001);
    // Where the sweep begins is chance, so it gets several goes.
    let next = await bench.connected(role);
    for (let goes = 0; next.ended !== undefined && goes < 50; goes++) next = await bench.connected(role);
    expect(next.names).toEqual(['pushRegistered']);
  });

  it('a stranger who takes all places holds them for an hour', async () => {
    const role = await bench.start({ limits: { tokens: 500 } });
    const fleet = await bench.connected(role);
    await bench.push(role, fleet.token);
    for (let index = 0; index < 499; index++) (await bench.connected(role)).connection.closed();
    expect((await bench.connected(role)).ended).toBe('refused');
    await bench.clock.advance(3_600_000);
    for (let index = 0; index < 400; index++) expect((await bench.connected(role)).ended).toBeUndefined();
    expect(await bench.push(role, fleet.token)).toBe('200 delivered');
  });
});

describe('wake-ups (F5.2)', () => {
  it('reach a connected device at once, and nothing is stored', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    await bench.push(role, device.token);
    const commits = bench.store.commits;
    expect(await bench.push(role, device.token, { id: 2 })).toBe('200 delivered');
    expect(device.wakeUps.at(-1)).toEqual({ wakeUpId: new Uint8Array(16).fill(2), sentAtEpochMs: START_MS });
    expect(bench.store.commits).toBe(commits);
  });

  it('are stored when a connected device does not take them in time, and the sender is answered then', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    expect(await bench.push(role, device.token)).toBe('200 stored');
    expect(device.wakeUps).toHaveLength(1);
    device.connection.closed();
    expect((await bench.connected(role, device.token)).wakeUps).toHaveLength(1);
  });

  it('that are taken late are forgotten in the store', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    await bench.push(role, device.token);
    device.acknowledge(new Uint8Array(16).fill(1));
    await bench.clock.settle();
    device.connection.closed();
    expect((await bench.connected(role, device.token)).wakeUps).toEqual([]);
  });

  it('that are taken while they are being stored are forgotten, too', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    await bench.push(role, device.token);
    device.acknowledge(new Uint8Array(16).fill(1));
    await bench.clock.settle();
    const release = bench.store.hold();
    const asked = sendTo(role, device.token, 2);
    await bench.clock.advance(1_000);
    device.acknowledge(new Uint8Array(16).fill(2));
    release();
    expect((await asked).status).toBe(200);
    await bench.clock.settle();
    device.connection.closed();
    expect((await bench.connected(role, device.token)).wakeUps).toEqual([]);
  });

  it('reach a device that comes while they are being stored', async () => {
    const role = await bench.start();
    const away = await bench.connected(role);
    await bench.push(role, away.token);
    away.connection.closed();
    const release = bench.store.hold();
    const asked = sendTo(role, away.token, 2);
    const device = await bench.connected(role, away.token);
    expect(device.wakeUps).toEqual([]);
    release();
    await asked;
    await bench.clock.settle();
    expect(device.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([2]);
  });

  it('the newest one waits for a device that is away, over a restart', async () => {
    const role = await bench.start();
    const { token, connection } = await bench.connected(role);
    connection.closed();
    await bench.push(role, token, { id: 1 });
    await bench.push(role, token, { id: 2 });
    const device = await bench.connected(await bench.start(), token);
    expect(device.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([2]);
  });

  it('come again until they are taken, and not after', async () => {
    const role = await bench.start();
    const first = await bench.connected(role);
    first.takes = false;
    await bench.push(role, first.token);
    first.connection.closed();
    const second = await bench.connected(role, first.token);
    expect(second.wakeUps).toHaveLength(1);
    second.connection.closed();
    expect((await bench.connected(role, first.token)).wakeUps).toEqual([]);
  });

  it('are acknowledged in any order, and each sender hears of its own', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    const told: string[] = [];
    for (const id of [1, 2, 3]) void sendTo(role, device.token, id).then(({ status, headers }) => told.push(`${status} ${headers['apns-id']?.slice(0, 2)}`));
    for (const id of [2, 3, 1]) device.acknowledge(new Uint8Array(16).fill(id));
    await bench.clock.settle();
    expect(told).toEqual(['200 02', '200 03', '200 01']);
    for (const id of [1, 2, 3]) device.acknowledge(new Uint8Array(16).fill(id));
    device.connection.closed();
    expect((await bench.connected(role, device.token)).wakeUps).toEqual([]);
  });

  it('each wait for their own second, also when one before them is taken', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    const told: string[] = [];
    const wake = (id: number): void => void sendTo(role, device.token, id).then(() => told.push(`${id} at ${bench.clock.monotonicMs() - startedMs}`));
    const startedMs = bench.clock.monotonicMs();
    wake(1);
    await bench.clock.advance(400);
    wake(2);
    device.acknowledge(new Uint8Array(16).fill(1));
    await bench.clock.advance(999);
    expect(told).toEqual(['1 at 400']);
    await bench.clock.advance(1);
    expect(told).toEqual(['1 at 400', '2 at 1400']);
  });

  it('an acknowledgement of another wake-up does not forget the one that waits, and writes nothing', async () => {
    const role = await bench.start();
    const first = await bench.connected(role);
    first.takes = false;
    await bench.push(role, first.token);
    const commits = bench.store.commits;
    first.acknowledge(new Uint8Array(16).fill(9));
    await bench.clock.settle();
    expect(bench.store.commits).toBe(commits);
    first.connection.closed();
    expect((await bench.connected(role, first.token)).wakeUps).toHaveLength(1);
  });

  it('are forgotten when their time is over', async () => {
    const role = await bench.start();
    const { token, connection } = await bench.connected(role);
    connection.closed();
    await bench.push(role, token, { expiresInS: 60 });
    await bench.clock.advance(61_000);
    expect((await bench.connected(role, token)).wakeUps).toEqual([]);
  });

  it('for now or never reach a connected device and are never kept', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    expect(await bench.push(role, device.token, { expiresInS: 0 })).toBe('200 delivered');
    device.connection.closed();
    expect(await bench.push(role, device.token, { expiresInS: 0 })).toBe('200 dropped');
    expect((await bench.connected(role, device.token)).wakeUps).toEqual([]);
  });

  it('are answered 503 when the device is away and nothing can be stored', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.connection.closed();
    bench.store.fault = 'disk-full';
    expect(await bench.push(role, device.token)).toBe('503 ServiceUnavailable');
  });

  it('reach a connected device though nothing can be stored', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    bench.store.fault = 'disk-full';
    expect(await bench.push(role, device.token)).toBe('200 delivered');
  });
});

describe('connections', () => {
  it('the newest connection of a token wins', async () => {
    const role = await bench.start();
    const first = await bench.connected(role);
    const second = await bench.connected(role, first.token);
    expect(first.names).toEqual(['pushRegistered', 'pushClose']);
    expect(first.ended).toBe('ended');
    await bench.push(role, first.token);
    expect(first.wakeUps).toHaveLength(0);
    expect(second.wakeUps).toHaveLength(1);
  });

  it('the end of an old connection does not end the new one', async () => {
    const role = await bench.start();
    const first = await bench.connected(role);
    const second = await bench.connected(role, first.token);
    first.connection.closed();
    await bench.push(role, first.token);
    expect(second.wakeUps).toHaveLength(1);
  });

  it('a slow reader is cut off, and its wake-up kept', async () => {
    const role = await bench.start();
    const slow = await bench.connected(role);
    slow.unreadBytes = 1_000_000;
    expect(await bench.push(role, slow.token)).toBe('200 stored');
    expect(slow.ended).toBe('cut off');
    expect((await bench.connected(role, slow.token)).wakeUps).toHaveLength(1);
  });

  it('a device that takes no wake-up is cut off, and the wake-up kept', async () => {
    const role = await bench.start({ limits: { acknowledgeMs: 20_000 } });
    const device = await bench.connected(role);
    device.takes = false;
    await bench.push(role, device.token);
    await bench.clock.advance(19_000);
    expect(device.ended).toBeUndefined();
    await bench.clock.advance(10_000);
    expect(device.ended).toBe('cut off');
    expect((await bench.connected(role, device.token)).wakeUps).toHaveLength(1);
  });

  it('one that breaks settles what was on its way: stored', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    device.takes = false;
    const asked = bench.push(role, device.token);
    device.connection.closed();
    expect(await asked).toBe('200 stored');
  });

  it('is pinged in half of the silence that is announced, with one timer for all', async () => {
    const role = await bench.start({ limits: { pingIntervalS: 100 } });
    const devices = [await bench.connected(role), await bench.connected(role), await bench.connected(role)];
    expect(bench.clock.pendingTimers).toBe(1);
    await bench.clock.advance(300_000);
    for (const device of devices) {
      expect(device.ended).toBeUndefined();
      expect(device.pings).toBeGreaterThanOrEqual(5);
      expect(device.pings).toBeLessThanOrEqual(6);
    }
  });

  it('is cut off when the device does not answer pings', async () => {
    const role = await bench.start({ limits: { pingIntervalS: 100 } });
    const device = await bench.connected(role);
    device.answersPings = false;
    await bench.clock.advance(110_000);
    expect(device.ended).toBe('cut off');
    expect(role.connections).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('is cut off when the device does not register', async () => {
    const role = await bench.start({ limits: { registerMs: 10_000 } });
    const device = new PushDevice(role);
    await bench.clock.advance(20_000);
    expect(device.ended).toBe('cut off');
  });

  it('one more than the limit is refused', async () => {
    const role = await bench.start({ limits: { connections: 1 } });
    await bench.connected(role);
    const device = new PushDevice(role);
    expect(device.names).toEqual(['pushClose']);
    expect(device.ended).toBe('ended');
  });

  it('every device is told when the service goes away', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    role.close();
    expect(device.frames.at(-1)).toMatchObject({ name: 'pushClose' });
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it.each([
    ['bytes that are no frame', new Uint8Array(5)],
    ['a frame of another service', wire.poll.encode({ reason: 'schedule' })],
    ['an acknowledgement before it registers', wire.pushAck.encode({ wakeUpId: new Uint8Array(16) })],
    ['a frame with a broken body', Uint8Array.of(1, 0x78, 0, 0, 0, 0, 0, 1, 0xff)],
  ])('closes on %s', async (_what, frame) => {
    const role = await bench.start();
    const device = new PushDevice(role);
    device.connection.received(frame);
    await bench.clock.settle();
    expect(device.ended).toBe('refused');
    expect(role.connections).toBe(0);
    expect(bench.journal.entries().at(-1)).toMatchObject({ answer: 'closed' });
  });

  it('closes on a second registration', async () => {
    const device = await bench.connected(await bench.start());
    device.register();
    expect(device.ended).toBe('refused');
  });

  it('10,000 random frames leave nothing behind', async () => {
    const role = await bench.start();
    const before = bench.store.commits;
    const random = seededEntropy('random frames');
    for (let round = 0; round < 10_000; round++) {
      const device = new PushDevice(role);
      device.connection.received(random.randomBytes(random.below(64)));
      expect(device.ended).toBe('refused');
      device.connection.closed();
    }
    expect(role.connections).toBe(0);
    expect(bench.store.commits).toBe(before);
  });

  it('no frame is taken where requests of other roles come in', async () => {
    const role = await bench.start();
    const answer = await role.handle({ service: 'notifications', frame: new Uint8Array(8), peer: { kind: 'anonymous', source: '' } });
    expect(answer.status).toBe('malformed');
    expect(() => bench.journal.assertNoUnknownRequests()).toThrow();
  });
});

describe('faults on the way to the device', () => {
  it('a dropped wake-up is lost for good', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    bench.fault = { id: 'fault-1', kind: 'drop' };
    expect(await bench.push(role, device.token)).toBe('200 delivered');
    expect(device.wakeUps).toEqual([]);
    bench.fault = undefined;
    device.connection.closed();
    expect((await bench.connected(role, device.token)).wakeUps).toEqual([]);
    expect(bench.journal.entries().some(({ request, answer }) => request === 'wakeUp' && answer === 'dropped')).toBe(true);
  });

  it('one that waited and is dropped is lost as well', async () => {
    const role = await bench.start();
    const { token, connection } = await bench.connected(role);
    connection.closed();
    await bench.push(role, token);
    bench.fault = { id: 'fault-1', kind: 'drop' };
    (await bench.connected(role, token)).connection.closed();
    bench.fault = undefined;
    expect((await bench.connected(role, token)).wakeUps).toEqual([]);
  });

  it('a duplicated wake-up arrives twice, one that waited too', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    bench.fault = { id: 'fault-1', kind: 'duplicate' };
    await bench.push(role, device.token);
    expect(device.wakeUps).toHaveLength(2);
    device.connection.closed();
    await bench.push(role, device.token, { id: 2 });
    expect((await bench.connected(role, device.token)).wakeUps).toHaveLength(2);
  });

  it('a delayed wake-up is stored and arrives later', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    bench.fault = { id: 'fault-1', kind: 'delay', delayMs: 4_000 };
    expect(await bench.push(role, device.token)).toBe('200 stored');
    expect(device.wakeUps).toEqual([]);
    await bench.clock.advance(4_000);
    expect(device.wakeUps).toHaveLength(1);
    bench.fault = undefined;
    device.connection.closed();
    expect((await bench.connected(role, device.token)).wakeUps).toEqual([]);
  });

  it('a reordered wake-up comes after the next one, and alone when there is none', async () => {
    const role = await bench.start();
    const device = await bench.connected(role);
    bench.fault = { id: 'fault-1', kind: 'reorder', delayMs: 5_000 };
    await bench.push(role, device.token, { id: 1 });
    bench.fault = undefined;
    await bench.push(role, device.token, { id: 2 });
    expect(device.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([2, 1]);
    bench.fault = { id: 'fault-1', kind: 'reorder', delayMs: 5_000 };
    await bench.push(role, device.token, { id: 3 });
    bench.fault = undefined;
    expect(device.wakeUps).toHaveLength(2);
    await bench.clock.advance(5_000);
    expect(device.wakeUps).toHaveLength(3);
  });
});
