import { COMMANDS, reaches } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { complianceDeletion } from '../../src/admin/compliance-deletion.ts';
import { commandById } from '../../src/state/command-queue.ts';
import { decodeDocument } from '../../src/state/inventory.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { listDueWakeUps } from '../../src/state/wake-ups.ts';
import { AdminLab, type Reply } from '../support/admin-lab.ts';

/** Every command that administrators give, on every kind of device and activation type. */
const GIVEN = Object.keys(COMMANDS).filter((type) => COMMANDS[type]?.givenBy === 'administrator');
const CASES = Object.entries(wire.PLATFORMS).flatMap(([platform, { activationTypes }]) =>
  activationTypes.flatMap((activationType) => GIVEN.map((type) => [type, platform, activationType] as const)),
);

/** Properties that each command wants. */
const PROPERTIES: Readonly<Record<string, object>> = {
  ENABLE_LOST_MODE: { phoneNumber: '1', message: 'm' },
  UPDATE_DEVICE_OS: { installAction: 'INSTALL', osVersion: '19' },
  LOCK_WORK_SPACE: { password: btoa('new-Secret-1') },
  ATTEST_APPLICATION: { attestationType: 'APP_INTEGRITY' },
  BLOCK_APPLICATION: { title: 't', body: 'b', actionId: 'a' },
  UNBLOCK_APPLICATION: { actionId: 'a' },
};

let lab: AdminLab;
let alice: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice' });
});

const info = (platform: string): wire.DeviceInfo => ({ platform, osVersion: '1', model: 'm', clientVersion: '1' });
const path = (rest = '/commands', device = 'd1'): string => `/users/${alice.guid}/userDevices/${device}${rest}`;
const add = (platform: string, activationType: string, more: object = {}): Promise<unknown> =>
  lab.addDevice(alice, 'd1', { info: info(platform), activationType, ...more });
const send = (type: string, properties?: object): Promise<Reply> => {
  const forApp = COMMANDS[type]?.carriedOutBy === 'application';
  return lab.ask('POST', path(forApp ? '/applications/com.example.mail/commands' : '/commands'), { type, properties: properties ?? PROPERTIES[type] });
};
/** Entries of the store, and the bytes in them. */
const weight = (): readonly number[] => {
  const entries = lab.store.read((view) => view.range({ prefix: '', limit: 10_000 }));
  return [entries.length, entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)];
};

describe('a command of an administrator', () => {
  it.each(CASES)('%s for %s, %s is taken where it applies, and refused with a reason where not', async (type, platform, activationType) => {
    await add(platform, activationType);
    const reply = await send(type);
    if (reaches(COMMANDS[type]?.reach ?? [], platform, activationType) === 'yes') {
      expect([reply.status, reply.json.status]).toEqual([201, type === 'REMOVE_DEVICE' ? 'COMPLETED' : 'QUEUED']);
    } else {
      expect([reply.status, reply.json.id, reply.json.subStatusCode]).toEqual([409, 'COMMAND_NOT_APPLICABLE', 125]);
      expect(reply.json.message).toBe(`type: ${type} does not apply to ${wire.platformOf(platform)?.title} activated with ${activationType}`);
      expect([...lab.admin.commands('d1')]).toEqual([]);
      expect(lab.woken).toEqual([]);
    }
  });

  it.each(Object.keys(COMMANDS).filter((type) => !GIVEN.includes(type)))('is never %s: UEM gives that', async (type) => {
    await add('ios', 'mdm-controls');
    expect((await send(type, {})).json).toMatchObject({ id: 'INVALID_PROPERTY', message: expect.stringMatching(/^type: is not one of LOCK_DEVICE, /) });
  });

  it('for a kind of device of somebody else is taken: the device decides', async () => {
    await add('toaster', 'crumbs');
    expect((await send('LOCK_WORK_SPACE')).status).toBe(201);
  });

  it.each([
    ['ios', 'mdm-controls'],
    ['android-enterprise', 'work-and-personal-user-privacy'],
    ['windows-10', 'mdm-controls'],
  ])('takes no password with LOCK_DEVICE for %s, %s', async (platform, activationType) => {
    await add(platform, activationType);
    const reply = await send('LOCK_DEVICE', { password: btoa('new-Secret-1') });
    expect([reply.status, reply.json.id]).toEqual([409, 'COMMAND_NOT_APPLICABLE']);
    expect(reply.json.message).toMatch(/^properties\.password: /);
    expect(reply.text).not.toContain('new-Secret-1');
    expect((await send('LOCK_DEVICE', { message: 'm' })).status).toBe(201);
  });

  it('for an application names it, and is not sent to a device as such, nor the other way round', async () => {
    await add('android-enterprise', 'work-space-only');
    const sent = await send('LOCK_APPLICATION');
    const kept = lab.store.read((view) => commandById(view, 'd1', sent.json.guid));
    expect(decodeDocument(kept?.properties as Uint8Array)).toEqual({ applicationId: 'com.example.mail' });
    expect((await lab.ask('GET', path(`/commands/${sent.json.guid}`))).json.type).toBe('LOCK_APPLICATION');
    expect((await lab.ask('POST', path(), { type: 'LOCK_APPLICATION' })).json.message).toBe('type: LOCK_APPLICATION is for an application');
    expect((await lab.ask('POST', path('/applications/com.example.mail/commands'), { type: 'LOCK_DEVICE' })).json).toMatchObject({ id: 'INVALID_PROPERTY' });
    const own = await lab.ask('POST', path('/applications/com.example.mail/commands'), { type: 'LOCK_APPLICATION', properties: { applicationId: 'a' } });
    expect(own.json.id).toBe('UNKNOWN_PROPERTY');
    expect((await lab.ask('POST', path('/applications/Not%20An%20Id/commands'), { type: 'LOCK_APPLICATION' })).status).toBe(404);
  });

  it.each([
    ['UPDATE_DEVICE_OS', { installAction: 'SOON', osVersion: '19' }, 'properties.installAction: is not one of DOWNLOAD_ONLY, INSTALL'],
    ['UPDATE_DEVICE_OS', { installAction: 'INSTALL' }, 'properties.osVersion: is missing'],
    ['ENABLE_LOST_MODE', { phoneNumber: '', message: 'm' }, 'properties.phoneNumber: is not text of 1 to 1024 characters'],
    ['LOCK_DEVICE', { message: 'x'.repeat(1_025) }, 'properties.message: is not text of 1 to 1024 characters'],
  ])('%s with %j is refused with the name of the field', async (type, properties, message) => {
    await add('ios', 'mdm-controls');
    expect((await send(type, properties)).json).toMatchObject({ id: 'INVALID_PROPERTY', message });
  });
});

describe('GENERATE_DEVICE_PASSWORD_AND_LOCK', () => {
  it('tells the password that UEM made once, sends it to the device, and forgets it with the end of the command', async () => {
    await add('windows-10', 'mdm-controls');
    const sent = await send('GENERATE_DEVICE_PASSWORD_AND_LOCK');
    const { guid, generatedPassword } = sent.json;
    expect(atob(generatedPassword)).toMatch(/^[0-9a-z]{10,}$/);
    const kept = lab.store.read((view) => commandById(view, 'd1', guid));
    expect(decodeDocument(kept?.properties as Uint8Array)).toEqual({ password: generatedPassword });
    expect((await lab.ask('GET', path(`/commands/${guid}`))).text).not.toContain(generatedPassword);
    expect((await send('GENERATE_DEVICE_PASSWORD_AND_LOCK')).json.generatedPassword).not.toBe(generatedPassword);
    await lab.ask('DELETE', path(`/commands/${guid}`));
    expect(decodeDocument(lab.store.read((view) => commandById(view, 'd1', guid))?.properties as Uint8Array)).toEqual({});
    expect(JSON.stringify(lab.journal.entries())).not.toContain(generatedPassword);
  });

  it('mails the password to a user who has an address, and tells it nobody else', async () => {
    alice = await lab.admin.createUser({ username: 'bea', email: 'Bea@Example.com' });
    await add('windows-10', 'mdm-controls');
    const sent = await send('GENERATE_DEVICE_PASSWORD_AND_LOCK');
    expect([sent.status, sent.json.generatedPassword]).toEqual([201, undefined]);
    const kept = lab.store.read((view) => commandById(view, 'd1', sent.json.guid));
    const { password } = decodeDocument(kept?.properties as Uint8Array) as { readonly password: string };
    const mail = lab.admin.mail(sent.json.mail.guid);
    expect(mail).toMatchObject({ status: 'waiting', to: 'Bea@Example.com', templateId: 'device-password', deviceId: 'd1', step: 'F5.1' });
    for (const part of [mail.content?.text, mail.content?.html]) expect(part).toContain(atob(password));
    expect(mail.content?.subject).not.toContain(atob(password));
    const shown = await lab.ask('GET', `//lab/v1/mails/${mail.mailId}`);
    expect(shown.json).toMatchObject({ status: 'WAITING', device: { guid: 'd1' }, emailTemplate: { guid: 'device-password' } });
    for (const text of [sent.text, shown.text, JSON.stringify(lab.journal.entries())]) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(atob(password));
    }
    // A command that is refused mails nothing.
    await lab.addDevice(alice, 'd2', { info: info('ios'), activationType: 'mdm-controls' });
    expect((await lab.ask('POST', path('/commands', 'd2'), { type: 'GENERATE_DEVICE_PASSWORD_AND_LOCK' })).status).toBe(409);
    expect([...lab.admin.mails()]).toHaveLength(1);
  });

  it('takes no password of the administrator', async () => {
    await add('windows-10', 'mdm-controls');
    expect((await send('GENERATE_DEVICE_PASSWORD_AND_LOCK', { password: btoa('chosen by me') })).json.id).toBe('UNKNOWN_PROPERTY');
  });
});

describe('a command', () => {
  it.each([
    [new Uint8Array(32).fill(7), ['d1']],
    [undefined, []],
  ])('has the device woken after a restart when it has told how, and only then', async (pushToken, woken) => {
    await add('android-enterprise', 'work-and-personal-full-control', pushToken === undefined ? {} : { pushToken });
    expect((await send('LOCK_DEVICE')).status).toBe(201);
    expect(lab.store.read((view) => listDueWakeUps(view, { limit: 9 })).map(({ id }) => id)).toEqual(woken);
  });
});

describe('REMOVE_DEVICE', () => {
  const TOKEN = new Uint8Array(32).fill(7);

  it('is done at once, also when the queue is full, and wakes the device that it may hear of it', async () => {
    await add('macos', 'mdm-controls', { pushToken: TOKEN });
    for (let n = 0; n < 256; n++) expect((await send('LOCK_DEVICE')).status).toBe(201);
    expect((await send('LOCK_DEVICE')).json.id).toBe('QUEUE_FULL');
    const reply = await send('REMOVE_DEVICE');
    expect(reply.json).toMatchObject({ type: 'REMOVE_DEVICE', status: 'COMPLETED', finished: expect.any(String) });
    expect((await lab.ask('GET', path(''))).json).toMatchObject({ state: 'REMOVED', message: 'removed by the administrator' });
    expect([...lab.admin.commands('d1')].every(({ state, type }) => state === (type === 'REMOVE_DEVICE' ? 'done' : 'cancelled'))).toBe(true);
    expect(lab.store.read((view) => listDueWakeUps(view, { limit: 9 })).map(({ id }) => id)).toEqual(['d1']);
    expect(lab.woken.at(-1)).toBe('d1');
    expect((await send('REMOVE_DEVICE')).json.id).toBe('DEVICE_NOT_ACTIVE');
    expect((await lab.ask('GET', '/devices')).json.devices).toEqual([]);
  });

  it('leaves nothing to wake for a device that never told how', async () => {
    await add('macos', 'mdm-controls');
    await send('REMOVE_DEVICE');
    expect(lab.store.read((view) => listDueWakeUps(view, { limit: 9 }))).toEqual([]);
  });
});

describe('commands for many devices', () => {
  it('are refused for those that they do not apply to, remove at once, and take nothing that UEM fills in', async () => {
    await add('windows-10', 'mdm-controls');
    await lab.addDevice(alice, 'd2', { info: info('samsung-knox'), activationType: 'work-space-only' });
    const bulk = (type: string): Promise<Reply> => lab.ask('POST', '/deviceCommands', { commands: [{ type }], devices: ['d1', 'd2'] });
    const told = await lab.admin.sendCommands(['d1', 'd2'], [{ type: 'UNLOCK_DEVICE' }]);
    expect(told).toEqual([
      { deviceId: 'd1', problem: 'COMMAND_NOT_APPLICABLE' },
      { deviceId: 'd2', commandIds: [expect.any(String)] },
    ]);
    for (const type of ['GENERATE_DEVICE_PASSWORD_AND_LOCK', 'LOCK_APPLICATION']) expect((await bulk(type)).json.id).toBe('INVALID_PROPERTY');
    await bulk('REMOVE_DEVICE');
    expect(['d1', 'd2'].map((device) => lab.admin.device(device).status)).toEqual(['removed', 'removed']);
  });
});

describe('deletion as a compliance action', () => {
  it('degrades to the work data under user privacy, and is nothing on a device that is only known', () => {
    const of = (platform: string, activationType: string): string | undefined => complianceDeletion({ platform, activationType }, true);
    expect(of('ios', 'mdm-controls')).toBe('DELETE_DEVICE_DATA');
    expect(of('samsung-knox', 'work-and-personal-user-privacy')).toBe('DELETE_WORK_SPACE_DATA');
    expect(of('ios', 'user-privacy')).toBe('DELETE_WORK_SPACE_DATA');
    expect(of('toaster', 'mdm-controls')).toBe('DELETE_WORK_SPACE_DATA');
    expect(of('ios', '2fa-registration')).toBeUndefined();
    expect(complianceDeletion({ platform: 'ios', activationType: 'mdm-controls' }, false)).toBe('DELETE_WORK_SPACE_DATA');
  });
});

describe('100,000 commands for one device', () => {
  it('are refused from the 257th on, and the store does not grow with those that are', { timeout: 120_000 }, async () => {
    await add('ios', 'mdm-controls');
    const outcomes = new Map<string, number>();
    const weights: (readonly number[])[] = [];
    for (let n = 0; n < 100_000; n++) {
      const outcome = await lab.admin.sendCommand('d1', { type: 'LOCK_DEVICE', properties: { message: 'x' } }).then(
        () => 'taken',
        ({ id }) => String(id),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (n === 300 || n === 99_999) weights.push(weight());
    }
    expect(Object.fromEntries(outcomes)).toEqual({ taken: 256, QUEUE_FULL: 99_744 });
    expect(weights[1]).toEqual(weights[0]);
  });
});
