import { fromHex, toHex, x509 } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_WAKE_UPS_PER_CALL } from '../../src/roles/uem/notifier.ts';
import { certificateBySerial } from '../../src/state/certificates.ts';
import { cancelCommand, commandById, MAX_TOLD_DEFERRALS } from '../../src/state/command-queue.ts';
import type { CommandRecord } from '../../src/state/commands.ts';
import { removeDevice } from '../../src/state/device-lifecycle.ts';
import { type DeviceRecord, deviceById, deviceCountsOf, forgetPushToken, putDevice } from '../../src/state/devices.ts';
import { listEvents } from '../../src/state/events.ts';
import { decodeDocument, inventoryOf } from '../../src/state/inventory.ts';
import { openCommandCount } from '../../src/state/open-commands.ts';
import { putDueWakeUp } from '../../src/state/wake-ups.ts';
import { TestDevice } from '../support/test-device.ts';
import { alertIn, crypto, DAY_MS, frameIn, NOW_MS, ROOT, UemBench } from '../support/uem-bench.ts';

let uem: UemBench;
let device: TestDevice;
const token = new Uint8Array(16).fill(7);
const record = (): DeviceRecord => uem.store.read((view) => deviceById(view, device.deviceId)) as DeviceRecord;
const command = (commandId: string): CommandRecord | undefined => uem.store.read((view) => commandById(view, device.deviceId, commandId));
const typeOf = async (answer: ReturnType<TestDevice['poll']>): Promise<string> => {
  const frame = frameIn(await answer);
  return frame.name === 'command' ? wire.command.decode(frame).type : frame.name;
};

beforeEach(async () => {
  uem = await UemBench.start();
  await uem.addUser();
  device = new TestDevice(uem);
  await device.activate(await uem.addQr());
});

describe('F5 at the server', () => {
  it('hands out administration first, one command at a time, until idle', async () => {
    const ids = new Map<string, string>();
    for (const type of ['REQUEST_DEVICE_INFO', 'UPDATE_IT_POLICY', 'LOCK_DEVICE', 'UNLOCK_DEVICE']) ids.set(type, await uem.send(device.deviceId, type));
    const order: string[] = [];
    for (let answer = await device.poll(); ; ) {
      const frame = frameIn(answer);
      if (frame.name === 'idle') break;
      const { commandId, type } = wire.command.decode(frame);
      expect(toHex(commandId)).toBe(ids.get(type));
      expect(command(toHex(commandId))).toMatchObject({ state: 'sent', sentAtMs: NOW_MS });
      order.push(type);
      answer = await device.result(commandId);
    }
    expect(order).toEqual(['LOCK_DEVICE', 'UNLOCK_DEVICE', 'UPDATE_IT_POLICY', 'REQUEST_DEVICE_INFO']);
    expect(uem.store.read((view) => openCommandCount(view, device.deviceId))).toBe(0);
    expect([...ids.values()].map((id) => command(id)?.state)).toEqual(['done', 'done', 'done', 'done']);
    uem.journal.assertNoUnknownRequests();
  });

  it('gives the command in flight again, byte for byte, also after a restart and when something of higher priority came', async () => {
    await uem.send(device.deviceId, 'REQUEST_DEVICE_INFO', { properties: { b: 1, a: [true, 'x'] } });
    const first = await device.poll();
    await uem.send(device.deviceId, 'LOCK_DEVICE');
    expect(await device.poll()).toEqual(first);
    uem.restart();
    expect(await device.poll()).toEqual(first);
  });

  it('keeps result and message, and forgets properties that may hold a password', async () => {
    const locked = await uem.send(device.deviceId, 'LOCK_DEVICE', { properties: { password: 'secret' } });
    const { commandId, properties } = await device.pollCommand();
    expect(properties).toEqual({ password: 'secret' });
    await device.result(commandId, { status: 'failed', message: 'no screen' });
    expect(command(locked)).toMatchObject({ state: 'failed', message: 'no screen', finishedAtMs: NOW_MS });
    expect(decodeDocument((command(locked) as CommandRecord).properties)).toEqual({});
  });

  it('takes an inventory from results', async () => {
    await uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    await uem.send(device.deviceId, 'REQUEST_INSTALLED_APPS');
    await device.result((await device.pollCommand()).commandId, { data: { batteryLevel: 80 } });
    await uem.clock.advance(1_000);
    await device.result((await device.pollCommand()).commandId, { data: { apps: ['mail'] } });
    const inventory = uem.store.read((view) => inventoryOf(view, device.deviceId));
    expect(inventory).toMatchObject({ deviceInfoAtMs: NOW_MS, installedAppsAtMs: NOW_MS + 1_000 });
    expect(decodeDocument(inventory.deviceInfo as Uint8Array)).toEqual({ batteryLevel: 80 });
    expect(decodeDocument(inventory.installedApps as Uint8Array)).toEqual({ apps: ['mail'] });
  });

  it('ignores a second result, and answers it like a poll', async () => {
    const first = await uem.send(device.deviceId, 'LOCK_DEVICE');
    await uem.send(device.deviceId, 'UNLOCK_DEVICE');
    const { commandId } = await device.pollCommand();
    const next = await device.result(commandId);
    expect(await typeOf(Promise.resolve(next))).toBe('UNLOCK_DEVICE');
    expect(await device.result(commandId, { status: 'failed', message: 'again' })).toEqual(next);
    expect(command(first)).toMatchObject({ state: 'done' });
    expect(command(first)?.message).toBeUndefined();
    expect(uem.reasons).toEqual(['result of a command that is not in flight']);
  });

  it('puts a deferred command back and lets others go on', async () => {
    const deferred = await uem.send(device.deviceId, 'LOCK_DEVICE');
    await uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    const { commandId } = await device.pollCommand();
    expect(await typeOf(device.result(commandId, { status: 'deferred', retryAfterS: 60 }))).toBe('REQUEST_DEVICE_INFO');
    expect(command(deferred)).toMatchObject({ state: 'queued', notBeforeMs: NOW_MS + 60_000, deferrals: 1 });
    const idle = wire.idle.decode(frameIn(await device.result((await device.pollCommand()).commandId)));
    expect(idle).toMatchObject({ pollAfterS: 60, pollIntervalS: 900, pollJitterS: 60 });
    await uem.clock.advance(60_000);
    expect(await device.pollCommand()).toMatchObject({ type: 'LOCK_DEVICE', commandId });
  });

  it('tells of a command that is deferred again and again a bounded number of times, and of its end', async () => {
    const deferred = await uem.send(device.deviceId, 'LOCK_DEVICE');
    const told = () => uem.store.read((view) => listEvents(view, { after: 0, limit: 1_000 })).filter((event) => event.commandId === deferred);
    for (let time = 0; time < MAX_TOLD_DEFERRALS + 5; time++) {
      const { commandId } = await device.pollCommand();
      await device.result(commandId, { status: 'deferred', retryAfterS: 1 });
      await uem.clock.advance(1_000);
    }
    expect(told().filter(({ type }) => type === 'COMMAND_DEFERRED')).toHaveLength(MAX_TOLD_DEFERRALS);
    expect(told().length).toBeLessThan(2 * MAX_TOLD_DEFERRALS + 3);
    await device.result((await device.pollCommand()).commandId);
    expect(told().at(-1)?.type).toBe('COMMAND_COMPLETED');
  });

  it('drops commands whose time is over before they are asked for', async () => {
    const late = await uem.send(device.deviceId, 'LOCK_DEVICE', { expiresAtMs: NOW_MS + 1_000 });
    await uem.clock.advance(1_000);
    expect(await typeOf(device.poll())).toBe('idle');
    expect(command(late)).toMatchObject({ state: 'cancelled', message: expect.stringContaining('expired') });
  });

  it('does not hand out what the administrator took back, and cannot take back what is in flight', async () => {
    const first = await uem.send(device.deviceId, 'LOCK_DEVICE');
    const second = await uem.send(device.deviceId, 'UNLOCK_DEVICE');
    await device.pollCommand();
    const cancel = (id: string): Promise<CommandRecord | undefined> =>
      uem.store.transaction((tx) => cancelCommand(tx, device.deviceId, id, 'taken back', NOW_MS));
    expect(await cancel(first)).toBeUndefined();
    expect(await cancel(second)).toMatchObject({ state: 'cancelled', message: 'taken back' });
    expect(await typeOf(device.result(first))).toBe('idle');
  });

  it('answers most polls without a write', async () => {
    await device.poll();
    const { commits } = uem.store;
    for (let n = 0; n < 20; n++) expect(await typeOf(device.poll())).toBe('idle');
    expect(uem.store.commits).toBe(commits);
    await uem.clock.advance(60_000);
    await device.poll();
    expect(uem.store.commits).toBe(commits + 1);
    expect(record().lastContactMs).toBe(NOW_MS + 60_000);
  });

  it.each(['disk-full', 'read-only'] as const)('hands out nothing that it cannot remember: %s', async (fault) => {
    const commandId = await uem.send(device.deviceId, 'LOCK_DEVICE');
    uem.store.fault = fault;
    expect(await device.poll()).toMatchObject({ status: 'busy' });
    expect(command(commandId)?.state).toBe('queued');
    uem.store.fault = undefined;
    const sent = await device.pollCommand();
    uem.store.fault = fault;
    expect(await device.result(sent.commandId)).toMatchObject({ status: 'busy' });
    expect(command(commandId)?.state).toBe('sent');
    uem.store.fault = undefined;
    expect(await typeOf(device.result(sent.commandId))).toBe('idle');
    expect(command(commandId)?.state).toBe('done');
  });

  it('sends a command only when it is durable that it is in flight', async () => {
    await uem.send(device.deviceId, 'LOCK_DEVICE');
    const release = uem.store.hold();
    let answered = false;
    const asked = device.poll().finally(() => {
      answered = true;
    });
    await uem.clock.settle();
    expect(answered).toBe(false);
    release();
    expect(await typeOf(asked)).toBe('LOCK_DEVICE');
  });

  it('refuses results that say too little, without changing anything', async () => {
    const commandId = await uem.send(device.deviceId, 'LOCK_DEVICE');
    await device.pollCommand();
    expect(alertIn(await device.result(commandId, { status: 'failed' }))).toBe('badMessage');
    expect(alertIn(await device.result(commandId, { status: 'deferred' }))).toBe('badMessage');
    expect(command(commandId)?.state).toBe('sent');
  });

  it('gives each of many polls at the same time the same one command', async () => {
    await uem.send(device.deviceId, 'LOCK_DEVICE');
    await uem.send(device.deviceId, 'UNLOCK_DEVICE');
    const answers = await Promise.all(Array.from({ length: 10 }, () => device.poll()));
    expect(new Set(answers.map((answer) => toHex((answer as { frame: Uint8Array }).frame))).size).toBe(1);
  });
});

describe('a device that leaves', () => {
  it.each(['DELETE_DEVICE_DATA', 'DELETE_WORK_SPACE_DATA'])('is deactivated and revoked when the result of %s arrives', async (type) => {
    const waiting = await uem.send(device.deviceId, 'REQUEST_DEVICE_INFO');
    const leaving = await uem.send(device.deviceId, type);
    const { commandId } = await device.pollCommand();
    expect(record().status).toBe('active');
    expect(await typeOf(device.result(commandId))).toBe('idle');
    expect(record()).toMatchObject({ status: 'deactivated', endedAtMs: NOW_MS, endedByCommand: leaving });
    expect(command(waiting)).toMatchObject({ state: 'cancelled' });
    expect(command(leaving)).toMatchObject({ state: 'done' });
    // The answer may be lost: the same result is answered like before, everything else is refused.
    expect(await typeOf(device.result(commandId))).toBe('idle');
    expect(alertIn(await device.poll())).toBe('revoked');
    expect(alertIn(await device.result(waiting))).toBe('revoked');
    const { userGuid } = record();
    expect(uem.store.read((view) => deviceCountsOf(view, userGuid))).toEqual({ pending: 0, active: 0, ended: 1 });
  });

  it('stays when it could not carry the command out', async () => {
    await uem.send(device.deviceId, 'DELETE_DEVICE_DATA');
    await device.result((await device.pollCommand()).commandId, { status: 'failed', message: 'refused' });
    expect(record().status).toBe('active');
    expect(await typeOf(device.poll())).toBe('idle');
  });

  it('is activated anew as another device', async () => {
    await uem.send(device.deviceId, 'DELETE_DEVICE_DATA');
    await device.result((await device.pollCommand()).commandId);
    const { deviceId } = device;
    await device.activate(await uem.addQr());
    expect(device.deviceId).not.toBe(deviceId);
    expect(await typeOf(device.poll())).toBe('idle');
  });

  it('is refused at once when the administrator removes it', async () => {
    const open = await uem.send(device.deviceId, 'LOCK_DEVICE');
    expect(await uem.store.transaction((tx) => removeDevice(tx, device.deviceId, NOW_MS))).toBe(true);
    expect(alertIn(await device.poll())).toBe('revoked');
    expect(command(open)?.state).toBe('cancelled');
    expect(await uem.store.transaction((tx) => removeDevice(tx, device.deviceId, NOW_MS))).toBe(false);
    await expect(uem.send(device.deviceId, 'LOCK_DEVICE')).rejects.toThrow('notActive');
    await expect(uem.send('nobody', 'LOCK_DEVICE')).rejects.toThrow('unknown');
  });
});

describe('who the peer is', () => {
  const poll = wire.poll.encode({ reason: 'schedule' });

  it('decides by our clock about the end of validity; before its beginning our clock was set back, as the certificate is ours', async () => {
    const { notBeforeMs, notAfterMs } = x509.readCertificate(device.certificate);
    uem.clock.jumpWallClock(notBeforeMs - NOW_MS - 1);
    expect(await typeOf(device.poll())).toBe('idle');
    uem.clock.jumpWallClock(1);
    expect(await typeOf(device.poll())).toBe('idle');
    uem.clock.jumpWallClock(notAfterMs - notBeforeMs);
    expect(await typeOf(device.poll())).toBe('idle');
    uem.clock.jumpWallClock(1);
    expect(alertIn(await device.poll())).toBe('expired');
    expect(alertIn(await device.ask(wire.renewRequest.encode({ csr: device.renewalRequest() })))).toBe('expired');
  });

  it('does not know certificates that it did not issue, whatever their serial number', async () => {
    const { serial, commonName, publicKey, notBeforeMs, notAfterMs, purpose } = x509.readCertificate(device.certificate);
    const scalar = seededEntropy('stranger').randomBytes(32);
    const issuer = { commonName: 'Test root', publicKey: x509.readCertificate(ROOT).publicKey };
    const info = x509.certificateInfo(crypto, { serial: fromHex(serial), issuer, commonName, publicKey, notBeforeMs, notAfterMs: notAfterMs + 1_000, purpose });
    expect(alertIn(await device.ask(poll, x509.certificate(info, crypto.p256Sign(scalar, info))))).toBe('unknownDevice');
    expect(alertIn(await device.ask(poll, ROOT))).toBe('unknownDevice');
    expect(alertIn(await device.ask(poll, Uint8Array.of(1, 2, 3)))).toBe('unknownDevice');
    expect(alertIn(await uem.ask('device', poll, { kind: 'anonymous', source: 's' }))).toBe('authFailed');
  });

  it('takes the proof of the key where TLS ends elsewhere', async () => {
    const { deviceId, publicKey, certificate } = device;
    const kind = 'memory';
    expect(frameIn(await uem.ask('device', poll, { kind, source: 's', deviceId, publicKey })).name).toBe('idle');
    const other = crypto.p256PublicKey(seededEntropy('other').randomBytes(32));
    expect(alertIn(await uem.ask('device', poll, { kind, source: 's', deviceId, publicKey: other }))).toBe('unknownDevice');
    expect(frameIn(await uem.ask('device', poll, { kind: 'signature', source: 's', certificate })).name).toBe('idle');
    expect(alertIn(await uem.ask('device', poll, { kind: 'signature', source: 's', certificate: ROOT }))).toBe('unknownDevice');
  });

  it('answers junk with 400 and foreign frames with an alert, and the journal shows them', async () => {
    expect(await device.ask(new Uint8Array(20))).toEqual({ status: 'malformed' });
    const torn = poll.slice();
    torn[8] = 0xff;
    expect(alertIn(await device.ask(torn))).toBe('badMessage');
    expect(() => uem.journal.assertNoUnknownRequests()).not.toThrow();
    expect(alertIn(await device.ask(wire.acknowledgement.encode({ ok: true })))).toBe('badMessage');
    expect(() => uem.journal.assertNoUnknownRequests()).toThrow(/acknowledgement to uem\/device/);
    expect(await uem.ask('discovery', poll, device.peer())).toEqual({ status: 'failed' });
  });
});

describe('renewal', () => {
  const renew = async (csr: Uint8Array, certificate?: Uint8Array): Promise<Uint8Array> => {
    const { certificates, tenantRoots } = wire.renewResult.decode(frameIn(await device.ask(wire.renewRequest.encode({ csr }), certificate)));
    const [leaf] = certificates as [Uint8Array];
    x509.verifyIssued(crypto, { certificates, tenantRoots, publicKey: device.publicKey, deviceId: device.deviceId, nowMs: uem.clock.nowMs() });
    return leaf;
  };

  it('gives a certificate for a further year; the old one stays good beside it', async () => {
    await uem.clock.advance(250 * DAY_MS);
    const renewed = await renew(device.renewalRequest());
    expect(x509.readCertificate(renewed).notAfterMs).toBe(NOW_MS + 615 * DAY_MS);
    for (const certificate of [device.certificate, renewed])
      expect(frameIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), certificate)).name).toBe('idle');
  });

  it('answers the same request with the same certificate, also after a restart', async () => {
    const csr = device.renewalRequest();
    const renewed = await renew(csr);
    uem.restart();
    expect(await renew(csr)).toEqual(renewed);
    expect(await renew(csr, renewed)).toEqual(renewed);
    expect(record().serials.length).toBe(2);
  });

  it('revokes what came before when the device renews with the new certificate', async () => {
    const renewed = await renew(device.renewalRequest());
    const again = await renew(device.renewalRequest(), renewed);
    expect(toHex(again)).not.toBe(toHex(renewed));
    expect(alertIn(await device.poll())).toBe('revoked');
    expect(frameIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), renewed)).name).toBe('idle');
    expect(uem.store.read((view) => certificateBySerial(view, x509.readCertificate(device.certificate).serial))).toMatchObject({
      revocationReason: 'superseded',
    });
  });

  it('remembers only the last certificates', async () => {
    let newest = device.certificate;
    for (let n = 0; n < 6; n++) newest = await renew(device.renewalRequest(), newest);
    expect(record().serials.length).toBe(4);
    expect(alertIn(await device.poll())).toBe('unknownDevice');
    expect(frameIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), newest)).name).toBe('idle');
  });

  it('refuses another key and anything that is no request', async () => {
    for (const csr of [device.renewalRequest(seededEntropy('other key').randomBytes(32)), Uint8Array.of(1, 2, 3)]) {
      expect(alertIn(await device.ask(wire.renewRequest.encode({ csr })))).toBe('badMessage');
    }
    expect(record().serials.length).toBe(1);
  });
});

describe('waking devices (F5.2)', () => {
  it('wakes a device that has told its token, once for several commands', async () => {
    await uem.send(device.deviceId, 'LOCK_DEVICE');
    await uem.clock.settle();
    expect(uem.woken).toEqual([]);
    await device.poll({ pushToken: token });
    expect(record().pushToken).toEqual(token);
    await Promise.all([uem.send(device.deviceId, 'LOCK_DEVICE'), uem.send(device.deviceId, 'UNLOCK_DEVICE')]);
    await uem.clock.settle();
    expect(uem.woken).toEqual([[{ deviceId: device.deviceId, pushToken: token }]]);
  });

  it('wakes again after a restart who has not asked since', async () => {
    await device.poll({ pushToken: token });
    await uem.send(device.deviceId, 'LOCK_DEVICE');
    await uem.clock.settle();
    uem.restart();
    uem.outbox?.resume();
    expect(uem.woken.length).toBe(2);
    await device.pollCommand();
    uem.restart();
    uem.outbox?.resume();
    expect(uem.woken.length).toBe(2);
  });

  it('splits many devices into calls that the notifier takes', async () => {
    const { store } = uem;
    const ids = Array.from({ length: 1_201 }, (_, n) => `device-${n.toString().padStart(4, '0')}`);
    const like = record();
    await store.transaction((tx) => {
      for (const deviceId of ids) {
        putDevice(tx, { ...like, deviceId, keyId: deviceId, pushToken: token });
        putDueWakeUp(tx, deviceId, NOW_MS);
      }
    });
    uem.outbox?.resume();
    expect(uem.woken.flat().map((target) => target.deviceId)).toEqual(ids);
    expect(Math.max(...uem.woken.map((call) => call.length))).toBe(MAX_WAKE_UPS_PER_CALL);
    uem.woken.length = 0;
    for (const deviceId of ids) uem.outbox?.wake(deviceId);
    await uem.clock.settle();
    expect(uem.woken.map((call) => call.length)).toEqual([...new Array(12).fill(100), 1]);
  });

  it('loses no wake-up when the server is stopped in between', async () => {
    await device.poll({ pushToken: token });
    const commandId = await uem.send(device.deviceId, 'LOCK_DEVICE');
    await uem.clock.settle();
    uem.woken.length = 0;
    const stopped = uem.store.snapshot();
    uem.outbox?.wake(device.deviceId);
    await uem.store.close();
    await uem.clock.settle();
    expect(uem.woken).toEqual([]);
    uem.store = stopped;
    uem.restart();
    uem.outbox?.resume();
    expect(uem.woken.flat().map((target) => target.deviceId)).toEqual([device.deviceId]);
    expect(command(commandId)?.state).toBe('queued');
  });

  it('forgets a token that its service does not know, but not a newer one', async () => {
    await device.poll({ pushToken: token });
    await uem.store.transaction((tx) => forgetPushToken(tx, device.deviceId, new Uint8Array(16)));
    expect(record().pushToken).toEqual(token);
    await uem.store.transaction((tx) => forgetPushToken(tx, device.deviceId, token));
    expect(record().pushToken).toBeUndefined();
  });
});
