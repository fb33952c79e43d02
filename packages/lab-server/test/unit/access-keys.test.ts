import { keySchedule, secret, toHex } from '@uemkit/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { accessKeyById, addAccessKey, listAccessKeys, MAX_ACCESS_KEYS_PER_USER, MAX_FAILED_PROOFS, putAccessKey } from '../../src/state/access-keys.ts';
import { nocMessage } from '../../src/state/noc-outbox.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let lab: AdminLab;
let ada: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  ada = await lab.admin.createUser({ username: 'Ada', email: 'ada@example.com' });
});

const create = (body: object = {}, headers?: Record<string, string>) => lab.ask('POST', `/users/${ada.guid}/accessKeys`, body, headers);
const list = async (): Promise<readonly { readonly guid: string }[]> => (await lab.ask('GET', `/users/${ada.guid}/accessKeys`)).json.accessKeys;
const kept = (keyId: string) => lab.store.read((view) => accessKeyById(view, keyId));
const message = (keyId: string) => lab.store.read((view) => nocMessage(view, keyId));
const events = () => lab.events.page({ after: undefined, limit: 1_000 }).events.filter(({ type }) => type.startsWith('ACCESS_KEY'));

/** Keys that cost no scrypt. */
async function fill(count: number, expiresAtMs: number): Promise<void> {
  const bytes = new Uint8Array(32);
  const nowMs = lab.clock.nowMs();
  for (let index = 0; index < count; index++) {
    const keyId = `filled-${index}`;
    const common = { keyId, userGuid: ada.guid, userId: ada.userId, kind: 'typed', setUpPsk: bytes, verifier: bytes } as const;
    await lab.store.transaction((tx) => addAccessKey(tx, { ...common, createdAtMs: nowMs, expiresAtMs, failedProofs: 0, setUpsMs: [] }));
  }
}

describe('an access key', () => {
  it('is told once; the store holds what the app and the NOC are known by, and never the key', async () => {
    const { status, headers, json } = await create();
    expect([status, headers['content-type']]).toEqual([201, 'application/vnd.blackberry.accesskey-v1+json']);
    expect(json.accessKey).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){2}$/);
    expect(Date.parse(json.expiry)).toBe(lab.clock.nowMs() + DAY_MS);

    const plain = keySchedule.normalizeAccessKey(json.accessKey);
    const { password, salt, cost, lengthBytes } = keySchedule.typedAccessKeyStretch(lab.crypto, plain, ada.userId);
    const stretched = secret<'access-key'>(await lab.crypto.scrypt(password, salt, cost, lengthBytes));
    const key = kept(json.guid);
    expect(key).toMatchObject({ userGuid: ada.guid, userId: 'ada', kind: 'typed', failedProofs: 0 });
    expect(toHex(key?.setUpPsk as Uint8Array)).toBe(toHex(keySchedule.setUpPsk(lab.crypto, stretched)));
    expect(toHex(key?.verifier as Uint8Array)).toBe(toHex(keySchedule.nocVerifier(lab.crypto, keySchedule.nocHash(lab.crypto, stretched))));

    const everything = [lab.contents(), JSON.stringify(lab.journal.entries()), JSON.stringify(events()), JSON.stringify(await list())].join('\n');
    for (const form of [json.accessKey, plain, Buffer.from(plain).toString('hex')]) expect(everything).not.toContain(form);
  });

  it('is in the outbox to the NOC, which is told before the answer; the event has the name of the key', async () => {
    const { json } = await create();
    expect([message(json.guid), lab.told]).toEqual([{ kind: 'register' }, [json.guid]]);
    expect(events()).toMatchObject([{ type: 'ACCESS_KEY_CREATED', userGuid: ada.guid, keyId: json.guid }]);
    expect((await lab.ask('GET', '/events')).json.events.at(-1)).toMatchObject({ type: 'ACCESS_KEY_CREATED', accessKey: { guid: json.guid } });
  });

  it('is listed without the key, and not any more when it is used or its time is over', async () => {
    const day = (await create()).json;
    const minute = (await create({ expiry: new Date(lab.clock.nowMs() + MINUTE_MS).toISOString() })).json;
    expect((await list()).map(({ guid }) => guid).sort()).toEqual([day.guid, minute.guid].sort());
    expect((await list())[0]).toMatchObject({ kind: 'TYPED', triesLeft: MAX_FAILED_PROOFS });
    await lab.clock.advance(MINUTE_MS);
    expect((await list()).map(({ guid }) => guid)).toEqual([day.guid]);
    const use = { atMs: lab.clock.nowMs(), sessionId: 's', linkId: 'l', ackHash: 'a', done: new Uint8Array(1) };
    await lab.store.transaction((tx) => {
      const key = accessKeyById(tx, day.guid);
      if (key !== undefined) putAccessKey(tx, { ...key, setUpPsk: undefined, used: use });
    });
    expect(await list()).toEqual([]);
  });

  it.each([
    ['less than a minute', MINUTE_MS - 1],
    ['more than 30 days', 30 * DAY_MS + 1],
  ])('does not live %s', async (_what, lifeMs) => {
    const { status, json } = await create({ expiry: new Date(lab.clock.nowMs() + lifeMs).toISOString() });
    expect([status, json.id, lab.told]).toEqual([400, 'INVALID_PROPERTY', []]);
  });

  it('is one of a bounded number for each user; expired ones make room', async () => {
    await fill(MAX_ACCESS_KEYS_PER_USER, lab.clock.nowMs() + MINUTE_MS);
    expect((await create()).json.id).toBe('LIMIT_REACHED');
    await lab.clock.advance(MINUTE_MS);
    expect((await create()).status).toBe(201);
  });

  it('is forgotten some time after its end, with the keys that come after it', async () => {
    await fill(3, lab.clock.nowMs() + MINUTE_MS);
    await lab.clock.advance(MINUTE_MS);
    await create();
    expect(lab.store.read((view) => listAccessKeys(view, ada.guid))).toHaveLength(1);
    expect(kept('filled-0')).toBeUndefined();
  });
});

describe('the mail of an access key', () => {
  it('holds the key, and is queued with it', async () => {
    const { json } = await create({ emailTemplate: { guid: 'access-key' } });
    const mail = lab.admin.mail(json.mail.guid);
    expect(mail).toMatchObject({ to: 'ada@example.com', step: 'F3.5', status: 'waiting', expiresAtMs: Date.parse(json.expiry) });
    expect(mail.content?.text).toContain(json.accessKey);
    expect(mail.content?.html).toContain(json.accessKey);
    expect(mail.content?.subject).not.toContain(json.accessKey);
    expect(lab.kicks).toBe(1);
  });

  it('is the administrator’s own when there is one, and never has the key in its subject', async () => {
    const template = { name: 'Ours', subject: 'App', text: 'Key: {{accessKey}}', html: '<b>{{accessKey}}</b>' };
    await lab.ask('PUT', '/emailTemplates/access-key', template);
    const { json } = await create({ emailTemplate: { guid: 'access-key' } });
    expect(lab.admin.mail(json.mail.guid).content?.text).toBe(`Key: ${json.accessKey}`);
    const leaking = await lab.ask('PUT', '/emailTemplates/access-key', { ...template, subject: 'Key {{ accessKey }}' });
    expect([leaking.status, leaking.json.message]).toEqual([400, 'subject: must not hold a secret']);
  });

  it.each([
    ['NO_MAIL_ADDRESS', 'access-key', 'bob'],
    ['EMAIL_TEMPLATE_NOT_FOUND', 'no-such', 'ada'],
  ])('refused with %s leaves no key', async (problem, template, username) => {
    const bob = await lab.admin.createUser({ username: 'bob' });
    const { guid } = username === 'bob' ? bob : ada;
    const { json } = await lab.ask('POST', `/users/${guid}/accessKeys`, { emailTemplate: { guid: template } });
    expect([json.id, lab.admin.accessKeys(guid), lab.told]).toEqual([problem, [], []]);
  });
});

describe('a revoked access key', () => {
  it('is gone, the NOC is told, and the event says so', async () => {
    const { json } = await create();
    expect((await lab.ask('DELETE', `/users/${ada.guid}/accessKeys/${json.guid}`)).status).toBe(204);
    expect([await list(), kept(json.guid), message(json.guid)]).toEqual([[], undefined, { kind: 'withdraw' }]);
    expect(lab.told).toEqual([json.guid, json.guid]);
    expect(events().at(-1)).toMatchObject({ type: 'ACCESS_KEY_REVOKED', keyId: json.guid, userGuid: ada.guid });
    expect((await lab.ask('DELETE', `/users/${ada.guid}/accessKeys/${json.guid}`)).json.id).toBe('ACCESS_KEY_NOT_FOUND');
  });

  it('is one of the user of the path', async () => {
    const bob = await lab.admin.createUser({ username: 'bob' });
    const { json } = await create();
    expect((await lab.ask('DELETE', `/users/${bob.guid}/accessKeys/${json.guid}`)).json.id).toBe('ACCESS_KEY_NOT_FOUND');
    expect(await list()).toHaveLength(1);
  });

  it('was not used before', async () => {
    const { json } = await create();
    await lab.clock.advance(DAY_MS);
    expect((await lab.ask('DELETE', `/users/${ada.guid}/accessKeys/${json.guid}`)).json.id).toBe('ACCESS_KEY_NOT_FOUND');
    expect(message(json.guid)).toEqual({ kind: 'register' });
  });

  it('is what keys of a deleted user are', async () => {
    const { json } = await create();
    await lab.admin.deleteUser(ada.guid);
    expect([kept(json.guid), message(json.guid), lab.told.at(-1)]).toEqual([undefined, { kind: 'withdraw' }, json.guid]);
  });
});

describe('who may', () => {
  it('help desk makes and revokes keys, readers only list them; each is in the audit log with its end', async () => {
    const reader = await lab.headersOf('readOnly');
    const helper = await lab.headersOf('helpDesk');
    expect((await create({}, reader)).status).toBe(403);
    const { status, json } = await create({}, helper);
    expect([status, (await lab.ask('GET', `/users/${ada.guid}/accessKeys`, undefined, reader)).status]).toEqual([201, 200]);
    expect((await lab.ask('DELETE', `/users/${ada.guid}/accessKeys/${json.guid}`, undefined, reader)).status).toBe(403);
    expect((await lab.ask('DELETE', `/users/${ada.guid}/accessKeys/${json.guid}`, undefined, helper)).status).toBe(204);
    const { entries } = (await lab.ask('GET', '/auditLog')).json;
    const ours = entries.filter(({ operation }: { operation: string }) => /AccessKey/.test(operation));
    expect(ours.map(({ operation, status: end }: { operation: string; status: number }) => `${operation} ${end}`)).toEqual([
      'createAccessKey 403',
      'createAccessKey 201',
      'revokeAccessKey 403',
      'revokeAccessKey 204',
    ]);
  });

  it('a key of which the user was deleted while it was stretched is not made', async () => {
    const plan = await lab.admin.planAccessKey(ada.guid);
    await lab.admin.deleteUser(ada.guid);
    await expect(lab.store.transaction((tx) => plan.make(tx))).rejects.toMatchObject({ id: 'USER_NOT_FOUND' });
  });
});
