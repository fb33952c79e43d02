import { beforeEach, describe, expect, it } from 'vitest';
import { putDefaultConfiguration } from '../../src/configuration/default-configuration.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

let lab: AdminLab;
let alice: UserRecord;
const everything = (): string => lab.contents();

beforeEach(async () => {
  lab = await AdminLab.start();
  await lab.store.transaction((tx) => putDefaultConfiguration(tx, 0));
  alice = await lab.admin.createUser({ username: 'Alice' });
});

/** Creates and gives the guid. */
async function made(path: string, body: object): Promise<string> {
  const reply = await lab.ask('POST', path, body);
  expect([reply.status, reply.json], path).toMatchObject([201, { guid: expect.any(String) }]);
  expect(reply.headers['location']).toMatch(new RegExp(`${path}/${reply.json.guid}$`));
  return reply.json.guid;
}

const policy = { name: 'Strict', rank: 3, rules: { password: { required: true } } };
const wifi = { kind: 'wi-fi', name: 'Office', content: { ssid: 'Office', security: 'WPA2_PERSONAL', preSharedKey: 'secret of the office' } };
const application = { applicationId: 'com.example.mail', name: 'Mail', version: '1.0', platforms: ['IOS', 'ANDROID'] };
const SERVICE = { serviceId: 'com.example.print', version: '1.0.0.0' };

describe('resources', () => {
  it.each<[string, object, object]>([
    ['/groups', { name: 'Sales' }, { name: 'Sales and more', description: 'x' }],
    ['/deviceGroups', { name: 'List' }, { name: 'List 2' }],
    [
      '/deviceGroups',
      { name: 'Old', query: { match: 'ALL', conditions: [{ field: 'osVersion', operator: 'AT_MOST', value: '17' }] } },
      { name: 'Old', query: { match: 'ANY', conditions: [{ field: 'osFamily', operator: 'EQUALS', value: 'IOS' }] } },
    ],
    ['/policies', policy, { ...policy, rank: 1, rules: { apps: { allowAppStore: false } } }],
    ['/profiles', { kind: 'dynamics', name: 'D', rank: 2, content: { enableLauncher: true } }, { kind: 'dynamics', name: 'D', rank: 1, content: {} }],
    ['/applications', application, { ...application, version: '2.0' }],
    ['/applications', { ...application, services: [SERVICE, { ...SERVICE, version: '2' }] }, { ...application, services: [] }],
  ])('%s: added, listed, shown, changed, deleted', async (path, first, second) => {
    const guid = await made(path, first);
    expect((await lab.ask('GET', `${path}/${guid}`)).json).toMatchObject({ guid, ...first });
    const [list] = Object.values((await lab.ask('GET', `${path}?query=guid=${guid}`)).json) as { guid: string }[][];
    expect(list?.map((one) => one.guid)).toEqual([guid]);
    expect((await lab.ask('PUT', `${path}/${guid}`, second)).json).toMatchObject({ guid, ...second });
    expect((await lab.ask('GET', `${path}/${guid}`)).json).toMatchObject(second);
    expect((await lab.ask('DELETE', `${path}/${guid}`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await lab.ask(method, `${path}/${guid}`)).status).toBe(404);
    expect((await lab.ask('PUT', `${path}/${guid}`, second)).status).toBe(404);
  });

  it('application servers serve an application that there is', async () => {
    const guid = await made('/applications', application);
    const body = { name: 'Mail servers', application: { guid }, servers: [{ host: 'mail.example', port: 443, priority: 1 }] };
    const server = await made('/applicationServers', body);
    expect((await lab.ask('GET', `/applicationServers/${server}`)).json).toMatchObject(body);
    expect((await lab.ask('GET', '/applicationServers')).json.applicationServers).toHaveLength(1);
    expect((await lab.ask('PUT', `/applicationServers/${server}`, { ...body, application: { guid: 'none' } })).json.id).toBe('APPLICATION_NOT_FOUND');
    expect((await lab.ask('PUT', `/applicationServers/${server}`, { ...body, name: 'More' })).json.name).toBe('More');
    expect((await lab.ask('DELETE', `/applications/${guid}`)).json.id).toBe('IN_USE');
    expect((await lab.ask('DELETE', `/applicationServers/${server}`)).status).toBe(204);
    expect((await lab.ask('GET', `/applicationServers/${server}`)).json.id).toBe('APPLICATION_SERVER_NOT_FOUND');
  });

  it('defaults are there, can be changed, and stay', async () => {
    expect((await lab.ask('GET', '/policies/default')).json).toMatchObject({ isDefault: true, rules: {} });
    expect((await lab.ask('PUT', '/policies/default', { name: 'Ours', rules: policy.rules })).json).toMatchObject({ version: 2, rules: policy.rules });
    expect((await lab.ask('DELETE', '/policies/default')).json.id).toBe('IN_USE');
    for (const kind of ['compliance', 'enterprise-connectivity', 'enterprise-management-agent']) {
      expect((await lab.ask('GET', `/profiles/default-${kind}`)).json).toMatchObject({ kind, isDefault: true });
      expect((await lab.ask('DELETE', `/profiles/default-${kind}`)).json.id).toBe('IN_USE');
    }
  });

  it('secrets of a profile are told to devices only', async () => {
    const guid = await made('/profiles', wifi);
    for (const path of [`/profiles/${guid}`, '/profiles']) expect((await lab.ask('GET', path)).text).not.toContain(wifi.content.preSharedKey);
    expect((await lab.ask('GET', `/profiles/${guid}`)).json.content).toEqual({ ssid: 'Office', security: 'WPA2_PERSONAL' });
    const wrong = await lab.ask('PUT', `/profiles/${guid}`, { ...wifi, content: { ...wifi.content, ssid: { oops: wifi.content.preSharedKey } } });
    expect([wrong.status, wrong.text.includes('secret of the office')]).toEqual([400, false]);
    expect(JSON.stringify(lab.journal.entries())).not.toContain('secret of the office');
  });
});

describe('a malformed policy or profile is refused with the name of the field, and changes nothing', () => {
  it.each<[string, object, string, string]>([
    ['/policies', { ...policy, rules: { password: { minimumLength: 0 } } }, 'rules.password.minimumLength:', 'INVALID_PROPERTY'],
    ['/policies', { ...policy, rules: { password: { minimumLength: '8' } } }, 'rules.password.minimumLength:', 'INVALID_PROPERTY'],
    ['/policies', { ...policy, rules: { pasword: {} } }, 'rules.pasword:', 'UNKNOWN_PROPERTY'],
    ['/policies', { ...policy, rules: { apps: { allowAppStore: null } } }, 'rules.apps.allowAppStore:', 'INVALID_PROPERTY'],
    ['/policies', { name: 'x' }, 'rules:', 'INVALID_PROPERTY'],
    ['/policies', { ...policy, rank: 0 }, 'rank:', 'INVALID_PROPERTY'],
    ['/profiles', { ...wifi, kind: 'wifi' }, 'kind:', 'INVALID_PROPERTY'],
    ['/profiles', { ...wifi, content: { ssid: 'x' } }, 'content.security:', 'INVALID_PROPERTY'],
    ['/profiles', { ...wifi, content: { ...wifi.content, colour: 'red' } }, 'content.colour:', 'UNKNOWN_PROPERTY'],
    ['/profiles', { kind: 'email', name: 'x', content: { server: 'not a host' } }, 'content.server:', 'INVALID_PROPERTY'],
    ['/profiles', { kind: 'compliance', name: 'x', content: { jailbroken: {} } }, 'content.jailbroken.action:', 'INVALID_PROPERTY'],
    ['/profiles', { kind: 'compliance', name: 'x', content: { noContact: { days: 0, action: 'UNTRUST' } } }, 'content.noContact.days:', 'INVALID_PROPERTY'],
    ['/applications', { ...application, platforms: ['TOASTER'] }, 'platforms.0:', 'INVALID_PROPERTY'],
    ['/applications', { ...application, applicationId: '../x' }, 'applicationId:', 'INVALID_PROPERTY'],
    ['/applications', { ...application, services: [{ ...SERVICE, serviceId: 'print' }] }, 'services.0.serviceId:', 'INVALID_PROPERTY'],
    ['/applications', { ...application, services: [{ ...SERVICE, serviceId: 'com.Example' }] }, 'services.0.serviceId:', 'INVALID_PROPERTY'],
    ['/applications', { ...application, services: [{ ...SERVICE, version: '1.0.0.0.0' }] }, 'services.0.version:', 'INVALID_PROPERTY'],
    ['/applications', { ...application, services: [SERVICE, SERVICE] }, 'services.', 'INVALID_PROPERTY'],
    ['/applications', { ...application, services: Array.from({ length: 9 }, (_, n) => ({ ...SERVICE, version: `${n}` })) }, 'services:', 'INVALID_PROPERTY'],
    ['/deviceGroups', { name: 'x', query: { match: 'ALL', conditions: [] } }, 'query.conditions:', 'INVALID_PROPERTY'],
  ])('%s %j', async (path, body, field, id) => {
    const before = everything();
    const reply = await lab.ask('POST', path, body);
    expect([reply.status, reply.json.id]).toEqual([400, id]);
    expect(reply.json.message.slice(0, field.length)).toBe(field);
    expect(everything()).toBe(before);
  });

  it('a change that is refused leaves the policy as it was; a kind stays, and so does the way of a group', async () => {
    const strict = await made('/policies', policy);
    const office = await made('/profiles', wifi);
    const group = await made('/deviceGroups', { name: 'List' });
    const app = await made('/applications', application);
    const before = everything();
    const query = { match: 'ALL', conditions: [{ field: 'os', operator: 'EQUALS', value: 'ios' }] };
    for (const [path, body] of [
      [`/policies/${strict}`, { ...policy, rules: { password: 1 } }],
      [`/profiles/${office}`, { kind: 'dynamics', name: 'x', content: {} }],
      [`/deviceGroups/${group}`, { name: 'List', query }],
      [`/applications/${app}`, { ...application, applicationId: 'com.example.other' }],
    ] as const)
      expect((await lab.ask('PUT', path, body)).status).toBe(400);
    expect(everything()).toBe(before);
  });
});

describe('assignments', () => {
  it('for users and groups; a user sees also what comes through groups; what is in use is not deleted', async () => {
    const [group, strict, office, mail] = [
      await made('/groups', { name: 'Sales' }),
      await made('/policies', policy),
      await made('/profiles', wifi),
      await made('/applications', application),
    ];
    expect((await lab.ask('POST', `/groups/${group}/users`, { users: [{ guid: alice.guid }] })).status).toBe(204);
    expect((await lab.ask('GET', `/groups/${group}/users`)).json.users).toMatchObject([{ guid: alice.guid }]);
    expect((await lab.ask('GET', `/users/${alice.guid}/groups`)).json.groups).toMatchObject([{ name: 'Sales' }]);
    expect((await lab.ask('PUT', `/groups/${group}/policies/${strict}`)).json).toMatchObject({ guid: strict, name: 'Strict' });
    expect((await lab.ask('PUT', `/users/${alice.guid}/profiles/${office}`)).json).toMatchObject({ guid: office, kind: 'wi-fi' });
    expect((await lab.ask('PUT', `/groups/${group}/applications/${mail}`, { disposition: 'REQUIRED' })).json).toMatchObject({ disposition: 'REQUIRED' });
    expect((await lab.ask('GET', `/users/${alice.guid}/policies`)).json.assignments).toMatchObject([{ guid: strict, group: { guid: group, name: 'Sales' } }]);
    expect((await lab.ask('GET', `/users/${alice.guid}/profiles`)).json.assignments).toMatchObject([{ guid: office, name: 'Office' }]);
    expect((await lab.ask('GET', `/users/${alice.guid}/applications`)).json.assignments).toMatchObject([{ applicationId: 'com.example.mail' }]);
    expect((await lab.ask('GET', `/users/${alice.guid}/services`)).json.services).toEqual([{ name: 'MDM', devices: 0 }]);

    for (const path of [`/policies/${strict}`, `/profiles/${office}`, `/applications/${mail}`, `/groups/${group}`])
      expect((await lab.ask('DELETE', path)).json.id, path).toBe('IN_USE');
    expect((await lab.ask('DELETE', `/users/${alice.guid}/profiles/${office}`)).status).toBe(204);
    expect((await lab.ask('DELETE', `/users/${alice.guid}/profiles/${office}`)).json.id).toBe('ASSIGNMENT_NOT_FOUND');
    expect((await lab.ask('DELETE', `/profiles/${office}`)).status).toBe(204);
    expect((await lab.ask('DELETE', `/groups/${group}/users/${alice.guid}`)).status).toBe(204);
    expect((await lab.ask('DELETE', `/groups/${group}/users/${alice.guid}`)).json.id).toBe('USER_NOT_FOUND');
    expect((await lab.ask('DELETE', `/groups/${group}`)).status).toBe(204);
    // With its group the assignments are gone.
    expect((await lab.ask('DELETE', `/policies/${strict}`)).status).toBe(204);
  });

  it('name what there is not', async () => {
    const strict = await made('/policies', policy);
    expect((await lab.ask('PUT', `/users/nobody/policies/${strict}`)).json.id).toBe('USER_NOT_FOUND');
    expect((await lab.ask('PUT', `/groups/none/policies/${strict}`)).json.id).toBe('GROUP_NOT_FOUND');
    expect((await lab.ask('PUT', `/deviceGroups/none/policies/${strict}`)).json.id).toBe('GROUP_NOT_FOUND');
    expect((await lab.ask('PUT', `/users/${alice.guid}/policies/none`)).json.id).toBe('POLICY_NOT_FOUND');
    expect((await lab.ask('PUT', `/users/${alice.guid}/profiles/none`)).json.id).toBe('PROFILE_NOT_FOUND');
    expect((await lab.ask('PUT', `/users/${alice.guid}/applications/none`, { disposition: 'OPTIONAL' })).json.id).toBe('APPLICATION_NOT_FOUND');
    expect((await lab.ask('PUT', `/users/${alice.guid}/applications/none`, { disposition: 'MAYBE' })).status).toBe(400);
    expect((await lab.ask('POST', '/groups', { name: 'G' })).status).toBe(201);
  });

  it('members of device groups: active devices, by list only where there is no query', async () => {
    await lab.addDevice(alice, 'd1');
    await lab.addDevice(alice, 'd2', { status: 'removed' });
    const list = await made('/deviceGroups', { name: 'List' });
    const query = await made('/deviceGroups', { name: 'iOS', query: { match: 'ALL', conditions: [{ field: 'osFamily', operator: 'EQUALS', value: 'IOS' }] } });
    const add = (group: string, guid: string) => lab.ask('POST', `/deviceGroups/${group}/devices`, { devices: [{ guid }] });
    expect((await add(list, 'd1')).status).toBe(204);
    expect((await add(list, 'd2')).json.id).toBe('DEVICE_NOT_ACTIVE');
    expect((await add(list, 'd3')).json.id).toBe('DEVICE_NOT_FOUND');
    expect((await add(query, 'd1')).json.id).toBe('GROUP_BY_QUERY');
    for (const group of [list, query]) expect((await lab.ask('GET', `/deviceGroups/${group}/devices`)).json.devices).toMatchObject([{ guid: 'd1' }]);
    expect((await lab.ask('DELETE', `/deviceGroups/${list}`)).json.id).toBe('IN_USE');
    expect((await lab.ask('DELETE', `/deviceGroups/${list}/devices/d1`)).status).toBe(204);
    expect((await lab.ask('DELETE', `/deviceGroups/${list}/devices/d1`)).json.id).toBe('DEVICE_NOT_FOUND');
    expect((await lab.ask('DELETE', `/deviceGroups/${query}`)).status).toBe(204);
  });

  it('the effective ones of a device, with how far they have got', async () => {
    await lab.addDevice(alice, 'd1');
    const [strict, office, mail] = [await made('/policies', policy), await made('/profiles', wifi), await made('/applications', application)];
    await lab.ask('PUT', `/users/${alice.guid}/policies/${strict}`);
    await lab.ask('PUT', `/users/${alice.guid}/profiles/${office}`);
    await lab.ask('PUT', `/users/${alice.guid}/applications/${mail}`, { disposition: 'OPTIONAL' });
    const path = `/users/${alice.guid}/userDevices/d1/profiles`;
    expect((await lab.ask('GET', path)).json).toMatchObject({
      policy: { guid: strict, name: 'Strict' },
      profiles: [{ kind: 'compliance' }, { kind: 'enterprise-connectivity' }, { kind: 'enterprise-management-agent' }, { guid: office }],
      applications: [{ guid: mail, version: '1.0', disposition: 'OPTIONAL' }],
      deviceGroups: [],
      delivery: {},
    });
    expect((await lab.ask('GET', `/users/${alice.guid}/userDevices/none/profiles`)).json.id).toBe('DEVICE_NOT_FOUND');
  });
});
