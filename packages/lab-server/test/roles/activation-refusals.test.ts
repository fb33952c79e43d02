import { type ActivationSecret, isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { listActivationRefusals, MAX_REFUSALS_PER_USER } from '../../src/state/activation-refusals.ts';
import { activationSecret } from '../../src/state/activation-secrets.ts';
import { DEFAULT_ACTIVATION_SETTINGS, putActivationSettings } from '../../src/state/activation-settings.ts';
import { activeDevicesOfTenant, deviceById, deviceCountsOf } from '../../src/state/devices.ts';
import { listEvents } from '../../src/state/events.ts';
import { type ActivationProfileRecord, deleteProfile, putProfile } from '../../src/state/profiles.ts';
import { MAX_REFUSALS_AMONG } from '../../src/state/refusal-events.ts';
import { TestDevice } from '../support/test-device.ts';
import { alertIn, frameIn, PROFILE, UemBench } from '../support/uem-bench.ts';

let uem: UemBench;
let guid: string;

async function start(profile: Partial<ActivationProfileRecord> = {}): Promise<void> {
  uem = await UemBench.start(profile);
  guid = await uem.addUser();
}

const counts = (): unknown => uem.store.read((view) => deviceCountsOf(view, guid));
const used = (): number => uem.store.read(activeDevicesOfTenant);
const setLicences = (licences: number): Promise<void> => uem.store.transaction((tx) => putActivationSettings(tx, { ...DEFAULT_ACTIVATION_SETTINGS, licences }));
const keysUnder = (prefix: string): number => uem.store.read((view) => view.range({ prefix, limit: 100 }).length);

/** Code and reason of an activation that failed, or its status. */
async function outcome(device: TestDevice, secret: ActivationSecret): Promise<unknown> {
  const ended = await device.activate(secret);
  if (isProtocolError(ended)) return [ended.code, ended.details['reason']];
  return ended === 'lost' ? ended : ended.status;
}

beforeEach(() => start());

describe('a refusal (F1.4)', () => {
  it.each<[wire.ActivationRefusalReason, Partial<ActivationProfileRecord>]>([
    ['kindNotAllowed', { deviceKinds: ['ios'] }],
    ['modelNotAllowed', { modelRestriction: { rule: 'disallow', models: ['Emulator'] } }],
    ['osTooOld', { minimumOsVersions: { 'android-enterprise': '15' } }],
    ['activationTypeNotAvailable', { activationTypes: { 'android-enterprise': [{ ...PROFILE, activationType: 'no-such-type' }] } }],
  ])('%s: told to the device, journalled, kept for the administrator; the one-time password is not used up', async (reason, profile) => {
    await start(profile);
    const secret = await uem.addPassword('right-password');
    const device = new TestDevice(uem);
    expect(await outcome(device, secret)).toEqual(['ERR_REJECTED_ACTIVATION', reason]);
    expect(uem.journal.entries().at(-1)).toMatchObject({
      request: 'activationRequest',
      answer: 'activationResult',
      reason,
      userId: secret.kind === 'password' ? secret.userId : '',
    });
    expect(uem.store.read((view) => listActivationRefusals(view, guid))).toEqual([
      expect.objectContaining({ refusal: reason, info: device.info, profileId: 'default' }),
    ]);
    expect([counts(), keysUnder('device/'), keysUnder('certificate/')]).toEqual([{ pending: 0, active: 0, ended: 0 }, 0, 0]);
    expect(uem.store.read((view) => activationSecret(view, guid, 'password')?.tries)).toMatchObject({ left: 5, charges: 0 });
    // The administrator changes the profile, and the same password works, on another device, too.
    await uem.store.transaction((tx) => putProfile(tx, PROFILE));
    expect(await outcome(new TestDevice(uem, 'other'), secret)).toBe('activated');
  });

  it('is nothing that a guesser learns: a wrong password gets the alert that it always gets', async () => {
    await start({ deviceKinds: ['ios'] });
    await uem.addPassword('right-password');
    expect(await outcome(new TestDevice(uem), { kind: 'password', userId: 'ada@example.com', password: 'wrong-password' })).toEqual([
      'ERR_REJECTED_CREDENTIALS',
      undefined,
    ]);
    expect(uem.store.read((view) => listActivationRefusals(view, guid))).toEqual([]);
  });

  it('comes from compliance, in its words', async () => {
    uem.blocked = 'the device is rooted';
    expect(await new TestDevice(uem).activate(await uem.addQr())).toMatchObject({
      code: 'ERR_REJECTED_ACTIVATION',
      message: 'the device is rooted',
      details: { reason: 'compliance' },
    });
  });

  it('is for the tenant when no licence is left, until a device leaves', async () => {
    await setLicences(1);
    const [first, second] = [new TestDevice(uem, 'first'), new TestDevice(uem, 'second')];
    const secret = await uem.addQr({ expireAfterUse: false });
    expect(await outcome(first, secret)).toBe('activated');
    expect(used()).toBe(1);
    expect(await outcome(second, secret)).toEqual(['ERR_REJECTED_ACTIVATION', 'licenceLimit']);
    // A device that counts needs no other licence.
    expect(await outcome(first, secret)).toBe('activated');
    expect(frameIn(await first.ask(wire.deactivate.encode({ cause: 'user' }))).name).toBe('acknowledgement');
    expect(used()).toBe(0);
    expect(await outcome(second, secret)).toBe('activated');
  });

  it('comes at A7 when the last licence was taken since A6', async () => {
    await setLicences(1);
    const secret = await uem.addQr({ expireAfterUse: false });
    const [first, second] = [new TestDevice(uem, 'first'), new TestDevice(uem, 'second')];
    for (const device of [first, second]) await device.activate(secret, { onSend: (name) => name !== 'activationDone' });
    expect(wire.acknowledgement.decode(frameIn(await first.done()))).toEqual({ ok: true });
    expect(wire.acknowledgement.decode(frameIn(await second.done()))).toEqual({ ok: false, refusal: 'licenceLimit' });
    expect([used(), uem.reasons.at(-1)]).toEqual([1, 'licenceLimit']);
  });

  it('is kept a bounded number of times', async () => {
    await start({ deviceKinds: ['ios'] });
    const secret = await uem.addQr();
    for (let time = 0; time < MAX_REFUSALS_PER_USER + 3; time++) {
      await uem.clock.advance(1);
      await outcome(new TestDevice(uem), secret);
    }
    const kept = uem.store.read((view) => listActivationRefusals(view, guid));
    expect(kept).toHaveLength(MAX_REFUSALS_PER_USER);
    expect(kept.at(-1)?.refusedAtMs).toBe(uem.clock.nowMs());
    expect(keysUnder('activation-refusal/')).toBe(MAX_REFUSALS_PER_USER);
    const events = uem.store.read((view) => listEvents(view, { after: 0, limit: 1_000 }));
    expect(events.filter(({ type }) => type === 'ACTIVATION_REFUSED')).toHaveLength(MAX_REFUSALS_AMONG);
  });
});

describe('activation types', () => {
  it('are ranked by the profile and chosen by what the device can take', async () => {
    const choice = { activationType: 'work-space-only', createWorkSpace: true, encryptDevice: true };
    const privacy = { activationType: 'work-and-personal-user-privacy', createWorkSpace: true, encryptDevice: false };
    await start({ activationTypes: { 'android-enterprise': [choice, privacy] }, ownership: 'work' });
    const device = new TestDevice(uem);
    device.activationTypes = [privacy.activationType];
    expect(await outcome(device, await uem.addQr())).toBe('activated');
    expect(device.details?.configuration).toMatchObject(privacy);
    expect(uem.store.read((view) => deviceById(view, device.details?.deviceId ?? ''))?.ownership).toBe('work');
  });
});

describe('paired secrets', () => {
  const paired = async (slot: number): Promise<ActivationSecret> => {
    await uem.store.transaction((tx) => putProfile(tx, { ...PROFILE, profileId: 'paired', allowedDevices: 1, activationType: 'work-space-only' }));
    return uem.addPassword('paired-password', { slot, profileId: 'paired', expireAfterUse: false });
  };

  it.each([1, 2])('in slot %s admit devices whatever their number, under their own profile', async (slot) => {
    await start({ allowedDevices: 1 });
    const secret = await paired(slot);
    for (const name of ['a', 'b', 'c']) {
      const device = new TestDevice(uem, name);
      expect(await outcome(device, secret)).toBe('activated');
      expect(device.details?.configuration.activationType).toBe('work-space-only');
    }
    const plain = await uem.addPassword('right-password');
    expect(await outcome(new TestDevice(uem, 'd'), plain)).toEqual(['ERR_REJECTED_ACTIVATION', 'deviceLimit']);
  });

  it('are of no use in another slot, and a guess at one costs the others nothing', async () => {
    const secret = await paired(1);
    await uem.addPassword('right-password');
    expect(await outcome(new TestDevice(uem), { ...secret, slot: 2 } as ActivationSecret)).toEqual(['ERR_REJECTED_CREDENTIALS', undefined]);
    expect(await outcome(new TestDevice(uem), { ...secret, slot: 0 } as ActivationSecret)).toEqual(['ERR_REJECTED_CREDENTIALS', undefined]);
    expect(uem.store.read((view) => [0, 1].map((slot) => activationSecret(view, guid, 'password', slot)?.tries.left))).toEqual([4, 5]);
  });

  it('expire with their profile, and a new profile of that name does not bring them back', async () => {
    const secret = await paired(1);
    await uem.store.transaction((tx) => deleteProfile(tx, 'paired'));
    expect(await outcome(new TestDevice(uem), secret)).toEqual(['ERR_REJECTED_CREDENTIALS', undefined]);
    expect(uem.reasons).toContain('noUsableSecret, deletedProfile');
    await uem.store.transaction((tx) => putProfile(tx, { ...PROFILE, profileId: 'paired' }));
    expect(await outcome(new TestDevice(uem), secret)).toEqual(['ERR_REJECTED_CREDENTIALS', undefined]);
  });

  it('are used up by their slot alone', async () => {
    await uem.store.transaction((tx) => putProfile(tx, { ...PROFILE, profileId: 'paired' }));
    await uem.addQr();
    const secret = await uem.addQr({ slot: 1, profileId: 'paired' });
    expect(await outcome(new TestDevice(uem), secret)).toBe('activated');
    expect(uem.store.read((view) => [0, 1].map((slot) => activationSecret(view, guid, 'qr', slot) !== undefined))).toEqual([true, false]);
  });
});

describe('the notice of the organisation (F1.5)', () => {
  beforeEach(() => start({ organizationNotice: 'This device belongs to Example Ltd.' }));

  it('leaves nothing of a device whose user declines, and its one-time secret works again', async () => {
    const secret = await uem.addQr();
    const device = new TestDevice(uem);
    device.agrees = false;
    expect(await outcome(device, secret)).toBe('declined');
    expect(device.notices).toEqual(['This device belongs to Example Ltd.']);
    expect([counts(), ...['device/', 'certificate/', 'tunnel-key/', 'device-by-key/'].map(keysUnder)]).toEqual([
      { pending: 0, active: 0, ended: 0 },
      0,
      0,
      0,
      0,
    ]);
    expect(uem.reasons.at(-1)).toMatch(/declined/);
    expect(alertIn(await device.done())).toBe('unknownDevice');
    expect(await outcome(new TestDevice(uem, 'other'), secret)).toBe('activated');
  });

  it('ends a device that counted when its user declines as it is activated anew', async () => {
    const secret = await uem.addQr({ expireAfterUse: false });
    const device = new TestDevice(uem);
    expect(await outcome(device, secret)).toBe('activated');
    device.agrees = false;
    expect(await outcome(device, secret)).toBe('declined');
    expect(counts()).toEqual({ pending: 0, active: 0, ended: 1 });
  });
});

describe('a device that its user removed', () => {
  it('is ended, told again when it says so again, and refused otherwise', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr());
    const farewell = wire.deactivate.encode({ cause: 'user' });
    expect(wire.acknowledgement.decode(frameIn(await device.ask(farewell)))).toEqual({ ok: true });
    expect(counts()).toEqual({ pending: 0, active: 0, ended: 1 });
    expect(wire.acknowledgement.decode(frameIn(await device.ask(farewell)))).toEqual({ ok: true });
    expect(alertIn(await device.poll())).toBe('revoked');
    expect(await outcome(device, await uem.addQr())).toBe('activated');
  });

  it('is refused with what is no farewell, and a removed device does not become one', async () => {
    const device = new TestDevice(uem);
    await device.activate(await uem.addQr());
    const bad = wire.deactivate.encode({ cause: 'user' });
    bad[bad.length - 1] = 7;
    expect(alertIn(await device.ask(bad))).toBe('badMessage');
    expect(counts()).toEqual({ pending: 0, active: 1, ended: 0 });
  });
});
