import { ProtocolError, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { activeTestDevice, testDevice } from '../support/test-device.ts';

const HOUR_MS = 3_600_000;

describe('when a device asks (F5.2)', () => {
  it('polls at the start, gives its push token, and is at rest with one socket', async () => {
    const device = await testDevice();
    await device.activate();
    device.client.start();
    await device.clock.settle();
    const { polls, pushToken } = device.uem.only;
    expect(polls[0]?.reason).toBe('activation');
    expect(pushToken).toBeDefined();
    expect(device.events.filter((name) => name === 'pushopen')).toHaveLength(1);
    const before = device.uem.released;
    await device.clock.advance(1_000);
    expect(device.uem.released).toBeGreaterThan(before);
  });

  it('carries out one command after the other by priority, woken by push, and answers each', async () => {
    const device = await activeTestDevice();
    const info = device.uem.send(device.uem.only, 'REQUEST_DEVICE_INFO');
    const policy = device.uem.send(device.uem.only, 'UPDATE_IT_POLICY', { revision: 2 });
    const lock = device.uem.send(device.uem.only, 'LOCK_DEVICE');
    device.os.outcome = ({ type }) => (type === 'REQUEST_DEVICE_INFO' ? { status: 'done', data: { model: 'Test' } } : { status: 'done' });
    expect(device.uem.wake(device.uem.only)).toBe(true);
    await device.clock.settle();
    expect(device.uem.only.results.map(({ commandId }) => commandId)).toEqual([lock, policy, info]);
    expect(device.uem.only.results[2]).toMatchObject({ status: 'done', data: { model: 'Test' } });
    expect(device.events).toEqual([
      'wakeup',
      'poll',
      ...['command', 'commanddone', 'commandanswered', 'command', 'commanddone', 'commandanswered', 'command', 'commanddone', 'commandanswered'],
      'idle',
    ]);
    expect(device.os.applied).toEqual([lock, policy, info].map(toHex));
  });

  it('joins the wake-ups that come while it polls', async () => {
    const device = await activeTestDevice();
    const before = device.uem.only.polls.length;
    for (let wakeUp = 0; wakeUp < 20; wakeUp++) device.uem.wake(device.uem.only);
    await device.clock.settle();
    expect(device.uem.only.polls.length - before).toBeLessThanOrEqual(2);
    expect(device.events.filter((name) => name === 'wakeup')).toHaveLength(20);
    // Each of them: what is not confirmed, the service sends again.
    expect(new Set(device.uem.acknowledged).size).toBe(20);
  });

  it('is not kept awake by a notification service that wakes it again and again, and stays on time for what is true', async () => {
    const device = await activeTestDevice();
    const before = device.uem.only.polls.length;
    for (let wakeUp = 0; wakeUp < 200; wakeUp++) {
      device.uem.wake(device.uem.only);
      await device.clock.advance(50);
    }
    // Ten seconds: the burst, and one a second.
    expect(device.uem.only.polls.length - before).toBeLessThanOrEqual(32 + 10);
    const lock = device.uem.send(device.uem.only, 'LOCK_DEVICE');
    device.uem.wake(device.uem.only);
    await device.clock.advance(1_000);
    expect(device.uem.only.results.map(({ commandId }) => commandId)).toEqual([lock]);
    await device.clock.advance(60_000);
    const rested = device.uem.only.polls.length;
    for (let wakeUp = 0; wakeUp < 10; wakeUp++) {
      device.uem.wake(device.uem.only);
      await device.clock.advance(50);
    }
    expect(device.uem.only.polls.length - rested).toBe(10);
  });

  it('forgets a poll that is due for wake-ups when it is stopped', async () => {
    const device = await activeTestDevice();
    for (let wakeUp = 0; wakeUp < 40; wakeUp++) {
      device.uem.wake(device.uem.only);
      await device.clock.advance(10);
    }
    const before = device.uem.only.polls.length;
    await device.client.stop();
    await device.clock.advance(5_000);
    expect(device.uem.only.polls.length).toBe(before);
  });

  it('finds what a lost push would have told by the regular poll, in its interval plus jitter', async () => {
    const device = await activeTestDevice({ schedule: { pollIntervalS: 600, pollJitterS: 60 } });
    await device.client.poll();
    device.uem.pushes.clear();
    device.uem.send(device.uem.only, 'LOCK_DEVICE');
    expect(device.uem.wake(device.uem.only)).toBe(false);
    const startedMs = device.clock.nowMs();
    await device.clock.advanceUntil(() => device.uem.only.results.length === 1, 700_000);
    const tookMs = device.clock.nowMs() - startedMs;
    expect(tookMs).toBeGreaterThanOrEqual(600_000 - 1);
    expect(tookMs).toBeLessThanOrEqual(660_000);
  });

  it('manages with the poll alone while the notification service is down, and comes back to it with bounded pauses', async () => {
    const device = await testDevice({ schedule: { pollIntervalS: 600, pollJitterS: 0 } });
    let tries = 0;
    device.uem.pushFault = () => {
      tries++;
      throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'down');
    };
    await device.activate();
    device.client.start();
    await device.clock.settle();
    device.uem.send(device.uem.only, 'LOCK_DEVICE');
    await device.clock.advance(24 * HOUR_MS);
    expect(device.uem.only.results).toHaveLength(1);
    expect(device.told('pollfailed')).toEqual([]);
    const pauses = device.told('pushclosed').map(({ retryInMs }) => retryInMs);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300_000);
    // Full jitter up to five minutes: about 24 h / 2.5 min, and never a storm.
    expect(tries).toBeGreaterThan(24 * 12);
    expect(tries).toBeLessThan(24 * 12 * 4);
    device.uem.pushFault = () => undefined;
    await device.clock.advance(300_000);
    await device.clock.settle();
    expect(device.events).toContain('pushopen');
  });

  it('pauses after a clean close of the push connection too, longer each time', async () => {
    const device = await activeTestDevice();
    for (let close = 0; close < 12; close++) {
      for (const push of device.uem.pushes.values()) push.onClose();
      await device.clock.advance(300_000 / 2 ** 9);
    }
    const closed = device.told('pushclosed');
    expect(closed.length).toBeGreaterThan(3);
    expect(closed.every(({ retryInMs }) => retryInMs <= 300_000)).toBe(true);
    expect(closed.some(({ retryInMs }) => retryInMs > 1_000)).toBe(true);
  });

  it('notices a notification service that fell silent', async () => {
    const device = await activeTestDevice();
    device.uem.pushes.clear();
    await device.clock.advance(3 * 120_000 + 1);
    expect(device.told('pushclosed')[0]?.error).toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT', step: 'F5.2' });
    await device.clock.advance(2_000);
    expect(device.events.filter((name) => name === 'pushopen')).toHaveLength(1);
  });

  it.each([
    ['registers it a second time', () => wire.pushRegistered.encode({ token: new Uint8Array(32), pingIntervalS: 1 }), 'ERR_PEER_UNEXPECTED'],
    ['sends what belongs to UEM', () => wire.idle.encode({ pollIntervalS: 1, pollJitterS: 0, serverTimeEpochS: 0 }), 'ERR_PEER_UNEXPECTED'],
    ['sends bytes that are no frame', () => new Uint8Array(3), 'ERR_WIRE_TRUNCATED'],
    [
      'sends a frame over the limit',
      () => wire.command.encode({ commandId: new Uint8Array(16), type: 'A', properties: { a: new Uint8Array(5_000) }, issuedAtEpochS: 0 }),
      'ERR_WIRE_LIMIT',
    ],
  ])('leaves a notification service that %s, and comes back', async (_name, frame, code) => {
    const device = await activeTestDevice();
    const polls = device.uem.only.polls.length;
    for (const push of device.uem.pushes.values()) push.onFrame(frame());
    expect(device.told('pushclosed')).toMatchObject([{ error: { code, step: 'F5.2' } }]);
    await device.clock.advance(5_000);
    expect(device.told('pushopen')).toHaveLength(2);
    expect(device.uem.only.polls.length).toBe(polls);
  });

  it('asks for another token when its own is revoked, and tells UEM', async () => {
    const device = await activeTestDevice();
    const before = device.uem.only.pushToken;
    for (const push of device.uem.pushes.values()) push.onFrame(wire.pushClose.encode({ reason: 'revoked' }));
    await device.clock.advance(5_000);
    expect(device.uem.only.pushToken).not.toEqual(before);
    expect(device.uem.wake(device.uem.only)).toBe(true);
  });

  it('keeps a connection that answers pings', async () => {
    const device = await activeTestDevice();
    await device.clock.advance(24 * HOUR_MS);
    expect(device.told('pushclosed')).toEqual([]);
  });
});
