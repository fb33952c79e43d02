import { type ActivationSecret, isProtocolError, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { activationSecret, putActivationSecret } from '../../src/state/activation-secrets.ts';
import { type deviceById, deviceCountsOf, listDevices } from '../../src/state/devices.ts';
import { lastEventSequence } from '../../src/state/events.ts';
import { fullBudget, TRY_RULES } from '../../src/state/try-budget.ts';
import { TestDevice } from '../support/test-device.ts';
import { alertIn, crypto, DAY_MS, frameIn, NOW_MS, PROFILE, UemBench, USER } from '../support/uem-bench.ts';

let uem: UemBench;
let guid: string;
const devices = (): ReturnType<typeof deviceById>[] => uem.store.read((view) => listDevices(view, { limit: 100 }).map((row) => row.record));
const counts = (): unknown => uem.store.read((view) => deviceCountsOf(view, guid));
const tries = (kind: wire.SecretKind = 'password'): unknown => uem.store.read((view) => activationSecret(view, guid, kind)?.tries);
const codeOf = (outcome: unknown): unknown => (isProtocolError(outcome) ? outcome.code : outcome);
const wrong: ActivationSecret = { kind: 'password', userId: USER, password: 'wrong-password' };

/** What of a frame a stranger can tell apart: its name, its length, its fields with their types and lengths; of what is no byte string, the value. */
function shapeOf({ name, body }: wire.Frame): unknown {
  const shape = (value: unknown): unknown => (value instanceof Uint8Array ? `${value.length} bytes` : value);
  return { name, lengthBytes: body.length, fields: [...(wire.decodeCbor(body) as Map<unknown, unknown>)].map(([key, value]) => [key, shape(value)]) };
}

beforeEach(async () => {
  uem = await UemBench.start();
  guid = await uem.addUser();
});

describe('F1 at the server', () => {
  it.each(['password', 'qr'] as const)('activates a device with a %s secret', async (kind) => {
    const secret = kind === 'qr' ? await uem.addQr() : await uem.addPassword('right-password');
    const device = new TestDevice(uem);
    expect(await device.activate(secret)).toMatchObject({ status: 'activated' });
    expect(devices()).toEqual([expect.objectContaining({ deviceId: device.deviceId, status: 'active', userId: USER, userGuid: guid, activatedAtMs: NOW_MS })]);
    const leaf = x509.readCertificate(device.certificate);
    expect(x509.deviceIdOf(leaf)).toBe(device.deviceId);
    expect(leaf).toMatchObject({ notBeforeMs: NOW_MS - DAY_MS, notAfterMs: NOW_MS + 365 * DAY_MS });
    const { activationType, pollIntervalS } = PROFILE;
    expect(device.details?.configuration).toMatchObject({ activationType, pollIntervalS, deviceAddress: 'localhost:1', notificationAddress: 'localhost:2' });
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
    expect(uem.journal.entries().map(({ request, answer }) => `${request} ${answer}`)).toEqual([
      'activationStart activationParameters',
      'activationShare activationShareReply',
      'activationRequest activationResult',
      'activationDone acknowledgement',
    ]);
    uem.journal.assertNoUnknownRequests();
  });

  it('uses a one-time secret up at A7 and not before', async () => {
    const secret = await uem.addPassword('right-password');
    const device = new TestDevice(uem);
    expect(await device.activate(secret, { onSend: (name) => name !== 'activationDone' })).toBe('lost');
    expect(tries()).toEqual({ left: 5, countedAtMs: NOW_MS, charges: 0 });
    expect(counts()).toEqual({ pending: 1, active: 0, ended: 0 });
    expect(frameIn(await device.done()).name).toBe('acknowledgement');
    expect(tries()).toBeUndefined();
    expect(codeOf(await new TestDevice(uem, 'second').activate(secret))).toBe('ERR_REJECTED_CREDENTIALS');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });

  it('keeps a secret for many devices, up to what the profile allows', async () => {
    const secret = await uem.addQr({ expireAfterUse: false });
    for (const name of ['a', 'b', 'c']) expect(await new TestDevice(uem, name).activate(secret)).toMatchObject({ status: 'activated' });
    expect(codeOf(await new TestDevice(uem, 'd').activate(secret))).toBe('ERR_REJECTED_ACTIVATION');
    expect(uem.reasons.at(-1)).toBe('deviceLimit');
    expect(counts()).toEqual({ pending: 0, active: 3, ended: 0 });
  });

  it('counts the device that confirms first when there is room for one', async () => {
    uem = await UemBench.start({ allowedDevices: 1 });
    guid = await uem.addUser();
    const secret = await uem.addQr({ expireAfterUse: false });
    const [first, second] = [new TestDevice(uem, 'first'), new TestDevice(uem, 'second')];
    for (const device of [first, second]) await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    expect(frameIn(await second.done()).name).toBe('acknowledgement');
    const late = wire.acknowledgement.decode(frameIn(await first.done()));
    expect(late).toEqual({ ok: false, refusal: 'deviceLimit' });
    expect(uem.reasons.at(-1)).toBe('deviceLimit');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 1 });
  });

  it('tells a device that was refused at A7 the same again, as the answer may be lost, and takes nothing of it for a late contact', async () => {
    uem = await UemBench.start({ allowedDevices: 1 });
    guid = await uem.addUser();
    const secret = await uem.addQr({ expireAfterUse: false });
    const [first, second] = [new TestDevice(uem, 'first'), new TestDevice(uem, 'second')];
    for (const device of [first, second]) await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    await second.done();
    await first.done();
    const before = { devices: devices(), events: uem.store.read(lastEventSequence) };
    for (let time = 0; time < 2; time++) {
      expect(wire.acknowledgement.decode(frameIn(await first.done()))).toEqual({ ok: false, refusal: 'deviceLimit' });
      expect(uem.reasons.at(-1)).toBe('repeated: deviceLimit');
      // Anything else that it asks for is refused as to any device that has ended.
      expect(alertIn(await first.done('no room'))).toBe('revoked');
      expect(alertIn(await first.poll())).toBe('revoked');
    }
    expect({ devices: devices(), events: uem.store.read(lastEventSequence) }).toEqual(before);
  });

  it('acknowledges a second A7, and changes nothing', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr());
    const before = devices();
    await uem.clock.advance(5_000);
    expect(frameIn(await device.done()).name).toBe('acknowledgement');
    expect(devices()).toEqual(before);
  });

  it('refuses an A7 for another device', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr(), { onSend: (name) => name !== 'activationDone' });
    const other = wire.activationDone.encode({ deviceId: 'ffffffff-5a0d-4c3e-9b1f-2d6a7e8c9f01', status: 'completed' });
    expect(alertIn(await device.ask(other))).toBe('badMessage');
    expect(counts()).toEqual({ pending: 1, active: 0, ended: 0 });
  });

  it('ends a device that could not be configured, and leaves its secret usable', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    expect(await device.activate(secret, { failure: 'no room for a work space' })).toEqual({
      status: 'configurationFailed',
      message: 'no room for a work space',
    });
    expect(devices()).toEqual([expect.objectContaining({ status: 'deactivated', message: expect.stringContaining('no room for a work space') })]);
    // The acknowledgement may be lost.
    expect(frameIn(await device.done('no room for a work space')).name).toBe('acknowledgement');
    expect(alertIn(await device.done())).toBe('revoked');
    expect(alertIn(await device.poll())).toBe('revoked');
    expect(await new TestDevice(uem, 'other').activate(secret)).toMatchObject({ status: 'activated' });
  });

  it('confirms nothing that was accepted more than seven days ago, and leaves the secret usable', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem, 'late');
    await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    await uem.clock.advance(7 * DAY_MS + 1);
    expect(alertIn(await device.done())).toBe('revoked');
    expect(uem.reasons.at(-1)).toBe('the activation was not confirmed in time');
    expect(alertIn(await device.done())).toBe('revoked');
    expect(counts()).toEqual({ pending: 0, active: 0, ended: 1 });

    const next = new TestDevice(uem, 'next');
    await next.activate(secret, { onSend: (name) => name !== 'activationDone' });
    await uem.clock.advance(7 * DAY_MS);
    expect(frameIn(await next.done()).name).toBe('acknowledgement');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 1 });
  });

  it('takes nothing but A7 of a device that is not confirmed', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr(), { onSend: (name) => name !== 'activationDone' });
    expect(alertIn(await device.poll())).toBe('badMessage');
    expect(alertIn(await device.ask(wire.renewRequest.encode({ csr: device.renewalRequest() })))).toBe('badMessage');
    expect(uem.reasons.at(-1)).toMatch(/not confirmed/);
  });
});

describe('one device key, one device', () => {
  it('starts again after any loss, and ends with one device', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    const steps = ['activationStart', 'activationShare', 'activationRequest', 'activationDone'] as const;
    for (const lost of steps) expect(await device.activate(secret, { onSend: (name) => name !== lost })).toBe('lost');
    expect(await device.activate(secret)).toMatchObject({ status: 'activated' });
    // Nothing that a device sends was left out.
    expect([...device.sent.keys()]).toEqual(steps);
    expect(devices()).toEqual([expect.objectContaining({ deviceId: device.deviceId, status: 'active' })]);
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });

  it('replaces the pending device under its own id when A6 was lost on the way', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    const { deviceId, certificate } = device;
    await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    expect(device.deviceId).toBe(deviceId);
    // The certificate of the run that was given up confirms nothing any more.
    const done = wire.activationDone.encode({ deviceId, status: 'completed' });
    expect(alertIn(await device.ask(done, certificate))).toBe('badMessage');
    expect(frameIn(await device.ask(done)).name).toBe('acknowledgement');
    expect(alertIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), certificate))).toBe('revoked');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });

  it('answers the same A5 with the same A6 for ten minutes, also after a restart', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    const request = device.sent.get('activationRequest') as Uint8Array;
    const ask = (): ReturnType<UemBench['ask']> => uem.ask('activation', request, { kind: 'anonymous', source: 'elsewhere' });
    const first = await ask();
    expect(frameIn(first).name).toBe('activationResult');
    uem.restart();
    expect(await ask()).toEqual(first);
    expect(devices().length).toBe(1);
    await uem.clock.advance(600_000);
    expect(alertIn(await ask())).toBe('authFailed');
  });

  it('activates a device anew that counts already: same id, the old certificate ends at A7', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr());
    const { deviceId, certificate } = device;
    await uem.send(deviceId, 'LOCK_DEVICE');
    await device.pollCommand();
    const again = new TestDevice(uem);
    expect(await again.activate(await uem.addQr(), { onSend: (name) => name !== 'activationDone' })).toBe('lost');
    expect(again.deviceId).toBe(deviceId);
    expect(frameIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), certificate)).name).toBe('command');
    expect(frameIn(await again.done()).name).toBe('acknowledgement');
    expect(alertIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), certificate))).toBe('revoked');
    // What was in hand is not handed out again: the device does not know whether it was carried out.
    expect(frameIn(await again.poll()).name).toBe('idle');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });

  it('ends the device of another user with the same key', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr());
    const { deviceId, certificate } = device;
    await uem.addUser('bob@example.com');
    expect(await device.activate(await uem.addQr({ userId: 'bob@example.com' }))).toMatchObject({ status: 'activated' });
    expect(device.deviceId).not.toBe(deviceId);
    expect(alertIn(await device.ask(wire.poll.encode({ reason: 'schedule' }), certificate))).toBe('revoked');
    expect(
      devices()
        .map((one) => one?.status)
        .sort(),
    ).toEqual(['active', 'removed']);
  });

  it('lets only the key that proved a one-time secret go on, for ten minutes', async () => {
    const secret = await uem.addQr();
    const [first, second] = [new TestDevice(uem, 'first'), new TestDevice(uem, 'second')];
    await first.activate(secret, { onSend: (name) => name !== 'activationDone' });
    expect(codeOf(await second.activate(secret))).toBe('ERR_REJECTED_CREDENTIALS');
    expect(uem.reasons.at(-1)).toMatch(/otherDeviceKey/);
    await uem.clock.advance(600_000);
    expect(await second.activate(secret)).toMatchObject({ status: 'activated' });
    // One secret, one device: the first one comes too late.
    expect(alertIn(await first.done())).toBe('revoked');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 1 });
  });
});

describe('wrong secrets', () => {
  it('look the same for wrong, expired, used, exhausted and unknown: frames, their fields and lengths, in the same order', async () => {
    const shapes = new Map<string, unknown>();
    const attempt = async (label: string, secret: ActivationSecret): Promise<void> => {
      const device = new TestDevice(uem, label);
      // An honest device learns from A4 that the secret is wrong; a guesser sends an A5 all the same.
      expect(codeOf(await device.activate(secret))).toBe('ERR_REJECTED_CREDENTIALS');
      const { activationId } = wire.activationShare.decode(wire.parseFrame(device.sent.get('activationShare') as Uint8Array));
      const guess = wire.activationRequest.encode({ activationId, confirmP: new Uint8Array(32).fill(1), record: new Uint8Array(500) });
      const refusal = frameIn(await uem.ask('activation', guess, { kind: 'anonymous', source: device.source }));
      shapes.set(label, [...device.answered.map((frame) => shapeOf(wire.parseFrame(frame))), shapeOf(refusal)]);
    };
    const expired = await uem.addPassword('right-password', { lifeMs: 1_000 });
    await uem.clock.advance(1_000);
    await attempt('expired', expired);
    const used = await uem.addPassword('right-password');
    expect(await new TestDevice(uem, 'first').activate(used)).toMatchObject({ status: 'activated' });
    await attempt('used', used);
    const right = await uem.addPassword('right-password');
    await attempt('wrong', wrong);
    await attempt('unknown', { ...wrong, userId: 'nobody@example.com' });
    await uem.store.transaction((tx) => {
      const kept = activationSecret(tx, guid, 'password');
      if (kept !== undefined) putActivationSecret(tx, { ...kept, tries: { ...kept.tries, left: 0 } });
    });
    await attempt('exhausted', right);

    expect(shapes.get('wrong')).toMatchObject([{ name: 'activationParameters' }, { name: 'activationShareReply' }, { name: 'alert' }]);
    for (const [label, shape] of shapes) expect(shape, label).toEqual(shapes.get('wrong'));
    // The administrator alone is told.
    expect(uem.reasons.filter((reason) => reason.startsWith('noUsableSecret'))).toEqual([
      'noUsableSecret, expiredSecret',
      'noUsableSecret, noSecret',
      'noUsableSecret, noSecret',
      'noUsableSecret, exhaustedSecret',
    ]);
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });

  it('get five tries; then even the right one waits for a try to come back', async () => {
    const right = await uem.addPassword('right-password');
    for (let n = 0; n < 5; n++) expect(codeOf(await new TestDevice(uem, `guess ${n}`).activate(wrong))).toBe('ERR_REJECTED_CREDENTIALS');
    expect(tries()).toEqual({ left: 0, countedAtMs: NOW_MS, charges: 5 });
    expect(codeOf(await new TestDevice(uem).activate(right))).toBe('ERR_REJECTED_CREDENTIALS');
    await uem.clock.advance(599_999);
    expect(codeOf(await new TestDevice(uem).activate(right))).toBe('ERR_REJECTED_CREDENTIALS');
    await uem.clock.advance(1);
    expect(await new TestDevice(uem).activate(right)).toMatchObject({ status: 'activated' });
  });

  it('take a try when A4 leaves, also when the guesser hangs up', async () => {
    await uem.addPassword('right-password');
    await new TestDevice(uem).activate(wrong, { onSend: (name) => name !== 'activationRequest' });
    expect(tries()).toEqual({ left: 4, countedAtMs: NOW_MS, charges: 1 });
  });

  it('give the try back to who knows the secret', async () => {
    const right = await uem.addPassword('right-password', { expireAfterUse: false });
    await new TestDevice(uem, 'guess').activate(wrong);
    await new TestDevice(uem).activate(right);
    // Only its own: the wrong guess stays counted.
    expect(tries()).toEqual({ left: 4, countedAtMs: NOW_MS, charges: 1 });
  });

  it('do not get more tries when they come at the same time', async () => {
    await uem.addPassword('right-password');
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => new TestDevice(uem, `guess ${n}`).activate(wrong)));
    expect(answers.map(codeOf)).toEqual(Array.from({ length: 12 }, () => 'ERR_REJECTED_CREDENTIALS'));
    expect(tries()).toEqual({ left: 0, countedAtMs: NOW_MS, charges: 5 });
    expect(uem.reasons.filter((reason) => reason.includes('exhaustedSecret')).length).toBe(7);
  });

  it('are dead after thirty unrefunded tries, until the administrator resets them', async () => {
    const right = await uem.addPassword('right-password');
    const set = (tries: { left: number; countedAtMs: number; charges: number }): Promise<void> =>
      uem.store.transaction((tx) => {
        const kept = activationSecret(tx, guid, 'password');
        if (kept !== undefined) putActivationSecret(tx, { ...kept, tries });
      });
    await set({ left: 5, countedAtMs: NOW_MS, charges: 30 });
    await uem.clock.advance(DAY_MS);
    expect(codeOf(await new TestDevice(uem).activate(right))).toBe('ERR_REJECTED_CREDENTIALS');
    await set(fullBudget(TRY_RULES.password, uem.clock.nowMs()));
    expect(await new TestDevice(uem).activate(right)).toMatchObject({ status: 'activated' });
  });

  it('do not shut out a device with a QR code', async () => {
    await uem.addPassword('right-password');
    const code = await uem.addQr();
    for (let n = 0; n < 6; n++) await new TestDevice(uem, `guess ${n}`).activate(wrong);
    expect(await new TestDevice(uem).activate(code)).toMatchObject({ status: 'activated' });
  });
});

describe('trouble at the server', () => {
  it('says 503 when nothing can be stored, sends nothing that depends on it, and goes on later', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    for (const step of ['activationShare', 'activationRequest', 'activationDone'] as const) {
      const outcome = await device.activate(secret, {
        onSend(name) {
          uem.store.fault = name === step ? 'disk-full' : undefined;
          return true;
        },
      });
      expect(codeOf(outcome)).toBe('ERR_TRANSPORT_CLOSED');
      expect(uem.journal.entries().at(-1)).toMatchObject({ answer: '503' });
      uem.store.fault = undefined;
    }
    expect(await device.activate(secret)).toMatchObject({ status: 'activated' });
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });

  it('sends A6 only when the device is durable', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    await device.activate(secret, { onSend: (name) => name !== 'activationRequest' });
    const release = uem.store.hold();
    let answered = false;
    const asked = uem.ask('activation', device.sent.get('activationRequest') as Uint8Array, { kind: 'anonymous', source: device.source }).then((answer) => {
      answered = true;
      return answer;
    });
    await uem.clock.settle();
    expect(answered).toBe(false);
    release();
    expect(frameIn(await asked).name).toBe('activationResult');
  });

  it('goes on after a restart between A4 and A5 from A1, with the same key', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    await device.activate(secret, { onSend: (name) => name !== 'activationRequest' });
    uem.restart();
    expect(alertIn(await uem.ask('activation', device.sent.get('activationRequest') as Uint8Array, { kind: 'anonymous', source: 's' }))).toBe('authFailed');
    expect(await device.activate(secret)).toMatchObject({ status: 'activated' });
    uem.restart();
    expect(frameIn(await device.poll()).name).toBe('idle');
  });

  it('answers junk with 400 and foreign frames with an alert, and the journal shows them', async () => {
    const peer = { kind: 'anonymous', source: 's' } as const;
    expect(await uem.ask('activation', crypto.sha256(new Uint8Array(1)), peer)).toEqual({ status: 'malformed' });
    expect(() => uem.journal.assertNoUnknownRequests()).not.toThrow();
    expect(alertIn(await uem.ask('activation', wire.poll.encode({ reason: 'schedule' }), peer))).toBe('badMessage');
    expect(() => uem.journal.assertNoUnknownRequests()).toThrow(/poll to uem\/activation/);
  });
});
