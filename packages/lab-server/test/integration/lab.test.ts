import { type ProtocolError, toHex, userIdHash } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../../src/lab.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { LabDevice, overMemory, qrSecret } from '../support/lab-device.ts';

let lab: Lab;

beforeEach(async () => {
  lab = await startLab({ entropy: seededEntropy('lab') });
});
afterEach(() => lab.close());

async function activated(nowMs?: () => number): Promise<LabDevice> {
  const username = 'alice';
  const user = lab.admin.userByName(username) ?? (await lab.admin.createUser({ username }));
  const { content } = await lab.admin.createQrCode(user.guid);
  const device = new LabDevice(overMemory(lab), 'device', nowMs);
  expect(await device.activate(qrSecret(content))).toMatchObject({ status: 'activated' });
  return device;
}

/** A push connection of a device, over the memory transport. */
async function connectPush(token?: Uint8Array) {
  const frames: wire.Frame[] = [];
  let closed: unknown = 'open';
  const connection = await lab.transport().openPush({
    address: lab.connection.notification,
    trust: lab.trust,
    onFrame: (frame) => void frames.push(wire.parseFrame(frame)),
    onClose: (error) => {
      closed = error?.code;
    },
  });
  connection.send(wire.pushRegister.encode({ service: 'fcm', token }));
  await expect.poll(() => frames.length).toBeGreaterThan(0);
  return { connection, frames, token: wire.pushRegistered.decode(frames[0] as wire.Frame).token, closed: () => closed };
}

describe('a lab in memory', () => {
  it('activates a device with a password, discovery first (F1)', async () => {
    const user = await lab.admin.createUser({ username: 'Alice' });
    const { password } = await lab.admin.setActivationPassword(user.guid);
    const device = new LabDevice(overMemory(lab));
    expect((await device.discover('alice')).activationAddress).toBe(lab.connection.activation);
    expect(await device.activate({ kind: 'password', userId: 'alice', password })).toMatchObject({ status: 'activated' });
    expect([...lab.admin.devices()].map(({ deviceId, userId }) => [deviceId, userId])).toEqual([[device.deviceId, 'alice']]);
    // A password is used up by the first device.
    expect(await new LabDevice(overMemory(lab), 'second').activate({ kind: 'password', userId: 'alice', password })).toMatchObject({
      code: expect.any(String),
    });
    lab.assertNoUnknownRequests();
  });

  it('sends a command, wakes the device, hands out by priority (F5)', async () => {
    const device = await activated();
    const push = await connectPush();
    expect((await device.poll({ pushToken: push.token })).name).toBe('idle');
    const asked = await lab.admin.sendCommand(device.deviceId, { type: 'REQUEST_DEVICE_INFO' });
    const locked = await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await expect.poll(() => push.frames.filter(({ name }) => name === 'wakeUp').length).toBeGreaterThan(0);
    const first = wire.command.decode(await device.poll({ reason: 'wakeUp' }));
    expect(first.type).toBe('LOCK_DEVICE');
    const second = wire.command.decode(await device.result(first.commandId));
    expect(second.type).toBe('REQUEST_DEVICE_INFO');
    expect((await device.result(second.commandId, { data: { batteryLevel: 80 } })).name).toBe('idle');
    expect(lab.admin.command(device.deviceId, locked.commandId).state).toBe('done');
    expect(lab.admin.command(device.deviceId, asked.commandId).state).toBe('done');
    lab.assertNoUnknownRequests();
  });

  it('shows the way of one user (F1.1) and of one wake-up (F5.2) through the roles by references', async () => {
    const device = await activated();
    const push = await connectPush();
    await device.poll({ pushToken: push.token });
    await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await expect.poll(() => push.frames.some(({ name }) => name === 'wakeUp')).toBe(true);
    const { wakeUpId } = wire.wakeUp.decode(push.frames.find(({ name }) => name === 'wakeUp') as wire.Frame);
    const crypto = nodeCrypto();
    const about = (id: Uint8Array) => lab.journal.entries().filter(({ refs }) => refs?.includes(toHex(id.subarray(0, 8))) === true);
    await expect
      .poll(() =>
        about(crypto.sha256(wakeUpId))
          .map(({ role, service }) => `${role} ${service}`)
          .sort(),
      )
      .toEqual(['infrastructure fcm', 'infrastructure notifications', 'notification fcm', 'notification wakeUp', 'uem notifications']);
    const wakeUps = about(crypto.sha256(wakeUpId));
    expect(new Set(wakeUps.map(({ step }) => step))).toEqual(new Set(['F5.2']));
    expect(wakeUps.filter(({ deviceId }) => deviceId === device.deviceId)).toHaveLength(1);
    for (const { service, timeMs, receivedMs = Number.NaN, bytes = 0 } of wakeUps.filter(
      ({ role, service }) => (role === 'notification' && service === 'fcm') || service === 'notifications',
    )) {
      expect(receivedMs, service).toBeLessThanOrEqual(timeMs);
      expect(bytes > 0 || service === 'notifications').toBe(true);
    }
    expect(about(userIdHash(crypto, 'alice')).map(({ role, service, step }) => [role, service, step])).toEqual([['infrastructure', 'registrations', 'F1.1']]);
  });

  it('a removed device hears that it is revoked', async () => {
    const device = await activated();
    await lab.admin.removeDevice(device.deviceId);
    expect(wire.alert.decode(await device.poll())).toEqual({ code: 'revoked' });
    expect(lab.journal.entries({ deviceId: device.deviceId }).at(-1)).toMatchObject({ answer: 'alert revoked' });
  });

  it('shows the real reason of a refused activation in the journal only', async () => {
    const user = await lab.admin.createUser({ username: 'alice' });
    await lab.admin.setActivationPassword(user.guid, { password: 'correct horse' });
    const wrong = await new LabDevice(overMemory(lab)).activate({ kind: 'password', userId: 'alice', password: 'wrong horse' });
    const unknown = await new LabDevice(overMemory(lab)).activate({ kind: 'password', userId: 'mallory', password: 'wrong horse' });
    expect(wrong).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    expect(unknown).toMatchObject({ code: (wrong as ProtocolError).code, message: (wrong as ProtocolError).message, step: (wrong as ProtocolError).step });
    // Whoever has the wrong password finds out by himself and says no more; the try is charged all the same.
    const [secret] = lab.admin.activationSecrets(user.guid);
    expect(secret?.tries.left).toBe(4);
    const reasons = lab.journal.entries({ userId: 'mallory' }).flatMap(({ reason }) => reason ?? []);
    expect(reasons.join()).toMatch(/noSecret/);
  });

  it('refuses who does not trust it, and whom it does not know', async () => {
    const other = await startLab({ entropy: seededEntropy('another lab') });
    const transport = lab.transport();
    const frame = wire.discoveryRequest.encode({ versions: [1], userId: 'alice' });
    const address = lab.connection.infrastructure;
    const trusts = [other.trust, { roots: [], spkiPins: [] }, { roots: 'platform' as const, spkiPins: [] }, { ...lab.trust, spkiPins: [new Uint8Array(32)] }];
    for (const trust of trusts)
      await expect(transport.exchange({ address, service: 'discovery', frame, trust })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await expect(transport.exchange({ address: 'nowhere:1', service: 'discovery', frame, trust: lab.trust })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_CONNECT',
    });
    const device = await activated();
    const identity = { deviceId: device.deviceId, certificates: [device.certificate], keyId: 'key' };
    const poll = wire.poll.encode({ reason: 'schedule' });
    const devices = { address: other.connection.devices, service: 'device' as const, frame: poll, trust: other.trust };
    await expect(other.transport().exchange({ ...devices, identity })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await expect(other.transport().exchange(devices)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await other.close();
  });

  it('obeys an abort, and nothing after its end', async () => {
    const transport = lab.transport();
    const frame = wire.discoveryRequest.encode({ versions: [1], userId: 'alice' });
    const request = { address: lab.connection.infrastructure, service: 'discovery' as const, frame, trust: lab.trust };
    lab.faults.add({ kind: 'delay', delayMs: 60_000 });
    const controller = new AbortController();
    const answer = transport.exchange({ ...request, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    await transport.close();
    await expect(transport.exchange(request)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('applies faults to devices', async () => {
    const device = await activated();
    lab.faults.add({ kind: 'drop', service: 'device', count: 1 });
    await expect(device.poll()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    lab.faults.add({ kind: 'status', status: 503, service: 'device', count: 1 });
    await expect(device.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_BUSY' });
    lab.faults.add({ kind: 'status', status: 500, service: 'device', count: 1 });
    await expect(device.poll()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_HTTP' });
    lab.faults.add({ kind: 'refuse', service: 'device', count: 1 });
    expect(wire.alert.decode(await device.poll())).toEqual({ code: 'busy' });
    expect((await device.poll()).name).toBe('idle');
  });

  it('loses wake-ups on purpose, and refuses push connections on purpose', async () => {
    const device = await activated();
    const push = await connectPush();
    await device.poll({ pushToken: push.token });
    const fault = lab.faults.add({ kind: 'drop', service: 'wakeUp', share: 1 });
    await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await expect.poll(() => lab.faults.list().find(({ id }) => id === fault.id)?.applied).toBe(1);
    expect(push.frames.map(({ name }) => name)).toEqual(['pushRegistered']);
    lab.faults.add({ kind: 'drop', service: 'push' });
    let error: unknown;
    await lab.transport().openPush({ address: lab.connection.notification, trust: lab.trust, onFrame: () => {}, onClose: (cause) => (error = cause) });
    await expect.poll(() => error).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
  });

  it.each(['infrastructure', 'uem', 'notification', 'noc'] as const)('restarts %s; devices go on', async (role) => {
    const device = await activated();
    const push = await connectPush();
    await device.poll({ pushToken: push.token });
    await lab.restart(role);
    if (role === 'notification') expect(push.closed()).not.toBe('open');
    const again = role === 'notification' ? await connectPush(push.token) : push;
    expect(again.token).toEqual(push.token);
    await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await expect.poll(() => again.frames.some(({ name }) => name === 'wakeUp')).toBe(true);
    expect((await device.poll()).name).toBe('command');
    expect((await device.discover('alice')).activationAddress).toBe(lab.connection.activation);
  });

  it('starts again on the stores of an earlier lab', async () => {
    const stores = { infrastructure: new MemoryStore(), uem: new MemoryStore(), notification: new MemoryStore(), noc: new MemoryStore() };
    await lab.close();
    lab = await startLab({ stores });
    const { files } = lab;
    const device = await activated();
    const snapshot = {
      infrastructure: stores.infrastructure.snapshot(),
      uem: stores.uem.snapshot(),
      notification: stores.notification.snapshot(),
      noc: stores.noc.snapshot(),
    };
    await lab.close();
    lab = await startLab({ stores: snapshot, files });
    expect([...lab.admin.devices()].map(({ deviceId }) => deviceId)).toEqual([device.deviceId]);
    const same = new LabDevice(overMemory(lab));
    same.details = device.details;
    expect((await same.poll()).name).toBe('idle');
  });

  it('runs in virtual time: a wake-up that nobody fetches is gone after a day', async () => {
    await lab.close();
    const clock = fakeClock(Date.UTC(2026, 0, 1));
    lab = await startLab({ clock, entropy: seededEntropy('virtual') });
    const device = await activated(() => clock.nowMs());
    const push = await connectPush();
    await device.poll({ pushToken: push.token });
    push.connection.close();
    await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await clock.settle();
    await clock.advance(23 * 3_600_000);
    const early = await connectPush(push.token);
    expect(early.frames.map(({ name }) => name)).toEqual(['pushRegistered', 'wakeUp']);
    early.connection.close();
    await clock.advance(2 * 3_600_000);
    expect((await connectPush(push.token)).frames.map(({ name }) => name)).toEqual(['pushRegistered']);
  });

  it('a revoked token is answered as unregistered, and forgotten by UEM', async () => {
    const device = await activated();
    const push = await connectPush();
    await device.poll({ pushToken: push.token });
    expect(await lab.revokePushToken(push.token)).toBe(true);
    await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
    await expect.poll(() => lab.admin.device(device.deviceId).pushToken).toBeUndefined();
    expect(push.frames.at(-1)?.name).toBe('pushClose');
  });
});
