import { fromBase64url, keySchedule, secret, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { AUTHORIZATION_MS } from '../../src/rest/authorization.ts';
import { activationSecret } from '../../src/state/activation-secrets.ts';
import { commandById, finishCommand } from '../../src/state/command-queue.ts';
import { deviceById } from '../../src/state/devices.ts';
import { encodeDocument } from '../../src/state/inventory.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab, PASSWORD, TENANT } from '../support/admin-lab.ts';

let lab: AdminLab;
let alice: UserRecord;

const everything = (): string => lab.contents();

beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'Alice' });
});

describe('the salt of an activation secret', () => {
  it('is the one that A2 gives without a secret, so that it never changes', async () => {
    for (const kind of ['password', 'qr'] as const) {
      const without = keySchedule.fakeSalt(nodeCrypto(), secret(new Uint8Array(32)), alice.userId, kind);
      for (let round = 0; round < 2; round++) {
        if (kind === 'qr') await lab.admin.createQrCode(alice.guid, {});
        else await lab.admin.setActivationPassword(alice.guid, {});
        expect(lab.store.read((view) => activationSecret(view, alice.guid, kind))?.salt).toEqual(without);
      }
    }
  });
});

describe('a refused body', () => {
  it.each([
    ['/activationPasswords', { activationPasswords: [{ password: 4711471147 }] }],
    ['/activationPasswords', { activationPasswords: [{ qrCode: '4711471147' }] }],
    ['/util/authorization', { username: 'admin', password: 4711471147 }],
    ['/util/authorization', { username: 'admin', password: 'AAAA', provider: '4711471147' }],
  ])('at %s is not quoted, neither in the answer nor in the journal', async (path, body) => {
    const reply = await lab.ask('POST', path === '/activationPasswords' ? `/users/${alice.guid}${path}` : path, body);
    expect(reply).toMatchObject({ status: 400, json: { id: 'INVALID_PROPERTY' } });
    expect(JSON.stringify([reply, lab.journal.entries()])).not.toContain('4711');
  });

  it('with text that is no Unicode is the fault of the caller, and the answer says where, wherever it is', async () => {
    const users = (more: object) => lab.ask('POST', '/users', { username: 'bob', ...more });
    for (const field of ['displayName', 'emailAddress', 'firstName'])
      expect(await users({ [field]: '\ud800' })).toMatchObject({ status: 400, json: { id: 'INVALID_PROPERTY', message: `${field}: is no Unicode text` } });
    expect((await users({ 'na\udfffme': 1 })).json).toMatchObject({ id: 'INVALID_PROPERTY', message: 'na\ufffdme: is no Unicode text' });
    const { profileId: _, ...profile } = lab.admin.profile('default');
    const put = (more: object) => lab.ask('PUT', '//lab/v1/profiles/other', { ...profile, ...more });
    for (const [place, more] of Object.entries({
      organizationNotice: { organizationNotice: 'x\udc00' },
      'modelRestriction.models.0': { modelRestriction: { rule: 'allow', models: ['\ud800'] } },
    }))
      expect((await put(more)).json).toMatchObject({ id: 'INVALID_PROPERTY', message: `${place}: is no Unicode text` });
    expect((await put({ organizationNotice: 'a whole pair: \ud83d\ude00' })).status).toBe(200);
    const deep = `{"username":${'['.repeat(20_000)}"\\ud800"${']'.repeat(20_000)}}`;
    expect((await lab.ask('POST', '/users', deep)).json).toMatchObject({ id: 'BAD_REQUEST' });
  });
});

describe('who may', () => {
  it('anybody pings, nobody else does anything without credentials', async () => {
    const none = { authorization: '' };
    expect((await lab.ask('GET', '/util/ping', undefined, none)).status).toBe(200);
    for (const path of ['/ping', '/users', '/devices', '//lab/v1/faults', '/no/such/path']) {
      const reply = await lab.ask('GET', path, undefined, none);
      expect([path, reply.status, reply.json]).toEqual([path, 401, { id: 'NOT_AUTHENTICATED', subStatusCode: 401, message: expect.any(String) }]);
      expect(reply.headers['www-authenticate']).toMatch(/^Basic /);
      expect(reply.headers['content-type']).toBe('application/vnd.blackberry.error-v1+json');
    }
  });

  it('POST /util/authorization gives a value for the header as text/plain; it ends after its time', async () => {
    const password = Buffer.from(PASSWORD).toString('base64');
    const reply = await lab.ask('POST', '/util/authorization', { username: 'admin', password, provider: 'LOCAL' }, { authorization: '' });
    expect(reply.headers['content-type']).toMatch(/^text\/plain/);
    const authorization = reply.text;
    expect((await lab.ask('GET', '/ping', undefined, { authorization })).status).toBe(200);
    const changed = `${authorization.slice(0, -1)}${authorization.endsWith('A') ? 'B' : 'A'}`;
    expect((await lab.ask('GET', '/ping', undefined, { authorization: changed })).status).toBe(401);
    await lab.clock.advance(AUTHORIZATION_MS);
    expect((await lab.ask('GET', '/ping', undefined, { authorization })).status).toBe(401);
  });

  it.each([
    ['another password', 'admin', 'wrong'],
    ['another user', 'root', PASSWORD],
  ])('refuses %s', async (_what, username, password) => {
    const body = { username, password: Buffer.from(password).toString('base64') };
    expect((await lab.ask('POST', '/util/authorization', body, { authorization: '' })).status).toBe(401);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    expect((await lab.ask('GET', '/ping', undefined, { authorization })).status).toBe(401);
  });

  it.each(['Uemkit', 'Uemkit !', 'Basic', 'Basic !!!', 'Bearer x', `Uemkit ${'A'.repeat(75)}`])('refuses the header %o', async (authorization) => {
    expect((await lab.ask('GET', '/ping', undefined, { authorization })).status).toBe(401);
  });
});

describe('users', () => {
  it('are created, read, listed and registered at the Infrastructure', async () => {
    const created = await lab.ask(
      'POST',
      '/users',
      { username: ' Bob@Example.com', displayName: 'Bob', emailAddress: 'bob@example.com' },
      { 'content-type': 'application/vnd.blackberry.user-v1+json' },
    );
    expect(created.status).toBe(201);
    expect(created.headers['content-type']).toBe('application/vnd.blackberry.userdetail-v1+json');
    const { guid } = created.json;
    expect(created.headers['location']).toBe(`/${TENANT}/api/v1/users/${guid}`);
    expect((await lab.ask('GET', `/users/${guid}`)).json).toMatchObject({
      guid,
      username: 'Bob@Example.com',
      displayName: 'Bob',
      emailAddress: 'bob@example.com',
    });
    expect(lab.isRegistered('bob@example.com')).toBe(true);
    expect((await lab.ask('GET', '/users')).json.users).toHaveLength(2);
  });

  it('leave unset fields out', async () => {
    expect(Object.keys((await lab.ask('GET', `/users/${alice.guid}`)).json)).toEqual(['guid', 'username', 'displayName', 'created', 'links']);
  });

  it('have one name each, in any of its written forms', async () => {
    const reply = await lab.ask('POST', '/users', { username: ' ALICE ' });
    expect([reply.status, reply.json.id]).toEqual([409, 'USER_EXISTS']);
  });

  it('with devices are not deleted, without they are', async () => {
    const device = await lab.addDevice(alice, 'd1');
    expect((await lab.ask('DELETE', `/users/${alice.guid}`)).json.id).toBe('USER_HAS_DEVICES');
    await lab.admin.removeDevice(device.deviceId);
    await lab.admin.createQrCode(alice.guid);
    expect((await lab.ask('DELETE', `/users/${alice.guid}`)).status).toBe(204);
    expect((await lab.ask('GET', `/users/${alice.guid}`)).json).toMatchObject({ id: 'USER_NOT_FOUND' });
    expect(lab.isRegistered('alice')).toBe(false);
    expect(lab.store.read((view) => activationSecret(view, alice.guid, 'qr'))).toBeUndefined();
  });

  it('whose device never confirmed its activation are deleted, and that device ends', async () => {
    const { deviceId } = await lab.addDevice(alice, 'd1', { status: 'pending', secretId: 'secret' });
    expect((await lab.ask('DELETE', `/users/${alice.guid}`)).status).toBe(204);
    expect(lab.store.read((view) => deviceById(view, deviceId))).toMatchObject({ status: 'removed', message: 'its user was deleted' });
  });

  it('are paged, sorted and searched', async () => {
    for (const name of ['carol', 'bob', 'bea', 'dave']) await lab.admin.createUser({ username: name });
    const names = (reply: { json: { users: { username: string }[] } }): string[] => reply.json.users.map(({ username }) => username);
    const first = await lab.ask('GET', '/users?max=2&sortBy=username');
    expect(names(first)).toEqual(['Alice', 'bea']);
    expect(first.json.links).toEqual([{ rel: 'next', href: `/${TENANT}/api/v1/users?max=2&offset=2&sortBy=username` }]);
    const second = await lab.ask('GET', '/users?max=2&sortBy=username&offset=2');
    expect(names(second)).toEqual(['bob', 'carol']);
    expect(second.json.links.map(({ rel }: { rel: string }) => rel)).toEqual(['prev', 'next']);
    const last = await lab.ask('GET', '/users?max=2&sortBy=username&offset=4');
    expect([names(last), last.json.links.map(({ rel }: { rel: string }) => rel)]).toEqual([['dave'], ['prev']]);
    expect(names(await lab.ask('GET', '/users?sortBy=username+DESC&max=1'))).toEqual(['dave']);
    expect(names(await lab.ask('GET', '/users?query=username=B*&sortBy=username'))).toEqual(['bea', 'bob']);
    expect(names(await lab.ask('GET', '/users?query=username=alice'))).toEqual(['Alice']);
    expect(names(await lab.ask('GET', '/users?query=username=ali'))).toEqual([]);
  });

  it.each(['max=0', 'max=1001', 'max=x', 'max=1&max=2', 'offset=-1', 'sortBy=shoe', 'sortBy=username UP', 'query=username', 'query=shoe=1', 'limit=1'])(
    'refuse the query %s',
    async (query) => {
      const reply = await lab.ask('GET', `/users?${query}`);
      expect([reply.status, reply.json.id]).toEqual([400, 'INVALID_QUERY']);
    },
  );

  it('5,000 of them are created in bulk, and listed', async () => {
    await Promise.all(Array.from({ length: 5_000 }, (_, index) => lab.admin.createUser({ username: `user-${index}` })));
    const page = await lab.ask('GET', '/users?max=1000&offset=5000');
    expect(page.json.users).toHaveLength(1);
  });
});

describe('activation passwords (F1.1)', () => {
  it('are generated when none is given, told once, and kept as a verifier', async () => {
    const reply = await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{ password: null, expireAfterUse: false }] });
    expect(reply.status).toBe(201);
    const [issued] = reply.json.activationPasswords;
    const password = Buffer.from(issued.password, 'base64').toString();
    expect(password).toMatch(/^[0-9a-z]{10}$/);
    const listed = await lab.ask('GET', `/users/${alice.guid}/activationPasswords`);
    expect(listed.json.activationPasswords).toMatchObject([
      { kind: 'PASSWORD', expireAfterUse: false, triesLeft: 5, expiry: new Date(Date.UTC(2026, 0, 31)).toISOString() },
    ]);
    expect(JSON.stringify(listed.json)).not.toContain(issued.password);
    expect(everything()).not.toContain(toHex(new TextEncoder().encode(password)));
  });

  it('may be chosen, with an end', async () => {
    const expiry = new Date(lab.clock.nowMs() + 3_600_000).toISOString();
    const password = Buffer.from('correct horse').toString('base64');
    const reply = await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{ password, expiry }] });
    expect(reply.json.activationPasswords).toEqual([{ kind: 'PASSWORD', paired: false, password, expiry, expireAfterUse: true }]);
  });

  it('come as the content of a QR code when asked for', async () => {
    const reply = await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{ qrCode: true }] });
    const [{ qrCodeContent, kind }] = reply.json.activationPasswords;
    expect(kind).toBe('QR_CODE');
    const content = wire.qrCode.decode(wire.decodeCbor(fromBase64url(qrCodeContent)), 'qr');
    expect(content).toMatchObject({ format: 1, host: '127.0.0.1:4433', userId: 'alice', coreId: 'core-1', spkiPin: new Uint8Array(32).fill(9) });
    const stored = lab.store.read((view) => activationSecret(view, alice.guid, 'qr'));
    expect(stored?.expiresAtMs).toBe(content.expiryEpochS * 1_000);
    const again = await lab.admin.createQrCode(alice.guid);
    expect(again.content).not.toBe(qrCodeContent);
  });

  it('one of each kind at a time; deleting them deletes both', async () => {
    await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{ qrCode: true }, {}] });
    expect((await lab.ask('GET', `/users/${alice.guid}/activationPasswords`)).json.activationPasswords).toHaveLength(2);
    expect((await lab.ask('DELETE', `/users/${alice.guid}/activationPasswords`)).status).toBe(204);
    expect((await lab.ask('GET', `/users/${alice.guid}/activationPasswords`)).json.activationPasswords).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['a password that is too short', { password: Buffer.from('short').toString('base64') }, 'password'],
    ['a password that is not base64', { password: 'not base64!' }, 'activationPasswords.0.password'],
    ['a password that is not UTF-8', { password: '////' }, 'activationPasswords.0.password'],
    ['a chosen secret for a QR code', { qrCode: true, password: Buffer.from('correct horse').toString('base64') }, 'activationPasswords.0.password'],
    ['an end in the past', { expiry: '2020-01-01T00:00:00Z' }, 'expiry'],
    ['an end in a year', { expiry: '2027-01-01T00:00:00Z' }, 'expiry'],
    ['an end that is no time', { expiry: 'tomorrow' }, 'activationPasswords.0.expiry'],
    ['a property that there is not', { colour: 'red' }, 'activationPasswords.0.colour'],
  ])('refuse %s and change nothing', async (_what, one, field) => {
    const before = everything();
    const reply = await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [one] });
    expect(reply.status).toBe(400);
    expect(reply.json.message).toMatch(new RegExp(`^${field.replaceAll('.', '\\.')}:? `));
    expect(everything()).toBe(before);
  });

  it('refuse a profile that there is not', async () => {
    const reply = await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{ activationProfile: { guid: 'nothing' } }] });
    expect([reply.status, reply.json.id]).toEqual([404, 'PROFILE_NOT_FOUND']);
  });
});

describe('devices and commands (F5.1)', () => {
  const path = (device = 'd1'): string => `/users/${alice.guid}/userDevices/${device}`;

  it('are shown with the documented field names', async () => {
    await lab.addDevice(alice, 'd1');
    expect((await lab.ask('GET', path())).json).toMatchObject({
      guid: 'd1',
      enrollmentType: ['WORK_AND_PERSONAL_FULL_CONTROL'],
      clientVersion: '1.0',
      lastContactTime: '2026-01-01T00:00:00.000Z',
      device: {
        guid: 'd1',
        activationDate: '2026-01-01T00:00:00.000Z',
        os: 'ios',
        osFamilyName: 'iOS',
        osVersion: '18.1',
        hardwareModel: 'iPhone',
        serialNumber: 'S-d1',
      },
      user: { guid: alice.guid, username: 'alice' },
    });
    expect((await lab.ask('GET', `/users/${alice.guid}/userDevices`)).json.userDevices).toHaveLength(1);
  });

  it('pages of 1,000 list every device that counts once', async () => {
    for (let index = 0; index < 2_100; index++) await lab.addDevice(alice, `d${index}`, { status: index % 21 === 0 ? 'pending' : 'active' });
    const guids = new Set<string>();
    let target = '/devices?max=1000';
    for (let pages = 0; pages < 5; pages++) {
      const { json } = await lab.ask('GET', target);
      for (const { guid } of json.devices) guids.add(guid);
      const next = json.links.find(({ rel }: { rel: string }) => rel === 'next');
      if (next === undefined) break;
      target = next.href.slice(`/${TENANT}/api/v1`.length);
    }
    expect(guids.size).toBe(2_000);
  });

  it.each(['guid', 'username', 'os', 'osVersion', 'hardwareModel', 'serialNumber', 'lastContactTime', 'activationDate'])(
    'are sorted by %s, both ways',
    async (field) => {
      const nowMs = lab.clock.nowMs();
      const info = { platform: 'macos', osVersion: '15', model: 'MacBook', clientVersion: '1.0', serialNumber: 'A' };
      await lab.addDevice(alice, 'd2', { lastContactMs: nowMs + 5_000, activatedAtMs: nowMs + 5_000 });
      await lab.addDevice(alice, 'd1', { info });
      const guids = async (order: string): Promise<string[]> =>
        (await lab.ask('GET', `/devices?sortBy=${order}`)).json.devices.map(({ guid }: { guid: string }) => guid);
      // Both have one user, so by user name they stay in the order in which they are kept.
      const down = field === 'username' ? ['d1', 'd2'] : (await guids(field)).toReversed();
      expect(await guids(`${field}+DESC`)).toEqual(down);
      if (field === 'guid' || field === 'lastContactTime') expect(await guids(field)).toEqual(['d1', 'd2']);
      if (field === 'os') expect(await guids(field)).toEqual(['d2', 'd1']);
    },
  );

  it('a command is queued, its device woken, its end read', async () => {
    await lab.addDevice(alice, 'd1');
    const sent = await lab.ask(
      'POST',
      `${path()}/commands`,
      { type: 'LOCK_DEVICE', properties: { message: 'Come to the desk' } },
      { 'content-type': 'application/vnd.blackberry.command-v1+json' },
    );
    expect([sent.status, sent.json.type, sent.json.status]).toEqual([201, 'LOCK_DEVICE', 'QUEUED']);
    expect(lab.woken).toEqual(['d1']);
    const { guid } = sent.json;
    await lab.store.transaction((tx) => {
      const command = commandById(tx, 'd1', guid);
      if (command !== undefined)
        finishCommand(tx, command, {
          state: 'failed',
          finishedAtMs: lab.clock.nowMs(),
          message: 'no password set',
          data: encodeDocument({ answer: 42, raw: new Uint8Array([1, 2]) }),
        });
    });
    expect((await lab.ask('GET', `${path()}/commands/${guid}`)).json).toMatchObject({
      guid,
      status: 'FAILED',
      message: 'no password set',
      data: { answer: 42, raw: '0102' },
    });
    expect((await lab.ask('GET', `${path()}/commands`)).json.commands).toHaveLength(1);
  });

  it('a command that waits can be taken back, one that has ended cannot', async () => {
    await lab.addDevice(alice, 'd1');
    const { guid } = (await lab.ask('POST', `${path()}/commands`, { type: 'REQUEST_DEVICE_INFO' })).json;
    expect((await lab.ask('DELETE', `${path()}/commands/${guid}`)).json.status).toBe('CANCELLED');
    expect((await lab.ask('DELETE', `${path()}/commands/${guid}`)).json.id).toBe('COMMAND_SENT');
  });

  it.each<[string, object, string]>([
    ['an unknown type', { type: 'DANCE' }, 'type:'],
    ['a type of Object.prototype', { type: 'toString' }, 'type:'],
    ['no type', {}, 'type:'],
    ['an unknown property', { type: 'LOCK_DEVICE', properties: { loud: true } }, 'properties.loud:'],
    ['a password that is not base64', { type: 'LOCK_DEVICE', properties: { password: '???' } }, 'properties.password:'],
    ['an update of the configuration, which follows from policies', { type: 'UPDATE_IT_POLICY', properties: { revision: 1, set: {} } }, 'type:'],
    ['an end in the past', { type: 'LOCK_DEVICE', expiry: '2020-01-01T00:00:00Z' }, 'expiry:'],
    ['an unknown field', { type: 'LOCK_DEVICE', priority: 1 }, 'priority:'],
  ])('refuse %s and change nothing', async (_what, command, field) => {
    await lab.addDevice(alice, 'd1');
    const before = everything();
    const reply = await lab.ask('POST', `${path()}/commands`, command);
    expect(reply.status).toBe(400);
    expect(reply.json.message.startsWith(field)).toBe(true);
    expect(everything()).toBe(before);
    expect(lab.woken).toEqual([]);
  });

  it('refuse a device of another user, a removed device, a pending one', async () => {
    const bob = await lab.admin.createUser({ username: 'bob' });
    await lab.addDevice(bob, 'd2');
    await lab.addDevice(alice, 'd3', { status: 'pending' });
    expect((await lab.ask('GET', path('d2'))).json.id).toBe('DEVICE_NOT_FOUND');
    expect((await lab.ask('GET', path('d3'))).json.id).toBe('DEVICE_NOT_FOUND');
    await lab.addDevice(alice, 'd1');
    expect((await lab.ask('DELETE', path())).status).toBe(204);
    expect((await lab.ask('POST', `${path()}/commands`, { type: 'LOCK_DEVICE' })).json.id).toBe('DEVICE_NOT_ACTIVE');
    expect((await lab.ask('DELETE', path())).json.id).toBe('DEVICE_NOT_ACTIVE');
    expect((await lab.ask('GET', path())).json.state).toBe('REMOVED');
  });

  it('a full queue is a 409', async () => {
    await lab.addDevice(alice, 'd1');
    const send = (): ReturnType<AdminLab['ask']> => lab.ask('POST', `${path()}/commands`, { type: 'LOCK_DEVICE' });
    for (let n = 0; n < 256; n++) expect((await send()).status).toBe(201);
    const reply = await send();
    expect([reply.status, reply.json.id]).toEqual([409, 'QUEUE_FULL']);
  });
});

describe('what is refused', () => {
  it('an unknown path is 404 and loud in the journal, another tenant is 404', async () => {
    expect((await lab.ask('GET', '/shoes')).json).toMatchObject({ id: 'NOT_FOUND', subStatusCode: 404 });
    expect(() => lab.journal.assertNoUnknownRequests()).toThrow();
    expect((await lab.ask('GET', '//other/api/v1/users')).json.id).toBe('TENANT_NOT_FOUND');
  });

  it('another method is 405 with the ones that there are', async () => {
    const reply = await lab.ask('PUT', '/users', {});
    expect([reply.status, reply.headers['allow']]).toEqual([405, 'GET, POST']);
  });

  it('another media type is 415, no JSON is 400', async () => {
    expect((await lab.ask('POST', '/users', { username: 'x' }, { 'content-type': 'text/plain' })).json.id).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect((await lab.ask('POST', '/users', { username: 'x' }, { 'content-type': 'application/vnd.blackberry.command-v1+json' })).status).toBe(415);
    for (const body of ['{', '', new Uint8Array([0xff]), 'nothing']) expect((await lab.ask('POST', '/users', body)).json.id).toBe('BAD_REQUEST');
  });

  it('an unknown property names its field', async () => {
    const reply = await lab.ask('POST', '/users', { username: 'x', shoeSize: 43 });
    expect(reply.json).toEqual({ id: 'UNKNOWN_PROPERTY', subStatusCode: 1002, message: 'shoeSize: there is no such property' });
    expect((await lab.ask('POST', '/users', { username: 7 })).json.message).toMatch(/^username: /);
    expect((await lab.ask('POST', '/users', {})).json.message).toBe('username: is missing');
    expect((await lab.ask('POST', '/users', 'null')).json.message).toMatch(/^body: /);
  });

  it.each(['..', '%2e%2e', 'a%2Fb', '%ff', 'x'.repeat(1_000), '%00', 'ä'])('the id %o names nothing and does no harm', async (id) => {
    expect((await lab.ask('GET', `/users/${id}`)).status).toBe(404);
    expect((await lab.ask('DELETE', `/users/${id}`)).status).toBe(404);
  });

  it('a full disk is a 503 that changes nothing', async () => {
    lab.store.fault = 'disk-full';
    const reply = await lab.ask('POST', '/users', { username: 'bob' });
    expect([reply.status, reply.json.id, reply.headers['retry-after']]).toEqual([503, 'BUSY', '1']);
    lab.store.fault = undefined;
    expect(lab.admin.userByName('bob')).toBeUndefined();
    expect(lab.isRegistered('bob')).toBe(false);
  });

  it('a bug is a 500 without a word of it; the journal has it', async () => {
    await lab.store.close();
    const reply = await lab.ask('GET', '/users');
    expect(reply.json).toEqual({ id: 'INTERNAL', subStatusCode: 500, message: 'this is a bug of the lab server; its journal has more' });
    expect(lab.journal.entries().at(-1)?.reason).toMatch(/the store is closed/);
  });

  it('1,000 random bodies and paths give an answer below 500 and change nothing', async () => {
    const random = seededEntropy('rest');
    const before = everything();
    const words = ['users', 'devices', alice.guid, 'activationPasswords', 'commands', '%', '', '{}', 'userDevices', 'null'];
    for (let round = 0; round < 1_000; round++) {
      const path = Array.from({ length: random.below(6) }, () => words[random.below(words.length)]).join('/');
      const body = random.chance(0.5) ? random.randomBytes(random.below(100)) : JSON.stringify([null, {}, 1, { activationPasswords: {} }][random.below(4)]);
      const method = ['GET', 'POST', 'PUT', 'PATCH'][random.below(4)] as string;
      expect((await lab.ask(method, `/${path}`, body)).status).toBeLessThan(500);
    }
    expect(everything()).toBe(before);
  });
});

describe('the lab itself', () => {
  it('faults are set, listed with what they did, and removed', async () => {
    const added = await lab.ask('POST', '//lab/v1/faults', { kind: 'drop', role: 'notification', service: 'wakeUp', share: 0.1, seed: 7 });
    expect([added.status, added.json.id]).toEqual([201, 'fault-1']);
    const put = await lab.ask('PUT', '//lab/v1/faults', {
      faults: [
        { kind: 'delay', delayMs: 100 },
        { kind: 'status', status: 503 },
      ],
    });
    expect(put.json.faults).toMatchObject([{ kind: 'delay', seen: 0, applied: 0 }, { kind: 'status' }]);
    const [{ id }] = put.json.faults;
    expect((await lab.ask('DELETE', `//lab/v1/faults/${id}`)).status).toBe(204);
    expect((await lab.ask('DELETE', `//lab/v1/faults/${id}`)).json.id).toBe('FAULT_NOT_FOUND');
    expect((await lab.ask('DELETE', '//lab/v1/faults')).status).toBe(204);
    expect((await lab.ask('GET', '//lab/v1/faults')).json).toEqual({ faults: [] });
  });

  it('a refused list of faults changes nothing', async () => {
    await lab.ask('POST', '//lab/v1/faults', { kind: 'drop' });
    const reply = await lab.ask('PUT', '//lab/v1/faults', { faults: [{ kind: 'refuse' }, { kind: 'delay' }] });
    expect(reply.status).toBe(400);
    expect(lab.faults.list()).toMatchObject([{ kind: 'drop' }]);
    expect((await lab.ask('POST', '//lab/v1/faults', { kind: 'drop', shere: 0.5 })).json.message).toBe('shere: there is no such property');
  });

  it('the journal has every request, from a number on, of one device', async () => {
    const { last } = (await lab.ask('GET', '//lab/v1/journal')).json;
    await lab.addDevice(alice, 'd1');
    await lab.ask('POST', `/users/${alice.guid}/userDevices/d1/commands`, { type: 'LOCK_DEVICE' });
    const { entries } = (await lab.ask('GET', `//lab/v1/journal?after=${last}`)).json;
    expect(entries.map(({ request }: { request: string }) => request.split(' ')[0])).toEqual(['GET', 'POST']);
    expect((await lab.ask('GET', '//lab/v1/journal?device=d1')).json.entries).toMatchObject([{ deviceId: 'd1', answer: '201', service: 'admin' }]);
    expect((await lab.ask('GET', '//lab/v1/journal?from=1')).status).toBe(400);
  });
});
