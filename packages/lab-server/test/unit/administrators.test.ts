import { beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_ROLES, type LeastRole, mayCall } from '../../src/admin/admin-role.ts';
import { FIRST_ADMINISTRATOR } from '../../src/admin/administrators.ts';
import { MAX_ADMINISTRATORS } from '../../src/state/administrators.ts';
import { appendAttempt, appendAudit, listAudit, MAX_AUDIT_ATTEMPTS, MAX_AUDIT_ENTRIES } from '../../src/state/audit.ts';
import { AdminLab, basic, PASSWORD } from '../support/admin-lab.ts';

let lab: AdminLab;
beforeEach(async () => {
  lab = await AdminLab.start();
});

/** The least role of each operation, all of them, written down by hand: a route that gets another one by mistake is found, and a new one has to be put in its place here. */
const LEAST_ROLES: Readonly<Record<LeastRole, string>> = {
  anybody: 'authorize pingOpen',
  readOnly: `
    getAppPolicy getPolicyDefinition listAppPolicies listGroupAppPolicyAssignments listUserAppPolicyAssignments
    getActivationProfile getActivationSettings getApplication getApplicationServer getCommand getDeviceGroup getEffectiveProfiles getEmailTemplate
    getGroup getLicensing getMail getMailSettings getOpenApi getPolicy getProfile getSystemInfo getUser getUserDevice listActivationPasswords
    getDynamicsApp listAccessKeys listActivationProfiles listActivationRefusals listApplicationServers listApplications listCommands listDynamicsApps listDeviceGroupApplicationAssignments
    listDeviceGroupPolicyAssignments listDeviceGroupProfileAssignments listDeviceGroups listDevices listEmailTemplateVersions listEmailTemplates
    listFaults listProxies listGroupActivationProfileAssignments listGroupApplicationAssignments listGroupDevices listGroupPolicyAssignments
    listGroupProfileAssignments listGroupUsers listGroups listMails listPolicies listProfiles listUserActivationProfileAssignments
    listUserApplicationAssignments listUserDevices listUserGroups listUserPolicyAssignments listUserProfileAssignments listUserServices listUsers ping
    readEvents readJournal
  `,
  helpDesk: `
    cancelCommand createAccessKey deleteActivationPasswords replaceActivationPasswords revokeAccessKey sendApplicationCommand sendCommand sendDynamicsAppCommand showUnlockKey sendDeviceCommands
    setActivationPasswords`,
  administrator: `
    assignAppPolicyToGroup assignAppPolicyToUser createAppPolicy deleteAppPolicy deletePolicyDefinition putAppPolicy putPolicyDefinition
    unassignAppPolicyFromGroup unassignAppPolicyFromUser
    addFault addGroupDevices addGroupUsers assignActivationProfileToGroup assignActivationProfileToUser assignApplicationToDeviceGroup
    assignApplicationToGroup assignApplicationToUser assignPolicyToDeviceGroup assignPolicyToGroup assignPolicyToUser assignProfileToDeviceGroup
    assignProfileToGroup assignProfileToUser changeActivationSettings clearFaults createAdministrator createApplication createApplicationServer
    createDeviceGroup createGroup createPolicy createProfile createUser deleteActivationProfile deleteAdministrator deleteApplication
    deleteApplicationServer deleteDeviceGroup deleteEmailTemplate deleteGroup deletePolicy deleteProfile deleteUser getAdministrator getInboxMail
    listAdministrators listInbox putActivationProfile putApplication putApplicationServer putDeviceGroup putEmailTemplate putGroup putMailSettings
    putPolicy putProfile readAuditLog removeFault removeGroupDevice removeGroupUser removeUserDevice replaceFaults retryMails
    unassignActivationProfileFromGroup unassignActivationProfileFromUser unassignApplicationFromDeviceGroup unassignApplicationFromGroup
    unassignApplicationFromUser unassignPolicyFromDeviceGroup unassignPolicyFromGroup unassignPolicyFromUser unassignProfileFromDeviceGroup
    unassignProfileFromGroup unassignProfileFromUser
  `,
};

describe('roles', () => {
  it('each operation is where the table of roles has it, and none is missing there', () => {
    const known = Object.entries(LEAST_ROLES).flatMap(([role, ids]) =>
      ids
        .trim()
        .split(/\s+/)
        .map((id) => `${id}: ${role}`),
    );
    expect(lab.routes.map(({ id, role }) => `${id}: ${role}`).toSorted()).toEqual(known.toSorted());
  });

  it('every route × every role: what the role may not is 403, what it may is not', async () => {
    const headers: Record<string, Record<string, string>> = {
      anybody: { authorization: '' },
      ...Object.fromEntries(await Promise.all(ADMIN_ROLES.map(async (role) => [role, await lab.headersOf(role)]))),
    };
    for (const { id, method, path, role: least } of lab.routes) {
      const target = path.replaceAll(/\{\w+\}/g, 'nothing');
      for (const [role, header] of Object.entries(headers)) {
        const { status } = await lab.ask(method, path.startsWith('/lab/') ? `/${target}` : target, undefined, header);
        const may = least === 'anybody' || (role !== 'anybody' && mayCall(role as (typeof ADMIN_ROLES)[number], least as LeastRole));
        const expected = may ? 'allowed' : role === 'anybody' ? 401 : 403;
        // Wrong credentials in a body are no missing role.
        const seen = id === 'authorize' || (status !== 401 && status !== 403) ? 'allowed' : status;
        expect([id, role, seen]).toEqual([id, role, expected]);
      }
    }
  });

  it('help desk locks and sets passwords, and neither deletes nor configures', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    await lab.addDevice(alice, 'd1');
    const headers = await lab.headersOf('helpDesk');
    const path = `/users/${alice.guid}/userDevices/d1`;
    expect((await lab.ask('POST', `${path}/commands`, { type: 'LOCK_DEVICE' }, headers)).status).toBe(201);
    expect((await lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [{}] }, headers)).status).toBe(201);
    for (const type of ['DELETE_DEVICE_DATA', 'DELETE_WORK_SPACE_DATA'])
      expect((await lab.ask('POST', `${path}/commands`, { type }, headers)).json).toMatchObject({ id: 'NOT_AUTHORIZED' });
    const before = lab.contents();
    expect((await lab.ask('DELETE', path, undefined, headers)).json).toMatchObject({ id: 'NOT_AUTHORIZED', subStatusCode: 403 });
    expect(lab.contents()).toBe(before);
  });
});

describe('administrators', () => {
  it('are added with a password that is told once, listed, and deleted', async () => {
    const created = await lab.ask('POST', '/administrators', { username: 'helen', role: 'helpDesk' });
    expect(created.status).toBe(201);
    const { guid, password } = created.json;
    expect((await lab.ask('GET', '/ping', undefined, basic('helen', password))).status).toBe(200);
    expect((await lab.ask('GET', '/ping', undefined, basic('helen', PASSWORD))).status).toBe(401);
    const listed = await lab.ask('GET', '/administrators?sortBy=username');
    expect(listed.json.administrators).toMatchObject([
      { username: 'admin', role: 'administrator', guid: FIRST_ADMINISTRATOR },
      { username: 'helen', role: 'helpDesk' },
    ]);
    expect(JSON.stringify([listed.json, lab.journal.entries()])).not.toContain(password);
    expect((await lab.ask('GET', `/administrators/${guid}`)).json).toMatchObject({ username: 'helen' });
    expect((await lab.ask('DELETE', `/administrators/${guid}`)).status).toBe(204);
    expect((await lab.ask('GET', '/ping', undefined, basic('helen', password))).status).toBe(401);
    expect((await lab.ask('DELETE', `/administrators/${guid}`)).json.id).toBe('ADMINISTRATOR_NOT_FOUND');
    expect((await lab.ask('GET', `/administrators/${guid}`)).json.id).toBe('ADMINISTRATOR_NOT_FOUND');
  });

  it('a value for the Authorization header carries the role, and ends with the administrator', async () => {
    const { administrator, password } = await lab.administrators.create({ username: 'rita', role: 'readOnly' });
    const body = { username: 'rita', password: Buffer.from(password).toString('base64') };
    const { text: authorization } = await lab.ask('POST', '/util/authorization', body, { authorization: '' });
    expect((await lab.ask('GET', '/users', undefined, { authorization })).status).toBe(200);
    expect((await lab.ask('POST', '/users', { username: 'bob' }, { authorization })).status).toBe(403);
    await lab.administrators.delete(administrator.guid);
    expect((await lab.ask('GET', '/users', undefined, { authorization })).status).toBe(401);
  });

  it('have one name each, a known role, and a bounded number; the first one stays', async () => {
    for (const username of ['admin', 'twice']) {
      if (username === 'twice') await lab.administrators.create({ username, role: 'readOnly' });
      expect((await lab.ask('POST', '/administrators', { username, role: 'readOnly' })).json.id).toBe('ADMINISTRATOR_EXISTS');
    }
    expect((await lab.ask('POST', '/administrators', { username: 'x', role: 'owner' })).json.id).toBe('INVALID_PROPERTY');
    expect((await lab.ask('POST', '/administrators', { username: 'a:b', role: 'readOnly' })).json.id).toBe('INVALID_PROPERTY');
    expect((await lab.ask('DELETE', `/administrators/${FIRST_ADMINISTRATOR}`)).json.id).toBe('ADMINISTRATOR_REQUIRED');
    for (let n = lab.administrators.all().length - 1; n < MAX_ADMINISTRATORS; n++) await lab.administrators.create({ username: `a${n}`, role: 'readOnly' });
    expect((await lab.ask('POST', '/administrators', { username: 'x', role: 'readOnly' })).json.id).toBe('TOO_MANY_ADMINISTRATORS');
  });
});

describe('the audit log', () => {
  const entries = async (query = ''): Promise<{ entries: Record<string, unknown>[]; last: number }> => (await lab.ask('GET', `/auditLog${query}`)).json;

  it('has who did what, when, with which object, and how it ended', async () => {
    const headers = await lab.headersOf('helpDesk');
    const { json: user } = await lab.ask('POST', '/users', { username: 'alice' });
    await lab.ask('DELETE', `/users/${user.guid}`, undefined, headers);
    await lab.ask('DELETE', '/users/nobody');
    await lab.ask('GET', '/users');
    await lab.ask('POST', '/users', { shoe: 1 });
    const common = { time: '2026-01-01T00:00:00.000Z', source: 'test' };
    expect(await entries()).toEqual({
      entries: [
        { sequence: 1, ...common, username: 'admin', role: 'administrator', operation: 'createUser', object: `/users/${user.guid}`, status: 201 },
        {
          sequence: 2,
          ...common,
          username: 'the-helpDesk',
          role: 'helpDesk',
          operation: 'deleteUser',
          object: `/users/${user.guid}`,
          status: 403,
          problem: 'NOT_AUTHORIZED',
        },
        {
          sequence: 3,
          ...common,
          username: 'admin',
          role: 'administrator',
          operation: 'deleteUser',
          object: '/users/nobody',
          status: 404,
          problem: 'USER_NOT_FOUND',
        },
      ],
      last: 3,
    });
    expect(await entries('?after=1&max=1')).toMatchObject({ entries: [{ sequence: 2 }], last: 3 });
    expect((await lab.ask('GET', '/auditLog?after=x')).json.id).toBe('INVALID_QUERY');
  });

  it('nothing is done that cannot be put down', async () => {
    lab.store.fault = 'disk-full';
    expect((await lab.ask('PUT', '//lab/v1/faults', { faults: [{ kind: 'drop' }] })).status).toBe(503);
    expect(lab.faults.list()).toEqual([]);
  });

  it('survives a crash: an operation whose answer never left is in it, without an end', async () => {
    await lab.store.transaction((tx) => appendAudit(tx, { timeMs: 1, username: 'admin', role: 'administrator', source: '', operation: 'x', object: '/x' }));
    const found = lab.store.snapshot().read((view) => listAudit(view, { after: 0, limit: 10 }));
    expect(found).toMatchObject([{ sequence: 1, operation: 'x' }]);
    expect(found[0]?.status).toBeUndefined();
  });

  it('has a command and its entry in one commit: a crash leaves both or neither', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    await lab.addDevice(alice, 'd1');
    const path = `/users/${alice.guid}/userDevices/d1`;
    const before = lab.store.commits;
    const { json } = await lab.ask('POST', `${path}/commands`, { type: 'LOCK_DEVICE' });
    expect(lab.store.commits).toBe(before + 1);
    await lab.ask('DELETE', `${path}/commands/${json.guid}`);
    await lab.ask('DELETE', path);
    expect(lab.store.commits).toBe(before + 3);
    const found = lab.store.snapshot().read((view) => listAudit(view, { after: 0, limit: 10 }));
    expect(found).toMatchObject([
      { operation: 'sendCommand', object: `${path}/commands/${json.guid}`, status: 201 },
      { operation: 'cancelCommand', object: `${path}/commands/${json.guid}`, status: 200 },
      { operation: 'removeUserDevice', object: path, status: 204 },
    ]);
  });

  it('has refused commands with their reason and nothing of them; without room for an entry nothing is done', async () => {
    const alice = await lab.admin.createUser({ username: 'alice' });
    await lab.addDevice(alice, 'd1', { status: 'removed' });
    await lab.addDevice(alice, 'd2');
    const before = lab.contents();
    const send = async (device: string, body: object) => (await lab.ask('POST', `/users/${alice.guid}/userDevices/${device}/commands`, body)).json.id;
    expect(await send('d1', { type: 'LOCK_DEVICE' })).toBe('DEVICE_NOT_ACTIVE');
    expect(await send('d2', { type: 'LOCK_DEVICE', properties: { shoe: 1 } })).toBe('UNKNOWN_PROPERTY');
    expect((await entries()).entries).toMatchObject([
      { status: 409, problem: 'DEVICE_NOT_ACTIVE' },
      { status: 400, problem: 'UNKNOWN_PROPERTY' },
    ]);
    lab.store.fault = 'disk-full';
    expect(await send('d2', { type: 'LOCK_DEVICE' })).toBe('BUSY');
    lab.store.fault = undefined;
    expect(lab.contents()).toBe(before);
    expect((await entries()).last).toBe(2);
  });

  it('keeps attempts with too small a role apart: whoever may do nothing cannot push out what was done', async () => {
    const entry = { timeMs: 1, username: 'a', role: 'readOnly', source: '', operation: 'x', object: '/x', status: 403, problem: 'NOT_AUTHORIZED' } as const;
    await lab.ask('POST', '/users', { username: 'alice' });
    await lab.store.transaction((tx) => {
      for (let n = 0; n < MAX_AUDIT_ATTEMPTS + MAX_AUDIT_ENTRIES; n++) appendAttempt(tx, entry);
    });
    await lab.ask('POST', '/users', { username: 'bob' });
    const attempts = MAX_AUDIT_ATTEMPTS + MAX_AUDIT_ENTRIES;
    const all = await entries();
    expect(all.entries.map(({ sequence }) => sequence).slice(0, 2)).toEqual([1, attempts - MAX_AUDIT_ATTEMPTS + 2]);
    expect(all.last).toBe(attempts + 2);
    expect(await entries(`?after=${attempts}`)).toMatchObject({ entries: [{ sequence: attempts + 1 }, { sequence: attempts + 2, operation: 'createUser' }] });
    expect((await entries(`?after=${attempts + 1}`)).entries).toHaveLength(1);
    expect((await entries(`?after=${attempts + 2}`)).entries).toEqual([]);
  });

  it.each([
    ['readOnly', { type: 'LOCK_DEVICE' }],
    ['helpDesk', { type: 'DELETE_DEVICE_DATA' }],
  ] as const)('has what %s may not send among the attempts, for one device and for many', async (role, command) => {
    const headers = await lab.headersOf(role);
    const alice = await lab.admin.createUser({ username: 'alice' });
    await lab.addDevice(alice, 'd1');
    await lab.ask('POST', `/users/${alice.guid}/userDevices/d1/commands`, command, headers);
    await lab.ask('POST', '/deviceCommands', { commands: [{ type: 'LOCK_DEVICE' }, command], devices: ['d1'] }, headers);
    const keys = lab.store.read((view) => view.range({ prefix: 'audit-attempt/', limit: 10 })).length;
    const { entries: found } = await entries();
    expect([keys, found.map(({ problem }) => problem)]).toEqual([2, ['NOT_AUTHORIZED', 'NOT_AUTHORIZED']]);
  });

  it('forgets the oldest, and uses no number twice', async () => {
    const entry = { timeMs: 1, username: 'a', role: 'readOnly', source: '', operation: 'x', object: '/x' } as const;
    await lab.store.transaction((tx) => {
      for (let n = 0; n < MAX_AUDIT_ENTRIES + 2; n++) appendAudit(tx, entry);
    });
    const found = await entries('?max=2');
    expect(found.entries.map(({ sequence }) => sequence)).toEqual([3, 4]);
    expect(found.last).toBe(MAX_AUDIT_ENTRIES + 2);
  });
});
