import { ACTIVATION_KEY, ProtocolError, toHex } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { activeTestDevice, crypto, testDevice } from '../support/test-device.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('management (F5)', () => {
  it('answers failed when the operating system throws, keeps its text, and goes on', async () => {
    const device = await activeTestDevice();
    device.os.outcome = ({ type }) => {
      if (type === 'LOCK_DEVICE') throw new Error('secret path');
      return { status: 'done' };
    };
    device.uem.send(device.uem.only, 'LOCK_DEVICE');
    device.uem.send(device.uem.only, 'REQUEST_DEVICE_INFO');
    await device.client.poll();
    expect(device.uem.only.results).toMatchObject([{ status: 'failed', message: 'the command failed' }, { status: 'done' }]);
    expect(device.told('handlerfailed')).toMatchObject([{ type: 'LOCK_DEVICE', error: { message: 'secret path' } }]);
  });

  it('gives the error message of a failed command, and asks again for a deferred one when it is due', async () => {
    const device = await activeTestDevice();
    let busy = true;
    device.os.outcome = ({ type }) => {
      if (type === 'UPDATE_PROFILES') return { status: 'failed', message: 'unknown profile' };
      return busy ? { status: 'deferred', retryAfterS: 90 } : { status: 'done' };
    };
    device.uem.send(device.uem.only, 'LOCK_DEVICE');
    device.uem.send(device.uem.only, 'UPDATE_PROFILES');
    await device.client.poll();
    expect(device.uem.only.results).toMatchObject([{ status: 'failed', message: 'unknown profile' }]);
    busy = false;
    await device.clock.advance(89_000);
    expect(device.uem.only.results).toHaveLength(1);
    await device.clock.advance(2_000);
    expect(device.uem.only.results[1]).toMatchObject({ status: 'done' });
  });

  it('does not carry out a command that is out of date', async () => {
    const device = await activeTestDevice();
    device.uem.send(device.uem.only, 'LOCK_DEVICE', {}, { expiresAtMs: device.clock.nowMs() + 1_000 });
    device.uem.fault = (_service, frame) => (frame === 'poll' ? 'loseAnswer' : undefined);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: 'F5.4' });
    device.uem.fault = () => undefined;
    device.clock.jumpWallClock(5_000);
    await device.client.poll();
    expect([device.os.executed, device.uem.only.results[0]?.status]).toEqual([[], 'failed']);
  });

  it.each(['poll', 'commandResult'] as const)('neither repeats nor loses a command when the %s or its answer is lost', async (name) => {
    for (const fault of ['lose', 'loseAnswer'] as const) {
      const device = await activeTestDevice({ seed: `${name} ${fault}` });
      const commandId = device.uem.send(device.uem.only, 'LOCK_DEVICE');
      let faults = 3;
      device.uem.fault = (_service, frame) => (frame === name && faults-- > 0 ? fault : undefined);
      await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
      await device.clock.advanceUntil(() => device.uem.only.results.length === 1, HOUR_MS);
      expect(device.os.executed).toEqual([toHex(commandId)]);
      expect(device.uem.only.results).toHaveLength(1);
    }
  });

  it('waits as long as a busy server asks', async () => {
    const device = await activeTestDevice();
    device.uem.fault = () => new ProtocolError('ERR_REJECTED_BUSY', 'busy', { details: { retryAfterS: 120 } });
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    device.uem.fault = () => undefined;
    const before = device.uem.requests.length;
    await device.clock.advance(119_000);
    expect(device.uem.requests.length).toBe(before);
    await device.clock.advance(2_000);
    expect(device.uem.requests.length).toBeGreaterThan(before);
  });

  it('does not wait out a pause when it is asked by name', async () => {
    const device = await activeTestDevice();
    device.uem.fault = () => new ProtocolError('ERR_REJECTED_BUSY', 'busy', { details: { retryAfterS: 120 } });
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    device.uem.fault = () => undefined;
    await device.client.poll();
    expect(device.events.at(-1)).toBe('idle');
  });

  it('ends a poll that nobody answers, by its clock, and takes no answer that comes too late', async () => {
    const device = await activeTestDevice({ limits: { requestTimeoutMs: 5_000 } });
    device.uem.fault = () => 'hang';
    const polling = device.client.poll().catch((error: unknown) => error);
    await device.clock.advance(5_000);
    expect(await polling).toMatchObject({ code: 'ERR_PEER_TIMEOUT' });
    device.uem.fault = () => undefined;
    await device.client.poll();
    expect(device.client.state).toBe('active');
  });

  it.each([
    ['revoked', 'ERR_REJECTED_REVOKED'],
    ['unknown', 'ERR_REJECTED_UNKNOWN'],
  ] as const)('becomes %s when UEM says so, destroys its identity, and stays so', async (state, code) => {
    const device = await activeTestDevice();
    const known = device.uem.only;
    if (state === 'revoked') known.state = 'revoked';
    if (state === 'unknown') device.uem.devices.clear();
    await expect(device.client.poll()).rejects.toMatchObject({ code });
    await device.clock.settle();
    expect([device.client.state, device.os.deactivations]).toEqual([state, [state]]);
    expect([...device.store.snapshot().keys()]).toEqual(['uem/departure']);
    const before = device.uem.requests.length;
    await device.clock.advance(48 * HOUR_MS);
    expect(device.uem.requests.length).toBe(before);
    const again = device.restarted();
    await again.client.open();
    expect(again.client.state).toBe(state);
    await again.activate();
    expect(again.client.state).toBe('active');
  });

  it('keeps everything when UEM says that its certificate is out of date, asks on, and goes on when UEM takes it again', async () => {
    const device = await activeTestDevice({ certificateLifeMs: 2 * DAY_MS, schedule: { pollIntervalS: 30 * 86_400, pollJitterS: 0 } });
    const { deviceId } = device.client;
    await device.clock.advance(2 * DAY_MS);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED', step: 'F5.4' });
    expect([device.client.state, device.client.deviceId, device.os.deactivations]).toEqual(['expired', deviceId, []]);
    const before = device.uem.requests.length;
    await device.clock.advance(48 * HOUR_MS);
    expect(device.uem.requests.length - before).toBeGreaterThan(40);
    expect(device.uem.requests.length - before).toBeLessThan(50);

    const again = device.restarted();
    await again.client.open();
    again.client.start();
    await again.clock.advance(30 * DAY_MS);
    expect([again.client.state, again.os.deactivations]).toEqual(['expired', []]);
    again.clock.jumpWallClock(-40 * DAY_MS);
    await again.clock.advance(HOUR_MS);
    expect([again.client.state, again.client.deviceId, again.os.deactivations]).toEqual(['active', deviceId, []]);
  });

  it('that is out of date gives up what it has when it is activated anew, or when its user removes it', async () => {
    const device = await activeTestDevice({ certificateLifeMs: 2 * DAY_MS, schedule: { pollIntervalS: 30 * 86_400, pollJitterS: 0 } });
    await device.clock.advance(2 * DAY_MS);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
    await device.activate();
    expect([device.client.state, device.os.deactivations]).toEqual(['active', ['expired']]);
    expect(new Set([...device.uem.devices.values()].map(({ publicKey }) => toHex(publicKey))).size).toBe(2);
    await device.client.poll();

    await device.clock.advance(2 * DAY_MS);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
    await device.client.deactivate();
    expect([device.client.state, device.os.deactivations]).toEqual(['inactive', ['expired', 'user']]);
  });

  it('that is out of date keeps everything until UEM accepts its new activation', async () => {
    const device = await activeTestDevice({ certificateLifeMs: 2 * DAY_MS, schedule: { pollIntervalS: 30 * 86_400, pollJitterS: 0 } });
    const { deviceId } = device.client;
    await device.clock.advance(2 * DAY_MS);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
    const asBefore = (): void => expect([device.client.state, device.client.deviceId, device.os.deactivations]).toEqual(['expired', deviceId, []]);
    const replaced = device.uem.qrCode('alice@example.com');
    const good = device.uem.qrCode('alice@example.com');
    await expect(device.activate({ kind: 'qr', content: replaced })).rejects.toMatchObject({ code: 'ERR_REJECTED_CREDENTIALS' });
    asBefore();
    device.uem.fault = (_, frame) => (frame === 'activationRequest' ? 'loseAnswer' : undefined);
    await expect(device.activate({ kind: 'qr', content: good })).rejects.toMatchObject({ kind: 'transport' });
    asBefore();
    // It asks on, and is what it was when UEM takes its certificate again.
    device.uem.fault = () => undefined;
    device.clock.jumpWallClock(-DAY_MS);
    await device.clock.advance(HOUR_MS);
    expect([device.client.state, device.client.deviceId, device.os.deactivations]).toEqual(['active', deviceId, []]);
    device.clock.jumpWallClock(DAY_MS);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });

    // The try whose answer was lost goes on with its key.
    await device.activate({ kind: 'qr', content: good });
    expect([device.client.state, device.os.deactivations]).toEqual(['active', ['expired']]);
    expect(device.client.deviceId).not.toBe(deviceId);
    expect(new Set([...device.uem.devices.values()].map(({ publicKey }) => toHex(publicKey))).size).toBe(2);
    const again = device.restarted();
    await again.client.open();
    await again.client.poll();
    expect([again.client.deviceId, again.os.deactivations]).toEqual([device.client.deviceId, []]);
  });

  it('can be activated again at once after a verdict, and after one that could not be saved', async () => {
    const device = await activeTestDevice();
    device.uem.only.state = 'revoked';
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_REVOKED' });
    await device.activate();
    expect([device.client.state, device.client.deviceId]).toEqual(['active', device.uem.only.deviceId]);

    device.uem.only.state = 'revoked';
    device.store.failWrites(1);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_REVOKED' });
    await device.activate();
    expect([device.client.state, device.uem.devices.size]).toEqual(['active', 3]);
    expect(new Set([...device.uem.devices.values()].map(({ publicKey }) => toHex(publicKey))).size).toBe(3);
    await device.client.poll();
  });

  it('never takes trouble with the network for a verdict', async () => {
    const device = await activeTestDevice();
    for (const code of ['ERR_TRANSPORT_TLS', 'ERR_TRANSPORT_CONNECT', 'ERR_TRANSPORT_HTTP', 'ERR_WIRE_LIMIT'] as const) {
      device.uem.fault = () => new ProtocolError(code, 'trouble');
      await expect(device.client.poll()).rejects.toMatchObject({ code });
      expect(device.client.state).toBe('active');
    }
    device.uem.fault = () => undefined;
    await device.client.poll();
  });

  it('reports its own removal, destroys its identity, and can be activated again', async () => {
    const device = await activeTestDevice();
    const commandId = device.uem.send(device.uem.only, 'DELETE_DEVICE_DATA');
    const known = device.uem.only;
    await device.client.poll();
    await device.clock.settle();
    expect(known.results).toMatchObject([{ commandId, status: 'done' }]);
    expect(known.state).toBe('deactivated');
    expect([device.client.state, device.os.deactivations]).toEqual(['inactive', ['command']]);
    expect([...device.store.snapshot().keys()].filter((key) => !key.startsWith('os/'))).toEqual(['uem/departure']);
    expect(
      device
        .told('statechange')
        .slice(-2)
        .map(({ state }) => state),
    ).toEqual(['leaving', 'inactive']);
    await device.activate();
    expect(device.uem.only.deviceId).not.toBe(known.deviceId);
  });

  it('stops: no timer stays, the running command is recorded, and its answer goes out after the next start', async () => {
    const device = await activeTestDevice();
    let finish: (() => void) | undefined;
    device.os.outcome = () =>
      new Promise((resolve) => {
        finish = () => resolve({ status: 'done' });
      });
    const commandId = device.uem.send(device.uem.only, 'LOCK_DEVICE');
    const polling = device.client.poll().catch((error: unknown) => error);
    await device.clock.settle();
    const stopping = device.client.stop();
    expect(await polling).toMatchObject({ code: 'ERR_USAGE_STATE' });
    finish?.();
    await stopping;
    expect([device.uem.only.results, await device.os.count(toHex(commandId)), device.clock.pendingTimers]).toEqual([[], 1, 0]);
    device.client.start();
    await device.clock.settle();
    expect(device.uem.only.results).toHaveLength(1);
    expect(device.os.executed).toHaveLength(1);
  });

  it('closes without waiting for the operating system', async () => {
    const device = await activeTestDevice();
    let told: AbortSignal | undefined;
    device.os.outcome = (_command, signal) => {
      told = signal;
      return new Promise(() => undefined);
    };
    device.uem.send(device.uem.only, 'LOCK_DEVICE');
    const polling = device.client.poll().catch((error: unknown) => error);
    await device.clock.settle();
    await device.client.close();
    expect(await polling).toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect([told?.aborted, device.clock.pendingTimers]).toEqual([true, 0]);
  });

  it('polls once without start, and leaves no timer', async () => {
    const device = await testDevice();
    await device.activate();
    device.uem.send(device.uem.only, 'LOCK_DEVICE');
    await device.client.poll();
    await device.client.poll();
    expect(device.uem.only.results).toHaveLength(1);
    await device.clock.advance(1_000);
    expect(device.clock.pendingTimers).toBe(0);
  });

  it('takes a full store like a crash: nothing that depends on it is sent, nothing is lost', async () => {
    const device = await activeTestDevice();
    const commandId = device.uem.send(device.uem.only, 'LOCK_DEVICE');
    device.store.failWrites();
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    await device.clock.advance(HOUR_MS);
    expect([device.os.executed, device.uem.only.results]).toEqual([[], []]);
    device.store.heal();
    await device.clock.advance(300_000);
    expect([device.uem.only.results.length, await device.os.count(toHex(commandId))]).toEqual([1, 1]);
  });

  it('renews its certificate at two thirds of its life, with the same key', async () => {
    const dayMs = 86_400_000;
    const device = await activeTestDevice({ certificateLifeMs: 31 * dayMs, schedule: { pollIntervalS: 86_400, pollJitterS: 0 } });
    const [first, key] = [device.uem.only.certificate, device.uem.only.publicKey];
    await device.clock.advance(19 * dayMs);
    expect(device.uem.only.certificate).toEqual(first);
    await device.clock.advance(2 * dayMs);
    expect(device.uem.only.certificate).not.toEqual(first);
    expect(device.told('renewed')).toHaveLength(1);
    expect(device.uem.requests.filter((request) => request === 'device renewRequest')).toHaveLength(1);
    await device.clock.advance(100 * dayMs);
    expect([device.client.state, device.uem.only.publicKey]).toEqual(['active', key]);
    const again = device.restarted();
    await again.client.open();
    await again.client.poll();
    expect(again.client.state).toBe('active');
  });

  it.each([
    ['for another key', async () => ({ publicKey: crypto.p256PublicKey(new Uint8Array(32).fill(1)) })],
    ['for another device', async () => ({ deviceId: 'device-9' })],
    ['of another authority', async () => ({ root: (await testDevice({ seed: 'another authority' })).uem.root })],
  ])('does not take a renewed certificate %s', async (_name, wrong) => {
    const dayMs = 86_400_000;
    const device = await activeTestDevice({ certificateLifeMs: 31 * dayMs, schedule: { pollIntervalS: 86_400, pollJitterS: 0 } });
    const saved = await device.store.get(ACTIVATION_KEY);
    device.uem.wrongRenewal = await wrong();
    await device.clock.advance(22 * dayMs);
    expect(device.told('renewalfailed').map(({ error }) => error.kind)).toContain('crypto');
    expect([device.told('renewed'), await device.store.get(ACTIVATION_KEY)]).toEqual([[], saved]);
    device.uem.wrongRenewal = undefined;
    await device.clock.advance(2 * dayMs);
    expect(device.told('renewed')).toHaveLength(1);
  });

  it.each<[string, boolean]>([
    ['has left management', false],
    ['is another one by now', true],
  ])('an answer to a renewal changes nothing when the device %s', async (_name, again) => {
    const dayMs = 86_400_000;
    const device = await activeTestDevice({ certificateLifeMs: 31 * dayMs, schedule: { pollIntervalS: 86_400, pollJitterS: 0 } });
    let answer = (): void => {};
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    device.uem.fault = (_service, frame) => (frame === 'renewRequest' ? { until } : undefined);
    await device.clock.advance(22 * dayMs);
    expect(device.uem.requests).toContain('device renewRequest');
    await device.client.deactivate();
    if (again) await device.activate();
    const saved = await device.store.get(ACTIVATION_KEY);
    answer();
    await device.clock.settle();
    expect([device.client.state, await device.store.get(ACTIVATION_KEY)]).toEqual([again ? 'active' : 'inactive', saved]);
    expect([device.told('renewed'), device.told('renewalfailed')]).toEqual([[], []]);
  });

  it('keeps the old certificate when a renewal fails, and tries again with the next poll', async () => {
    const dayMs = 86_400_000;
    const device = await activeTestDevice({ certificateLifeMs: 31 * dayMs, schedule: { pollIntervalS: 86_400, pollJitterS: 0 } });
    device.uem.fault = (_service, frame) => (frame === 'renewRequest' ? 'lose' : undefined);
    await device.clock.advance(22 * dayMs);
    expect(device.told('renewalfailed').length).toBeGreaterThan(0);
    expect(device.client.state).toBe('active');
    device.uem.fault = () => undefined;
    await device.clock.advance(2 * dayMs);
    expect(device.told('renewed')).toHaveLength(1);
  });
});
