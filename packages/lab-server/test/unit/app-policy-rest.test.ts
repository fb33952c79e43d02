import { beforeEach, describe, expect, it } from 'vitest';
import { applicationPolicy } from '../../src/configuration/application-policy.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';
import { A_DEFINITION, definitionOf } from '../support/policy-definitions.ts';

let lab: AdminLab;
let alice: UserRecord;
let app: string;
let path: string;

beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'Alice' });
  app = (await lab.admin.createApplication({ applicationId: 'com.example.mail', name: 'Mail', version: '1', platforms: ['IOS'] })).guid;
  path = `/applications/${app}`;
});

const upload = (xml = A_DEFINITION) => lab.ask('PUT', `${path}/policyDefinition`, { xml });
const made = async (body: object): Promise<string> => (await lab.ask('POST', `${path}/appPolicies`, body)).json.guid;
/** What the app of Alice is told. */
const told = (user = alice) => {
  const policy = lab.store.read((view) => applicationPolicy(view, user.guid, app));
  return policy === undefined ? undefined : JSON.parse(policy['values'] as string);
};
const BEGINNING = { version: '2.1', sound: true, loudSound: false, name: 'Ada', colour: 0.5, tabs: ['a', 'c'] };

describe('a policy definition', () => {
  it('is uploaded, shown with its text, replaced, and deleted; apps get what it begins with', async () => {
    expect(told()).toBe(undefined);
    const { status, json } = await upload();
    expect([status, json.version, json.application.guid, json.xml]).toEqual([200, '2.1', app, A_DEFINITION]);
    expect(json.settings).toHaveLength(8);
    expect((await lab.ask('GET', `${path}/policyDefinition`)).json).toEqual(json);
    expect(told()).toEqual(BEGINNING);
    expect((await upload(definitionOf(''))).status).toBe(200);
    expect(told()).toEqual({});
    expect((await lab.ask('DELETE', `${path}/policyDefinition`)).status).toBe(204);
    expect(told()).toBe(undefined);
    for (const method of ['GET', 'DELETE']) expect((await lab.ask(method, `${path}/policyDefinition`)).json.id).toBe('POLICY_DEFINITION_NOT_FOUND');
  });

  it('that is not taken says where, and changes nothing', async () => {
    await upload();
    const before = lab.contents();
    const { status, json } = await upload(definitionOf('<setting name="a"><slider><key>a</key></slider></setting>'));
    expect([status, json.id]).toEqual([400, 'INVALID_POLICY_DEFINITION']);
    expect(json.message).toMatch(/^xml: line 3, column 19, \/AppPolicyDefinition\/setting\/slider: .* \(unknownElement\)$/);
    expect((await upload(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`)).json.message).toContain('(documentType)');
    expect((await lab.ask('PUT', '/applications/none/policyDefinition', { xml: A_DEFINITION })).json.id).toBe('APPLICATION_NOT_FOUND');
    expect(lab.contents()).toBe(before);
  });

  it('stays while there are app policies, and is replaced only by one that their values fit', async () => {
    await upload();
    const policy = await made({ name: 'Loud', values: { name: 'Eve' } });
    const before = lab.contents();
    expect((await lab.ask('DELETE', `${path}/policyDefinition`)).json.id).toBe('IN_USE');
    expect((await lab.ask('DELETE', path)).json.id).toBe('IN_USE');
    const shorter = A_DEFINITION.replace('<maxlength>8</maxlength>', '<maxlength>2</maxlength>').replace('<value>Ada</value>', '');
    const refused = await upload(shorter);
    expect([refused.json.id, refused.json.message]).toEqual([
      'IN_USE',
      `app policy ${policy} does not fit: name: is longer than 2 characters; take the value out of it first`,
    ]);
    expect(lab.contents()).toBe(before);
    await lab.ask('PUT', `${path}/appPolicies/${policy}`, { name: 'Loud', values: {} });
    expect((await upload(shorter)).status).toBe(200);
    expect((await lab.ask('DELETE', `${path}/appPolicies/${policy}`)).status).toBe(204);
    expect((await lab.ask('DELETE', path)).status).toBe(204);
    expect(lab.contents()).not.toContain('policy-definition');
  });
});

it('of an application that there is not nothing is shown, set or taken away', async () => {
  const none = '/applications/none';
  for (const [method, path] of [
    ['GET', `${none}/policyDefinition`],
    ['DELETE', `${none}/policyDefinition`],
    ['GET', `${none}/appPolicies`],
    ['GET', `${none}/appPolicies/x`],
    ['DELETE', `${none}/appPolicies/x`],
  ] as const)
    expect([method, path, (await lab.ask(method, path)).json.id]).toEqual([method, path, 'APPLICATION_NOT_FOUND']);
  for (const [method, path] of [
    ['POST', `${none}/appPolicies`],
    ['PUT', `${none}/appPolicies/x`],
  ] as const)
    expect((await lab.ask(method, path, { name: 'x', values: {} })).json.id).toBe('APPLICATION_NOT_FOUND');
});

describe('an app policy', () => {
  beforeEach(async () => void (await upload()));

  it('is added, listed, shown, replaced and deleted, and needs a definition', async () => {
    const body = { name: 'Loud', rank: 2, values: { sound: false, colour: -1, tabs: ['c', 'b'], name: '', notes: 'a\nb' } };
    const created = await lab.ask('POST', `${path}/appPolicies`, body);
    expect([created.status, created.json.values]).toEqual([201, { sound: false, colour: -1, tabs: ['b', 'c'], name: '', notes: 'a\nb' }]);
    const one = `${path}/appPolicies/${created.json.guid}`;
    expect(created.headers['location']?.endsWith(one)).toBe(true);
    expect((await lab.ask('GET', one)).json).toEqual(created.json);
    expect((await lab.ask('GET', `${path}/appPolicies?query=name=lou*`)).json.appPolicies).toEqual([created.json]);
    expect((await lab.ask('PUT', one, { name: 'Quiet', values: {} })).json).toMatchObject({ name: 'Quiet', rank: 1_000_000, values: {} });
    expect((await lab.ask('DELETE', one)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await lab.ask(method, one)).json.id).toBe('POLICY_NOT_FOUND');
    expect((await lab.ask('PUT', one, body)).json.id).toBe('POLICY_NOT_FOUND');
    await lab.ask('DELETE', `${path}/policyDefinition`);
    expect((await lab.ask('POST', `${path}/appPolicies`, body)).json.id).toBe('POLICY_DEFINITION_NOT_FOUND');
  });

  it.each<[object, string, string]>([
    [{ sound: 'true' }, 'values.sound: is not a boolean', 'INVALID_PROPERTY'],
    [{ sound: 1 }, 'values.sound: is not a boolean', 'INVALID_PROPERTY'],
    [{ name: 5 }, 'values.name: is not text', 'INVALID_PROPERTY'],
    [{ name: 'nine char' }, 'values.name: is longer than 8 characters', 'INVALID_PROPERTY'],
    [{ notes: 'x'.repeat(4_097) }, 'values.notes: is longer than 4096 characters', 'INVALID_PROPERTY'],
    [{ colour: 3 }, 'values.colour: is none of the options', 'INVALID_PROPERTY'],
    [{ colour: '12' }, 'values.colour: is none of the options', 'INVALID_PROPERTY'],
    [{ tabs: 'a' }, 'values.tabs: is not a list', 'INVALID_PROPERTY'],
    [{ tabs: ['a', 'd'] }, 'values.tabs: has what is none of the options', 'INVALID_PROPERTY'],
    [{ tabs: ['a', 'a'] }, 'values.tabs: has an option twice', 'INVALID_PROPERTY'],
    [{ version: '3' }, 'values.version: is hidden: its value stands in the definition', 'INVALID_PROPERTY'],
    [{ loud: true }, 'values.loud: there is no such setting', 'UNKNOWN_PROPERTY'],
    [{ toString: true }, 'values.toString: there is no such setting', 'UNKNOWN_PROPERTY'],
  ])('with %j is refused', async (values, message, id) => {
    const before = lab.contents();
    const { status, json } = await lab.ask('POST', `${path}/appPolicies`, { name: 'x', values });
    expect([status, json.id, json.message]).toEqual([400, id, message]);
    expect(lab.contents()).toBe(before);
  });

  it('may not be more than an app can be told', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    await upload(definitionOf(names.map((name) => `<setting name="${name}"><textarea><key>${name}</key></textarea></setting>`).join('')));
    const values = Object.fromEntries(names.map((name) => [name, 'x'.repeat(4_000)]));
    const { json } = await lab.ask('POST', `${path}/appPolicies`, { name: 'x', values });
    expect([json.id, json.message]).toEqual(['INVALID_PROPERTY', 'values: the values take more than 16384 bytes']);
  });

  it('is in force by assignment: of the user before those of groups, then by rank; other apps and users have nothing of it', async () => {
    const bob = await lab.admin.createUser({ username: 'Bob' });
    const { groupId: group } = await lab.admin.createUserGroup({ name: 'Sales' });
    await lab.ask('POST', `/groups/${group}/users`, { users: [{ guid: alice.guid }] });
    const [own, first, second] = [
      await made({ name: 'own', rank: 9, values: { name: 'own' } }),
      await made({ name: 'first', rank: 1, values: { name: 'first', sound: false } }),
      await made({ name: 'second', rank: 2, values: { name: 'second' } }),
    ];
    const other = (await lab.admin.createApplication({ applicationId: 'com.example.other', name: 'Other', version: '1', platforms: ['IOS'] })).guid;
    await lab.ask('PUT', `/applications/${other}/policyDefinition`, { xml: A_DEFINITION });
    const foreign = (await lab.ask('POST', `/applications/${other}/appPolicies`, { name: 'foreign', rank: 1, values: { name: 'foreign' } })).json.guid;
    expect((await lab.ask('GET', `${path}/appPolicies/${foreign}`)).json.id).toBe('POLICY_NOT_FOUND');
    expect((await lab.ask('PUT', `/users/${alice.guid}/appPolicies/${foreign}`)).json).toMatchObject({ name: 'foreign', applicationId: 'com.example.other' });
    expect(told()).toEqual(BEGINNING);
    for (const policy of [second, first]) expect((await lab.ask('PUT', `/groups/${group}/appPolicies/${policy}`)).status).toBe(200);
    expect(told()).toEqual({ ...BEGINNING, name: 'first', sound: false });
    expect(told(bob)).toEqual(BEGINNING);
    await lab.ask('PUT', `/users/${alice.guid}/appPolicies/${own}`);
    expect(told()).toEqual({ ...BEGINNING, name: 'own' });
    const listed = (await lab.ask('GET', `/users/${alice.guid}/appPolicies`)).json.assignments;
    expect(listed.map(({ name }: { name: string }) => name).sort()).toEqual(['first', 'foreign', 'own', 'second']);
    expect((await lab.ask('DELETE', `${path}/appPolicies/${own}`)).json.id).toBe('IN_USE');
    expect((await lab.ask('DELETE', `/users/${alice.guid}/appPolicies/${own}`)).status).toBe(204);
    expect(told()).toEqual({ ...BEGINNING, name: 'first', sound: false });
    expect((await lab.ask('PUT', `/users/${alice.guid}/appPolicies/none`)).json.id).toBe('POLICY_NOT_FOUND');
    const { groupId: devices } = await lab.admin.createDeviceGroup({ name: 'Devices' });
    await expect(lab.admin.assign({ kind: 'deviceGroup', id: devices }, { kind: 'appPolicy', id: own })).rejects.toMatchObject({ id: 'INVALID_PROPERTY' });
  });

  it('a tenant has 500 of them', async () => {
    for (let n = 0; n < 500; n++) await lab.admin.createAppPolicy(app, { name: `${n}`, values: {} });
    await expect(lab.admin.createAppPolicy(app, { name: 'one more', values: {} })).rejects.toMatchObject({ id: 'LIMIT_REACHED' });
  });
});
