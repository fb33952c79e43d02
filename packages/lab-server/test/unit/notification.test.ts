import { toHex, wire } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { createNotificationRole, type NotificationRole } from '../../src/roles/notification/notification.ts';
import type { DeliveryFault } from '../../src/roles/notification/push-delivery.ts';
import type { PushLimits } from '../../src/roles/notification/push-limits.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { PushDevice } from '../support/push-device.ts';

const START_MS = Date.UTC(2026, 0, 1);
const crypto = nodeCrypto();
const peer = { kind: 'certificate', source: 'link', certificate: new Uint8Array() } as const;

let clock: FakeClock;
let store: MemoryStore;
let journal: RingJournal;
let fault: DeliveryFault | undefined;
let caller: 'infrastructure' | 'uem';

function start(limits: Partial<PushLimits> = {}): NotificationRole {
  const entropy = seededEntropy(`tokens ${store.commits}`);
  return createNotificationRole({ clock, crypto, entropy, store, journal, guard: { roleOf: () => caller }, limits, deliveryFault: () => fault });
}

async function connected(role: NotificationRole, token?: Uint8Array): Promise<PushDevice> {
  const device = new PushDevice(role);
  device.register(token);
  await clock.settle();
  return device;
}

function notification(token: Uint8Array, id: number, options: { expiresInS?: number; atMs?: number } = {}): wire.Notification {
  const { expiresInS = 3_600, atMs = clock.nowMs() } = options;
  return {
    token,
    wakeUpId: new Uint8Array(16).fill(id),
    sentAtEpochMs: atMs,
    expiresAtEpochS: expiresInS === 0 ? 0 : Math.floor(clock.nowMs() / 1_000) + expiresInS,
  };
}

async function notify(role: NotificationRole, ...notifications: wire.Notification[]): Promise<readonly wire.NotifyStatus[]> {
  const answer = await role.handle({ service: 'provider', frame: wire.notify.encode({ notifications }), peer });
  if (answer.status !== 'answered') throw new Error(`answered ${answer.status}`);
  await clock.settle();
  return wire.notifyResult.decode(wire.parseFrame(answer.frame)).statuses;
}

beforeEach(() => {
  clock = fakeClock(START_MS);
  store = new MemoryStore();
  journal = createRingJournal();
  fault = undefined;
  caller = 'infrastructure';
});

describe('tokens', () => {
  it('gives a new device a token of 32 random bytes and keeps only its hash', async () => {
    const device = await connected(start());
    expect(device.token).toHaveLength(32);
    const keys = store.read((view) => view.range({ prefix: '', limit: 100 })).map(({ key, value }) => `${key} ${toHex(value)}`);
    expect(keys.join()).not.toContain(toHex(device.token));
  });

  it('takes a known token back, after a restart of the service too', async () => {
    const role = start();
    const { token } = await connected(role);
    role.close();
    const device = await connected(start(), token);
    expect(device.token).toEqual(token);
  });

  it('gives another token in place of one that it does not know', async () => {
    const device = await connected(start(), new Uint8Array(32).fill(7));
    expect(device.token).not.toEqual(new Uint8Array(32).fill(7));
  });

  it('gives another token to a device that asks under another service', async () => {
    const role = start();
    const { token } = await connected(role);
    const device = new PushDevice(role);
    device.register(token, 'apns');
    await clock.settle();
    expect(device.token).not.toEqual(token);
  });

  it('sends nothing before the token is durable', async () => {
    const release = store.hold();
    const device = await connected(start());
    expect(device.frames).toEqual([]);
    release();
    await clock.settle();
    expect(device.names).toEqual(['pushRegistered']);
  });

  it('refuses a device when the token cannot be stored', async () => {
    store.fault = 'disk-full';
    const device = await connected(start());
    expect(device.ended).toBe('refused');
    expect(device.frames).toEqual([]);
  });

  it('refuses one token more than its limit, until one is out of use', async () => {
    const role = start({ tokens: 1, tokenLifeMs: 1_000 });
    await connected(role);
    expect((await connected(role)).ended).toBe('refused');
    // Enough time for the first one to be out of use; where the sweep begins is chance, so it gets several goes.
    await clock.advance(2_000);
    let device = await connected(role);
    for (let goes = 0; device.ended !== undefined && goes < 50; goes++) device = await connected(role);
    expect(device.names).toEqual(['pushRegistered']);
  });

  it('closes the connection of a revoked token and forgets it', async () => {
    const role = start();
    const device = await connected(role);
    expect(await role.revokeToken(device.token)).toBe(true);
    expect(device.names).toEqual(['pushRegistered', 'pushClose']);
    expect(await notify(role, notification(device.token, 1))).toEqual(['unregistered']);
    expect(await role.revokeToken(device.token)).toBe(false);
  });
});

describe('wake-ups (F5.2)', () => {
  it('delivers at once to a connected device', async () => {
    const role = start();
    const device = await connected(role);
    expect(await notify(role, notification(device.token, 1))).toEqual(['delivered']);
    expect(device.wakeUps).toEqual([{ wakeUpId: new Uint8Array(16).fill(1), sentAtEpochMs: START_MS }]);
  });

  it('answers each notification of a batch in its place', async () => {
    const role = start();
    const online = await connected(role);
    const offline = await connected(role);
    offline.connection.closed();
    const statuses = await notify(
      role,
      notification(offline.token, 1),
      notification(new Uint8Array(32), 2),
      notification(online.token, 3),
      notification(offline.token, 4, { expiresInS: 0 }),
    );
    expect(statuses).toEqual(['stored', 'unregistered', 'delivered', 'expired']);
  });

  it('keeps the newest one for a device that is away, over a restart', async () => {
    const role = start();
    const { token, connection } = await connected(role);
    connection.closed();
    await notify(role, notification(token, 1));
    await notify(role, notification(token, 2, { atMs: START_MS + 1 }));
    await notify(role, notification(token, 3, { atMs: START_MS - 1 }));
    const device = await connected(start(), token);
    expect(device.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([2]);
  });

  it('delivers again until it is acknowledged, and not after', async () => {
    const role = start();
    const first = await connected(role);
    await notify(role, notification(first.token, 1));
    first.connection.closed();
    const second = await connected(role, first.token);
    expect(second.wakeUps).toHaveLength(1);
    second.acknowledge(new Uint8Array(16).fill(9));
    second.acknowledge(new Uint8Array(16).fill(1));
    await clock.settle();
    second.connection.closed();
    expect((await connected(role, first.token)).wakeUps).toEqual([]);
  });

  it('an acknowledgement of another wake-up does not forget the one that waits', async () => {
    const role = start();
    const first = await connected(role);
    await notify(role, notification(first.token, 1));
    first.acknowledge(new Uint8Array(16).fill(9));
    await clock.settle();
    first.connection.closed();
    expect((await connected(role, first.token)).wakeUps).toHaveLength(1);
  });

  it('forgets a wake-up whose time is over', async () => {
    const role = start();
    const { token, connection } = await connected(role);
    connection.closed();
    await notify(role, notification(token, 1, { expiresInS: 60 }));
    await clock.advance(61_000);
    expect((await connected(role, token)).wakeUps).toEqual([]);
  });

  it('sends a now-or-never wake-up to a connected device and keeps nothing', async () => {
    const role = start();
    const device = await connected(role);
    expect(await notify(role, notification(device.token, 1, { expiresInS: 0 }))).toEqual(['delivered']);
    device.connection.closed();
    expect((await connected(role, device.token)).wakeUps).toEqual([]);
  });

  it('answers nothing and sends nothing when it cannot store', async () => {
    const role = start();
    const device = await connected(role);
    store.fault = 'disk-full';
    const answer = await role.handle({ service: 'provider', frame: wire.notify.encode({ notifications: [notification(device.token, 1)] }), peer });
    expect(answer.status).toBe('busy');
    expect(device.wakeUps).toEqual([]);
  });

  it('takes notifications from the Infrastructure only', async () => {
    const role = start();
    const device = await connected(role);
    caller = 'uem';
    const answer = await role.handle({ service: 'provider', frame: wire.notify.encode({ notifications: [notification(device.token, 1)] }), peer });
    expect(answer.status === 'answered' && wire.peekFrameName(answer.frame)).toBe('alert');
    expect(device.wakeUps).toEqual([]);
  });
});

describe('connections', () => {
  it('the newest connection of a token wins', async () => {
    const role = start();
    const first = await connected(role);
    const second = await connected(role, first.token);
    expect(first.names).toEqual(['pushRegistered', 'pushClose']);
    expect(first.ended).toBe('ended');
    await notify(role, notification(first.token, 1));
    expect(first.wakeUps).toHaveLength(0);
    expect(second.wakeUps).toHaveLength(1);
  });

  it('the end of an old connection does not end the new one', async () => {
    const role = start();
    const first = await connected(role);
    const second = await connected(role, first.token);
    first.connection.closed();
    await notify(role, notification(first.token, 1));
    expect(second.wakeUps).toHaveLength(1);
  });

  it('cuts off a slow reader and keeps its wake-up', async () => {
    const role = start();
    const slow = await connected(role);
    slow.unreadBytes = 1_000_000;
    expect(await notify(role, notification(slow.token, 1))).toEqual(['stored']);
    expect(slow.ended).toBe('cut off');
    expect((await connected(role, slow.token)).wakeUps).toHaveLength(1);
  });

  it('cuts off a device that takes no wake-up, and keeps the wake-up', async () => {
    const role = start({ acknowledgeMs: 20_000 });
    const device = await connected(role);
    await notify(role, notification(device.token, 1));
    await clock.advance(20_000);
    expect(device.ended).toBeUndefined();
    await clock.advance(10_000);
    expect(device.ended).toBe('cut off');
    expect((await connected(role, device.token)).wakeUps).toHaveLength(1);
  });

  it('pings in half of the silence that it announces, with one timer for all', async () => {
    const role = start({ pingIntervalS: 100 });
    const devices = [await connected(role), await connected(role), await connected(role)];
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(300_000);
    for (const device of devices) {
      expect(device.ended).toBeUndefined();
      expect(device.pings).toBeGreaterThanOrEqual(5);
      expect(device.pings).toBeLessThanOrEqual(6);
    }
  });

  it('cuts off a device that does not answer pings', async () => {
    const role = start({ pingIntervalS: 100 });
    const device = await connected(role);
    device.answersPings = false;
    await clock.advance(110_000);
    expect(device.ended).toBe('cut off');
    expect(role.connections).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('cuts off a connection that does not register', async () => {
    const role = start({ registerMs: 10_000 });
    const device = new PushDevice(role);
    await clock.advance(20_000);
    expect(device.ended).toBe('cut off');
  });

  it('refuses one connection more than its limit', async () => {
    const role = start({ connections: 1 });
    await connected(role);
    const device = new PushDevice(role);
    expect(device.names).toEqual(['pushClose']);
    expect(device.ended).toBe('ended');
  });

  it('tells every device when it goes away', async () => {
    const role = start();
    const device = await connected(role);
    role.close();
    expect(device.frames.at(-1)).toMatchObject({ name: 'pushClose' });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['bytes that are no frame', new Uint8Array(5)],
    ['a frame of another service', wire.poll.encode({ reason: 'schedule' })],
    ['an acknowledgement before it registers', wire.pushAck.encode({ wakeUpId: new Uint8Array(16) })],
    ['a frame with a broken body', Uint8Array.of(1, 0x78, 0, 0, 0, 0, 0, 1, 0xff)],
  ])('closes on %s', async (_what, frame) => {
    const role = start();
    const device = new PushDevice(role);
    device.connection.received(frame);
    await clock.settle();
    expect(device.ended).toBe('refused');
    expect(role.connections).toBe(0);
    expect(journal.entries().at(-1)).toMatchObject({ answer: 'closed' });
  });

  it('closes on a second registration', async () => {
    const device = await connected(start());
    device.register();
    expect(device.ended).toBe('refused');
  });

  it('10,000 random frames leave nothing behind', async () => {
    const role = start();
    const random = seededEntropy('random frames');
    for (let round = 0; round < 10_000; round++) {
      const device = new PushDevice(role);
      device.connection.received(random.randomBytes(random.below(64)));
      expect(device.ended).toBe('refused');
      device.connection.closed();
    }
    expect(role.connections).toBe(0);
    expect(store.read((view) => view.range({ prefix: '', limit: 10 }))).toEqual([]);
  });
});

describe('faults on the way to the device', () => {
  it('a dropped wake-up is lost for good', async () => {
    const role = start();
    const device = await connected(role);
    fault = { id: 'fault-1', kind: 'drop' };
    expect(await notify(role, notification(device.token, 1))).toEqual(['delivered']);
    expect(device.wakeUps).toEqual([]);
    fault = undefined;
    device.connection.closed();
    expect((await connected(role, device.token)).wakeUps).toEqual([]);
    expect(journal.entries().some(({ request, answer }) => request === 'wakeUp' && answer === 'dropped')).toBe(true);
  });

  it('a duplicated wake-up arrives twice', async () => {
    const role = start();
    const device = await connected(role);
    fault = { id: 'fault-1', kind: 'duplicate' };
    await notify(role, notification(device.token, 1));
    expect(device.wakeUps).toHaveLength(2);
  });

  it('a delayed wake-up arrives later', async () => {
    const role = start();
    const device = await connected(role);
    fault = { id: 'fault-1', kind: 'delay', delayMs: 4_000 };
    await notify(role, notification(device.token, 1));
    expect(device.wakeUps).toEqual([]);
    await clock.advance(4_000);
    expect(device.wakeUps).toHaveLength(1);
  });
});
