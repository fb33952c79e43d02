import { toHex } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_SERVICE_APPS, servicesDocument } from '../../src/configuration/service-apps.ts';
import type { AppInstanceRecord } from '../../src/state/app-instances.ts';
import { putAppInstance } from '../../src/state/app-instances.ts';
import { deviceById, putDevice } from '../../src/state/devices.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

const idOf = (name: string, platform = 'android'): string => `${platform}:com.example.${name}:${'ab'.repeat(32)}`;
const [MAIL, PRINT] = ['1'.repeat(32), '2'.repeat(32)];
const SERVICE = { serviceId: 'com.example.print', version: '1.0.0.0' };

let lab: AdminLab;
let alice: UserRecord;
let bob: UserRecord;
const guids = new Map<string, string>();

async function application(name: string, more: object = {}): Promise<void> {
  const made = await lab.admin.createApplication({
    ...{ applicationId: `com.example.${name}`, name, version: '1', platforms: ['ANDROID'], platformIds: [idOf(name), idOf(name, 'knox')] },
    ...more,
  });
  guids.set(name, made.guid);
  for (const { guid } of [alice, bob]) await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: made.guid }, 'OPTIONAL');
}

const install = (instanceId: string, name: string, more: Partial<AppInstanceRecord> = {}) =>
  lab.addApp(alice, instanceId, { appId: `com.example.${name}`, deviceId: 'd1', platformId: idOf(name), ...more });

/** What the app with this id is told. */
// biome-ignore lint/suspicious/noExplicitAny: a document
const told = (app: AppInstanceRecord): Promise<any> =>
  lab.store.transaction((tx) => servicesDocument({ crypto: lab.crypto, entropy: seededEntropy('services') }, tx, app, lab.clock.nowMs()));

let mail: AppInstanceRecord;
let print: AppInstanceRecord;

beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice' });
  bob = await lab.admin.createUser({ username: 'bob' });
  await lab.addDevice(alice, 'd1');
  await lab.addDevice(alice, 'd2');
  await lab.addDevice(bob, 'd3');
  await application('mail');
  await application('print', { services: [SERVICE, { ...SERVICE, version: '2.0' }] });
  await application('notes');
  mail = await install(MAIL, 'mail');
  print = await install(PRINT, 'print');
});

describe('what apps are told of each other', () => {
  it('who offers what, and one key for each direction that is used; both are told the same', async () => {
    const [of, to] = [await told(mail), await told(print)];
    expect(of).toEqual({
      offers: [],
      platformId: idOf('mail'),
      apps: [
        {
          ...{ instanceId: new Uint8Array(16).fill(0x22), applicationId: 'com.example.print', name: 'print', version: '1.0.0.0', platformId: idOf('print') },
          services: [SERVICE, { ...SERVICE, version: '2.0' }],
          sendKey: expect.any(Uint8Array),
        },
      ],
    });
    expect(to).toEqual({
      offers: [SERVICE, { ...SERVICE, version: '2.0' }],
      platformId: idOf('print'),
      apps: [
        {
          ...{ instanceId: new Uint8Array(16).fill(0x11), applicationId: 'com.example.mail', name: 'mail', version: '1.0.0.0', platformId: idOf('mail') },
          ...{ services: [], receiveKey: of.apps[0].sendKey },
        },
      ],
    });
    expect(await told(mail)).toEqual(of);
    const notes = await install('3'.repeat(32), 'notes');
    const third = await told(notes);
    expect(third.apps.map(({ applicationId }: { applicationId: string }) => applicationId)).toEqual(['com.example.print']);
    expect(third.apps[0].sendKey).not.toEqual(of.apps[0].sendKey);
    expect((await told(print)).apps).toHaveLength(2);
    expect((await told(mail)).apps).toHaveLength(1);
  });

  it('two that offer have both keys, which are different', async () => {
    await lab.admin.updateApplication(guids.get('mail') as string, {
      ...{ applicationId: 'com.example.mail', name: 'mail', version: '1', platforms: ['ANDROID'], platformIds: [idOf('mail')], services: [SERVICE] },
    });
    const [[a], [b]] = [(await told(mail)).apps, (await told(print)).apps];
    expect([a.sendKey, a.receiveKey]).toEqual([b.receiveKey, b.sendKey]);
    expect(a.sendKey).not.toEqual(a.receiveKey);
  });

  it('nothing when nobody offers anything', async () => {
    await lab.admin.updateApplication(guids.get('print') as string, {
      ...{ applicationId: 'com.example.print', name: 'print', version: '1', platforms: ['ANDROID'], platformIds: [idOf('print')] },
    });
    expect([await told(mail), await told(print)]).toEqual([undefined, undefined]);
  });

  it(`at most ${MAX_SERVICE_APPS} of them, the last ones`, async () => {
    for (let n = 0; n < MAX_SERVICE_APPS + 4; n++) await install(n.toString(16).padStart(32, '9'), 'notes', { activatedAtMs: lab.clock.nowMs() + n });
    const { apps } = await told(print);
    expect(apps).toHaveLength(MAX_SERVICE_APPS);
    expect(apps.map(({ instanceId }: { instanceId: Uint8Array }) => toHex(instanceId))).toContain((MAX_SERVICE_APPS + 3).toString(16).padStart(32, '9'));
    expect(apps.map(({ instanceId }: { instanceId: Uint8Array }) => toHex(instanceId))).not.toContain(MAIL);
  });
});

describe('apps are not told of', () => {
  const nobody = { offers: [SERVICE, { ...SERVICE, version: '2.0' }], platformId: idOf('print'), apps: [] };
  const change = (more: Partial<AppInstanceRecord>) => lab.store.transaction((tx) => putAppInstance(tx, { ...mail, ...more }));

  it.each<[string, () => unknown]>([
    ['one of another user', () => change({ userGuid: bob.guid, deviceId: 'd3' })],
    ['one of another user that says it is on this device', () => change({ userGuid: bob.guid })],
    ['one on another device of the user', () => change({ deviceId: 'd2' })],
    ['one whose device is not known: its key was typed', () => change({ deviceId: undefined })],
    ['one whose package is not known', () => change({ platformId: undefined })],
    ['one whose package is not that of the catalogue', () => change({ platformId: idOf('other') })],
    ['one in another space of the device', () => change({ platformId: idOf('mail', 'knox') })],
    ['one that is ending', () => change({ endingSinceMs: 1 })],
    ['one whose session key is out of date', () => change({ sessionKeyExpiresAtMs: lab.clock.nowMs() })],
    ['one that is not assigned any more', () => lab.admin.unassign({ kind: 'user', id: alice.guid }, { kind: 'application', id: guids.get('mail') as string })],
    ['one that the console wipes', () => lab.admin.commandDynamicsApp(alice.guid, MAIL, { type: 'DELETE_APPLICATION' })],
    ['one that the console blocks', () => lab.admin.commandDynamicsApp(alice.guid, MAIL, { type: 'BLOCK_APPLICATION', title: 'x', body: 'y', actionId: 'z' })],
    ['one that the console locks', () => lab.admin.commandDynamicsApp(alice.guid, MAIL, { type: 'LOCK_APPLICATION' })],
  ])('%s', async (_name, work) => {
    expect((await told(print)).apps).toHaveLength(1);
    await work();
    expect(await told(print)).toEqual(nobody);
  });

  it('any, when they are closed or unknown themselves', async () => {
    for (const app of [
      { ...print, deviceId: undefined },
      { ...print, platformId: undefined },
      { ...print, endingSinceMs: 1 },
    ])
      expect(await told(app)).toBe(undefined);
    await lab.admin.commandDynamicsApp(alice.guid, PRINT, { type: 'BLOCK_APPLICATION', title: 'x', body: 'y', actionId: 'z' });
    expect(await told(print)).toBe(undefined);
    expect(await told(mail)).toBe(undefined);
    await lab.admin.commandDynamicsApp(alice.guid, PRINT, { type: 'UNBLOCK_APPLICATION', actionId: 'z' });
    expect((await told(mail)).apps).toHaveLength(1);
  });

  it('any, when the device has ended', async () => {
    const device = lab.store.read((view) => deviceById(view, 'd1'));
    await lab.store.transaction((tx) => putDevice(tx, { ...(device as NonNullable<typeof device>), status: 'removed' }));
    expect([await told(mail), await told(print)]).toEqual([undefined, undefined]);
  });
});
