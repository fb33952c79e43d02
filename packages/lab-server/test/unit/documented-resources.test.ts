import { beforeEach, describe, expect, it } from 'vitest';
import { AdminProblem, PROBLEM_IDS } from '../../src/admin/problem.ts';
import { deviceById } from '../../src/state/devices.ts';
import { encodeDocument, putInventory } from '../../src/state/inventory.ts';
import { AdminLab } from '../support/admin-lab.ts';

let lab: AdminLab;
beforeEach(async () => {
  lab = await AdminLab.start();
});

/** Resources of the documented REST API, written down by hand: path, methods, noun of the answer to GET, and whether it is a list with pages. */
const DOCUMENTED: readonly (readonly [path: string, methods: string, noun?: string, list?: 'list'])[] = [
  ['/util/ping', 'GET', 'ping'],
  ['/ping', 'GET', 'ping'],
  ['/util/authorization', 'POST'],
  ['/info/systeminfo', 'GET', 'systeminfo'],
  ['/licensing', 'GET', 'licensing'],
  ['/users', 'GET POST', 'users', 'list'],
  ['/users/{}', 'GET DELETE', 'userdetail'],
  ['/users/{}/activationPasswords', 'GET POST PUT DELETE', 'activationpasswords'],
  ['/users/{}/userDevices', 'GET', 'userdevices', 'list'],
  ['/users/{}/userDevices/{}', 'GET', 'userdevice'],
  ['/users/{}/userDevices/{}/commands', 'GET POST', 'commands', 'list'],
  ['/users/{}/userDevices/{}/commands/{}', 'GET', 'command'],
  ['/users/{}/userDevices/{}/applications/{}/commands', 'POST'],
  ['/users/{}/userDevices/{}/profiles', 'GET', 'profiles'],
  ['/users/{}/applications', 'GET', 'applications'],
  ['/users/{}/profiles', 'GET', 'profiles'],
  ['/users/{}/services', 'GET', 'services'],
  ['/devices', 'GET', 'devices', 'list'],
  ['/applications', 'GET POST', 'applications', 'list'],
  ['/applicationServers', 'GET POST', 'applicationservers', 'list'],
  ['/groups', 'GET POST', 'groups', 'list'],
  ['/deviceGroups', 'GET POST', 'devicegroups', 'list'],
  ['/policies', 'GET POST', 'policies', 'list'],
  ['/profiles', 'GET POST', 'profiles', 'list'],
  ['/emailTemplates', 'GET', 'emailtemplates', 'list'],
];

describe('the documented resources', () => {
  it.each(DOCUMENTED)('%s: %s', (path, methods = '', noun, list) => {
    const found = lab.routes.filter((route) => route.path.replaceAll(/\{\w+\}/g, '{}') === path);
    expect(found.map(({ method }) => method)).toEqual(expect.arrayContaining(methods.split(' ')));
    const read = found.find(({ method }) => method === 'GET');
    if (noun !== undefined) expect(read?.answers[200]?.noun).toBe(noun);
    expect(read?.list !== undefined).toBe(list === 'list');
  });

  it('refuse in the documented shape, and no two refusals share a number', async () => {
    const numbers = PROBLEM_IDS.map((id) => new AdminProblem(id, '').body().subStatusCode);
    expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
    const { status, headers, json } = await lab.ask('GET', '/users/nobody');
    expect([status, headers['content-type']]).toEqual([404, 'application/vnd.blackberry.error-v1+json']);
    expect(json).toEqual({ id: 'USER_NOT_FOUND', subStatusCode: 110, message: expect.any(String) });
  });
});

describe('the owner of a device', () => {
  it('is the one of its activation profile, also where the device says something else; device groups know it', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    await lab.addDevice(alice, 'd1', { ownership: 'personal' });
    await lab.addDevice(alice, 'd2');
    const deviceInfo = encodeDocument({ ownership: 'work' });
    await lab.store.transaction((tx) => {
      for (const id of ['d1', 'd2']) putInventory(tx, id, { deviceInfo, deviceInfoAtMs: 1 });
    });
    const ownership = async (id: string) => (await lab.ask('GET', `/users/${alice.guid}/userDevices/${id}`)).json.device.ownership;
    expect([await ownership('d1'), await ownership('d2')]).toEqual(['personal', 'work']);
    const query = { match: 'ALL', conditions: [{ field: 'ownership', operator: 'EQUALS', value: 'PERSONAL' }] };
    const { guid } = (await lab.ask('POST', '/deviceGroups', { name: 'Own phones', query })).json;
    expect((await lab.ask('GET', `/deviceGroups/${guid}/devices`)).json.devices.map((one: { guid: string }) => one.guid)).toEqual(['d1']);
  });
});

describe('licences', () => {
  it('are counted, with and without a limit, and one that was lowered leaves none', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    for (const id of ['d1', 'd2']) await lab.addDevice(alice, id);
    const shown = async () => (await lab.ask('GET', '/licensing')).json.licenses;
    expect(await shown()).toEqual([{ type: 'DEVICE', used: 2 }]);
    await lab.ask('PUT', '//lab/v1/activationSettings', { licences: 5 });
    expect(await shown()).toEqual([{ type: 'DEVICE', used: 2, limit: 5, available: 3 }]);
    await lab.ask('PUT', '//lab/v1/activationSettings', { licences: 1 });
    expect(await shown()).toEqual([{ type: 'DEVICE', used: 2, limit: 1, available: 0 }]);
  });

  it('are there for who may only read', async () => {
    expect((await lab.ask('GET', '/licensing', undefined, await lab.headersOf('readOnly'))).status).toBe(200);
  });
});

describe('PUT of activation passwords', () => {
  it('leaves the given ones and no others', async () => {
    const { guid } = await lab.admin.createUser({ username: 'alice' });
    const path = `/users/${guid}/activationPasswords`;
    await lab.ask('POST', path, { activationPasswords: [{}, { qrCode: true }] });
    const { status, json } = await lab.ask('PUT', path, { activationPasswords: [{ qrCode: true }] });
    expect([status, json.activationPasswords]).toMatchObject([200, [{ kind: 'QR_CODE', qrCodeContent: expect.any(String) }]]);
    const left = (await lab.ask('GET', path)).json.activationPasswords;
    expect(left.map(({ kind }: { kind: string }) => kind)).toEqual(['QR_CODE']);
  });

  it('ends what began with the others and is not confirmed, as DELETE does', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    const path = `/users/${alice.guid}/activationPasswords`;
    const stateOf = (deviceId: string) => lab.store.read((view) => deviceById(view, deviceId)?.status);
    await lab.ask('POST', path, { activationPasswords: [{ qrCode: true }] });
    const [first] = lab.admin.activationSecrets(alice.guid);
    await lab.addDevice(alice, 'begun', { status: 'pending', secretId: first?.secretId });
    await lab.ask('PUT', path, { activationPasswords: [{ qrCode: true }] });
    expect(stateOf('begun')).toBe('removed');
    expect((await lab.ask('GET', '/events')).json.events.at(-1)).toMatchObject({ type: 'ACTIVATION_FAILED', device: { guid: 'begun' } });
    const [second] = lab.admin.activationSecrets(alice.guid);
    await lab.addDevice(alice, 'again', { status: 'pending', secretId: second?.secretId });
    await lab.ask('DELETE', path);
    expect(stateOf('again')).toBe('removed');
  });

  it('at the same time as another one: those of the last one are left', async () => {
    const { guid } = await lab.admin.createUser({ username: 'alice' });
    const path = `/users/${guid}/activationPasswords`;
    const put = (entry: object) => lab.ask('PUT', path, { activationPasswords: [entry] });
    expect((await Promise.all([put({}), put({ qrCode: true })])).map(({ status }) => status)).toEqual([200, 200]);
    expect((await lab.ask('GET', path)).json.activationPasswords.map(({ kind }: { kind: string }) => kind)).toEqual(['QR_CODE']);
  });

  it('takes a paired one for a third profile, since the two others are useless then', async () => {
    const { guid } = await lab.admin.createUser({ username: 'alice' });
    const path = `/users/${guid}/activationPasswords`;
    const profiles = ['a', 'b', 'c'].map((profileId) => ({ ...lab.admin.profile('default'), profileId, name: profileId }));
    for (const profile of profiles) await lab.admin.putProfile(profile);
    const paired = (profile: string) => ({ activationPasswords: [{ qrCode: true, paired: true, activationProfile: { guid: profile } }] });
    for (const profile of ['a', 'b']) expect((await lab.ask('POST', path, paired(profile))).status).toBe(201);
    expect((await lab.ask('POST', path, paired('c'))).json.id).toBe('TOO_MANY_PASSWORDS');
    expect((await lab.ask('PUT', path, paired('c'))).status).toBe(200);
    const left = (await lab.ask('GET', path)).json.activationPasswords;
    expect(left).toMatchObject([{ activationProfile: { guid: 'c' } }]);
  });

  it('and POST end what began with a password whose place they take', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    const path = `/users/${alice.guid}/activationPasswords`;
    await lab.ask('POST', path, { activationPasswords: [{}, { qrCode: true }] });
    const secrets = lab.admin.activationSecrets(alice.guid);
    for (const { kind, secretId } of secrets) await lab.addDevice(alice, kind, { status: 'pending', secretId });
    await lab.ask('POST', path, { activationPasswords: [{ qrCode: true }] });
    const stateOf = (deviceId: string) => lab.store.read((view) => deviceById(view, deviceId)?.status);
    expect([stateOf('qr'), stateOf('password')]).toEqual(['removed', 'pending']);
  });

  it('that is refused leaves what there was', async () => {
    const { guid } = await lab.admin.createUser({ username: 'alice' });
    const path = `/users/${guid}/activationPasswords`;
    await lab.ask('POST', path, { activationPasswords: [{}] });
    const before = lab.contents();
    expect((await lab.ask('PUT', path, { activationPasswords: [{ qrCode: true, expiry: '2020-01-01T00:00:00Z' }] })).status).toBe(400);
    expect(lab.contents()).toBe(before);
  });
});
