import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { AdminProblem, PROBLEM_IDS, type ProblemId } from '../../src/admin/problem.ts';
import { enqueueUpdate } from '../../src/state/command-queue.ts';
import { appendEvent, MAX_EVENTS } from '../../src/state/events.ts';
import { MAX_WAITING_MAILS, mailIdAt, putMail } from '../../src/state/mails.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab, basic, type Reply } from '../support/admin-lab.ts';

let lab: AdminLab;
let alice: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  alice = await lab.admin.createUser({ username: 'alice', email: 'alice@example.com' });
  await lab.addDevice(alice, 'd1', { activationType: 'mdm-controls' });
});

type Request = () => Promise<Reply>;
const ask =
  (method: string, target: string, body?: unknown, headers?: Record<string, string>): Request =>
  () =>
    lab.ask(method, target, body, headers);
const device = (rest = ''): string => `/users/${alice.guid}/userDevices/d1${rest}`;
const passwords = (body: object): Promise<Reply> => lab.ask('POST', `/users/${alice.guid}/activationPasswords`, { activationPasswords: [body] });
/** The same request until it is refused. */
async function until(refused: ProblemId, request: (index: number) => Promise<Reply>): Promise<Reply> {
  for (let index = 0; ; index++) {
    const reply = await request(index);
    if (reply.json?.id === refused) return reply;
    if (reply.status >= 400) throw new Error(reply.text);
  }
}
const made = async (path: string, body: object): Promise<string> => (await lab.ask('POST', path, body)).json.guid;
const PROFILE = { name: 'P', activationType: 'a', createWorkSpace: false, encryptDevice: false, pollIntervalS: 9, pollJitterS: 0, allowedDevices: 1 };
const APPLICATION = { applicationId: 'com.example', name: 'Example', version: '1', platforms: ['IOS'] };

/** Every refusal by a request that meets it, with its status and number said again by hand. TOO_LARGE comes from the listener, without a body. */
const REFUSALS: Readonly<Record<Exclude<ProblemId, 'TOO_LARGE'>, readonly [status: number, subStatusCode: number, request: Request]>> = {
  BAD_REQUEST: [400, 400, ask('POST', '/users', '{')],
  UNKNOWN_PROPERTY: [400, 1002, ask('POST', '/users', { username: 'bob', colour: 'red' })],
  INVALID_PROPERTY: [400, 1003, ask('POST', '/users', { username: 1 })],
  INVALID_QUERY: [400, 1004, ask('GET', '/users?max=0')],
  INVALID_POLICY_DEFINITION: [
    400,
    1005,
    async () => lab.ask('PUT', `/applications/${await made('/applications', APPLICATION)}/policyDefinition`, { xml: '<x/>' }),
  ],
  NOT_AUTHENTICATED: [401, 401, ask('GET', '/users', undefined, basic('admin', 'wrong'))],
  NOT_AUTHORIZED: [403, 403, async () => lab.ask('POST', '/users', { username: 'bob' }, await lab.headersOf('readOnly'))],
  NOT_FOUND: [404, 404, ask('GET', '/nowhere')],
  TENANT_NOT_FOUND: [404, 101, ask('GET', '//another-tenant/api/v1/users')],
  USER_NOT_FOUND: [404, 110, ask('GET', '/users/none')],
  DEVICE_NOT_FOUND: [404, 111, () => lab.ask('GET', `/users/${alice.guid}/userDevices/none`)],
  COMMAND_NOT_FOUND: [404, 112, () => lab.ask('GET', device(`/commands/${'0'.repeat(32)}`))],
  APPLICATION_NOT_FOUND: [404, 113, ask('GET', '/applications/none')],
  PROFILE_NOT_FOUND: [404, 114, ask('GET', '/profiles/none')],
  ACCESS_KEY_NOT_FOUND: [404, 149, () => lab.ask('DELETE', `/users/${alice.guid}/accessKeys/${'0'.repeat(32)}`)],
  UNLOCK_KEY_NOT_HELD: [
    409,
    150,
    async () => {
      await lab.addApp(alice, '1'.repeat(32));
      return lab.ask('POST', `/users/${alice.guid}/dynamicsApps/${'1'.repeat(32)}/unlockKey`);
    },
  ],
  FAULT_NOT_FOUND: [404, 115, ask('DELETE', '//lab/v1/faults/fault-9')],
  MAIL_NOT_FOUND: [404, 116, ask('GET', `//lab/v1/mails/${'0'.repeat(16)}-${'0'.repeat(16)}`)],
  EMAIL_TEMPLATE_NOT_FOUND: [404, 117, ask('GET', '/emailTemplates/none')],
  ADMINISTRATOR_NOT_FOUND: [404, 130, ask('GET', '/administrators/none')],
  GROUP_NOT_FOUND: [404, 140, ask('GET', '/groups/none')],
  POLICY_NOT_FOUND: [404, 141, ask('GET', '/policies/none')],
  ASSIGNMENT_NOT_FOUND: [404, 142, () => lab.ask('DELETE', `/users/${alice.guid}/policies/none`)],
  APPLICATION_SERVER_NOT_FOUND: [404, 143, ask('GET', '/applicationServers/none')],
  POLICY_DEFINITION_NOT_FOUND: [404, 151, async () => lab.ask('GET', `/applications/${await made('/applications', APPLICATION)}/policyDefinition`)],
  METHOD_NOT_ALLOWED: [405, 405, ask('PATCH', '/users')],
  EVENTS_DROPPED: [
    410,
    118,
    async () => {
      for (let left = MAX_EVENTS + 1; left > 0; left -= 10_001) {
        await lab.store.transaction((tx) => {
          for (let n = 0; n < 10_001; n++) appendEvent(tx, { timeMs: 1, type: 'USER_CREATED' });
        });
      }
      return lab.ask('GET', `/events?after=${lab.position(0)}`);
    },
  ],
  POSITION_UNKNOWN: [410, 119, ask('GET', '/events?after=0')],
  USER_EXISTS: [409, 120, ask('POST', '/users', { username: 'ALICE' })],
  USER_HAS_DEVICES: [409, 121, () => lab.ask('DELETE', `/users/${alice.guid}`)],
  DEVICE_NOT_ACTIVE: [
    409,
    122,
    async () => {
      await lab.admin.removeDevice('d1');
      return lab.ask('POST', device('/commands'), { type: 'LOCK_DEVICE' });
    },
  ],
  QUEUE_FULL: [409, 123, () => until('QUEUE_FULL', () => lab.ask('POST', device('/commands'), { type: 'LOCK_DEVICE' }))],
  COMMAND_SENT: [
    409,
    124,
    async () => {
      const { guid } = (await lab.ask('POST', device('/commands'), { type: 'REMOVE_DEVICE' })).json;
      return lab.ask('DELETE', device(`/commands/${guid}`));
    },
  ],
  COMMAND_NOT_APPLICABLE: [409, 125, () => lab.ask('POST', device('/commands'), { type: 'LOCK_WORK_SPACE', properties: { password: btoa('new-Secret-1') } })],
  PROFILE_IN_USE: [409, 126, ask('DELETE', '//lab/v1/profiles/default')],
  NO_MAIL_ADDRESS: [
    409,
    127,
    async () => {
      alice = await lab.admin.createUser({ username: 'bob' });
      return passwords({ emailTemplate: { guid: 'activation' } });
    },
  ],
  OUTBOX_FULL: [
    409,
    128,
    async () => {
      const waiting = { userGuid: 'u', to: 'a@b', templateId: 't', templateVersion: 0, status: 'waiting', createdAtMs: 0, expiresAtMs: 0 } as const;
      await lab.store.transaction((tx) => {
        for (let n = 0; n < MAX_WAITING_MAILS; n++) putMail(tx, { ...waiting, mailId: mailIdAt(0, String(n)), attempts: 0, nextAttemptMs: 0 });
      });
      return passwords({ emailTemplate: { guid: 'activation' } });
    },
  ],
  TOO_MANY_PASSWORDS: [
    409,
    129,
    () =>
      until('TOO_MANY_PASSWORDS', async (index) => {
        await lab.ask('PUT', `//lab/v1/profiles/p${index}`, PROFILE);
        return passwords({ qrCode: true, paired: true, activationProfile: { guid: `p${index}` } });
      }),
  ],
  ADMINISTRATOR_EXISTS: [409, 131, ask('POST', '/administrators', { username: 'admin', role: 'readOnly' })],
  ADMINISTRATOR_REQUIRED: [
    409,
    132,
    async () => {
      const [first] = (await lab.ask('GET', '/administrators')).json.administrators;
      return lab.ask('DELETE', `/administrators/${first.guid}`);
    },
  ],
  TOO_MANY_ADMINISTRATORS: [
    409,
    133,
    () => until('TOO_MANY_ADMINISTRATORS', (index) => lab.ask('POST', '/administrators', { username: `helper-${index}`, role: 'helpDesk' })),
  ],
  APPLICATION_EXISTS: [
    409,
    144,
    async () => {
      await made('/applications', APPLICATION);
      return lab.ask('POST', '/applications', APPLICATION);
    },
  ],
  IN_USE: [
    409,
    145,
    async () => {
      const group = await made('/groups', { name: 'G' });
      await lab.ask('POST', `/groups/${group}/users`, { users: [{ guid: alice.guid }] });
      return lab.ask('DELETE', `/groups/${group}`);
    },
  ],
  LIMIT_REACHED: [409, 146, () => until('LIMIT_REACHED', (index) => lab.ask('POST', '/policies', { name: `P${index}`, rules: {} }))],
  GROUP_BY_QUERY: [
    409,
    147,
    async () => {
      const query = { match: 'ALL', conditions: [{ field: 'os', operator: 'EQUALS', value: 'ios' }] };
      const group = await made('/deviceGroups', { name: 'D', query });
      return lab.ask('POST', `/deviceGroups/${group}/devices`, { devices: [{ guid: 'd1' }] });
    },
  ],
  UPDATE_OF_SERVER: [
    409,
    148,
    async () => {
      const commandId = 'ab'.repeat(16);
      await lab.store.transaction((tx) => enqueueUpdate(tx, { commandId, deviceId: 'd1', type: 'UPDATE_IT_POLICY' }, 1));
      return lab.ask('DELETE', device(`/commands/${commandId}`));
    },
  ],
  UNSUPPORTED_MEDIA_TYPE: [415, 415, ask('POST', '/users', { username: 'bob' }, { 'content-type': 'text/plain' })],
  INTERNAL: [
    500,
    500,
    async () => {
      await lab.store.close();
      return lab.ask('GET', '/users');
    },
  ],
  BUSY: [
    503,
    503,
    async () => {
      lab.store.fault = 'disk-full';
      return lab.ask('POST', '/users', { username: 'bob' });
    },
  ],
};

describe('every documented error body', () => {
  it('has a request here, and a place on the page about the REST API', () => {
    expect(Object.keys(REFUSALS).sort()).toEqual(PROBLEM_IDS.filter((id) => id !== 'TOO_LARGE').sort());
    const page = readFileSync(new URL('../../../../docs/admin-rest.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('### Errors'), page.indexOf('## Routes'));
    const named = table.split('\n').flatMap((row) => {
      const status = /^\| (\d{3}) \|/.exec(row)?.[1];
      return status === undefined ? [] : [...row.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, id]) => `${status} ${id}`);
    });
    expect(named.sort()).toEqual(
      Object.entries(REFUSALS)
        .map(([id, [status]]) => `${status} ${id}`)
        .sort(),
    );
    expect(new AdminProblem('TOO_LARGE', '').status).toBe(413);
  });

  it.each(Object.entries(REFUSALS))('%s', async (id, [status, subStatusCode, request]) => {
    const { status: answered, headers, json, text } = await request();
    expect([answered, headers['content-type']]).toEqual([status, 'application/vnd.blackberry.error-v1+json']);
    expect(json).toEqual({ id, subStatusCode, message: expect.stringMatching(/^[^\n]{5,400}$/) });
    expect(text).not.toMatch(/\.ts:\d|node:internal|\bat \w+ \(/);
  });
});
