import { fromBase64url } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { putActivationRefusal } from '../../src/state/activation-refusals.ts';
import { putInboxMail } from '../../src/state/inbox.ts';
import { MAX_WAITING_MAILS, mailIdAt, putMail } from '../../src/state/mails.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { AdminLab } from '../support/admin-lab.ts';

let lab: AdminLab;
let ada: UserRecord;
beforeEach(async () => {
  lab = await AdminLab.start();
  ada = await lab.admin.createUser({ username: 'ada', email: 'ada@example.com' });
});

const PROFILE = {
  name: 'Field',
  activationType: 'work-space-only',
  createWorkSpace: true,
  encryptDevice: true,
  pollIntervalS: 900,
  pollJitterS: 0,
  allowedDevices: 2,
};
const passwords = (...activationPasswords: object[]) => lab.ask('POST', `/users/${ada.guid}/activationPasswords`, { activationPasswords });

describe('activation passwords', () => {
  it('are mailed in one mail, told once, and shown with what became of the mail', async () => {
    const emailTemplate = { guid: 'activation' };
    const { status, json } = await passwords({ emailTemplate }, { qrCode: true, emailTemplate });
    expect([status, json.activationPasswords.map(({ kind }: { kind: string }) => kind)]).toEqual([201, ['PASSWORD', 'QR_CODE']]);
    const [{ mail, password }, second] = json.activationPasswords;
    expect([second.mail, lab.kicks]).toEqual([mail, 1]);
    const kept = lab.admin.mail(mail.guid);
    expect(kept.content?.text).toContain(Buffer.from(password, 'base64').toString());
    expect(kept.content?.qrCode).toBe(second.qrCodeContent);
    const shown = await lab.ask('GET', `//lab/v1/mails/${mail.guid}`);
    expect(shown.json).toMatchObject({ status: 'WAITING', to: 'ada@example.com', emailTemplate: { guid: 'activation', version: 0 }, user: { guid: ada.guid } });
    expect((await lab.ask('GET', '//lab/v1/mails?query=status=WAITING')).json.mails).toHaveLength(1);
    for (const told of [shown.text, JSON.stringify(lab.journal.entries())]) expect(told).not.toContain(second.qrCodeContent);
  });

  it('are not made when they cannot be mailed', async () => {
    const bob = await lab.admin.createUser({ username: 'bob' });
    const ask = (guid: string, template = 'activation') =>
      lab.ask('POST', `/users/${guid}/activationPasswords`, { activationPasswords: [{ emailTemplate: { guid: template } }] });
    expect((await ask(bob.guid)).json.id).toBe('NO_MAIL_ADDRESS');
    expect((await ask(ada.guid, 'no-such')).json.id).toBe('EMAIL_TEMPLATE_NOT_FOUND');
    const full = {
      mailId: mailIdAt(0, 'x'),
      userGuid: 'u',
      to: 'a@b',
      templateId: 't',
      templateVersion: 0,
      status: 'waiting',
      createdAtMs: 0,
      expiresAtMs: 0,
      attempts: 0,
      nextAttemptMs: 0,
    } as const;
    await lab.store.transaction((tx) => {
      for (let index = 0; index < MAX_WAITING_MAILS; index++) putMail(tx, { ...full, mailId: mailIdAt(0, String(index)) });
    });
    expect((await ask(ada.guid)).json.id).toBe('OUTBOX_FULL');
    expect(lab.admin.activationSecrets(ada.guid)).toEqual([]);
  });

  it.each([
    ['an expiry in the past', [{}, { qrCode: true, expiry: '2020-01-01T00:00:00Z' }]],
    ['a short password', [{ qrCode: true }, { password: Buffer.from('short').toString('base64') }]],
    ['a long password', [{ qrCode: true }, { password: Buffer.from('x'.repeat(280)).toString('base64') }]],
    ['a profile that there is not', [{ emailTemplate: { guid: 'activation' } }, { qrCode: true, activationProfile: { guid: 'none' } }]],
    [
      'a mailed one with an expiry in the past',
      [{}, { qrCode: true, expiry: '2020-01-01T00:00:00Z' }].map((one) => ({ ...one, emailTemplate: { guid: 'activation' } })),
    ],
    ['two passwords', [{}, { qrCode: false }]],
  ])('are all as they were when one of two is refused: %s', async (_, entries) => {
    await passwords({}, { qrCode: true });
    const before = lab.contents();
    expect((await passwords(...entries)).status).toBeGreaterThanOrEqual(400);
    expect(lab.contents()).toBe(before);
  });

  it('are paired with at most two profiles, beside the one that is paired with none', async () => {
    for (const name of ['a', 'b', 'c']) await lab.ask('PUT', `//lab/v1/profiles/${name}`, PROFILE);
    const pair = (guid: string) => passwords({ qrCode: true, paired: true, activationProfile: { guid } });
    await passwords({ qrCode: true });
    const first = await pair('a');
    const slots = [first, await pair('b'), await pair('a')].map(
      ({ json }) => wire.qrCode.decode(wire.decodeCbor(fromBase64url(json.activationPasswords[0].qrCodeContent)), 'q').secretSlot,
    );
    expect(slots).toEqual([1, 2, 1]);
    expect((await pair('c')).json.id).toBe('TOO_MANY_PASSWORDS');
    expect((await passwords({ qrCode: true, paired: true })).json.id).toBe('INVALID_PROPERTY');
    await lab.ask('DELETE', '//lab/v1/profiles/a');
    expect((await pair('c')).status).toBe(201);
    const listed = (await lab.ask('GET', `/users/${ada.guid}/activationPasswords`)).json.activationPasswords;
    expect(listed.map(({ paired }: { paired: boolean }) => paired)).toEqual([false, true, true]);
  });

  it('are made as the settings say, and live as long', async () => {
    const changed = await lab.ask('PUT', '//lab/v1/activationSettings', {
      passwordLength: 12,
      passwordAlphabet: '0123456789',
      secretLifeMs: 60_000,
      expireAfterUse: false,
      licences: 7,
    });
    expect(changed.json).toEqual({
      passwordLength: 12,
      passwordAlphabet: '0123456789',
      secretLifeMs: 60_000,
      expireAfterUse: false,
      licences: 7,
      licencesUsed: 0,
    });
    const [made] = (await passwords({})).json.activationPasswords;
    expect(Buffer.from(made.password, 'base64').toString()).toMatch(/^\d{12}$/);
    expect([Date.parse(made.expiry) - lab.clock.nowMs(), made.expireAfterUse]).toEqual([60_000, false]);
    expect((await lab.ask('PUT', '//lab/v1/activationSettings', { licences: null })).json.licences).toBeUndefined();
  });

  it.each([
    ['passwordAlphabet', 'aaaaaaaaaaaa'],
    ['passwordAlphabet', 'short'],
    ['passwordLength', 7],
    ['secretLifeMs', 59_999],
    ['secretLifeMs', 2_592_000_001],
    ['licences', -1],
  ])('are not made of settings that are wrong: %s %s', async (field, value) => {
    const refused = await lab.ask('PUT', '//lab/v1/activationSettings', { [field]: value });
    expect([refused.status, refused.json.id, refused.json.message]).toEqual([400, 'INVALID_PROPERTY', expect.stringContaining(field)]);
  });
});

describe('activation profiles', () => {
  const RULES = {
    ownership: 'work',
    organizationNotice: 'This device belongs to Example Ltd.',
    deviceKinds: ['ios', 'android-enterprise'],
    activationTypes: {
      'android-enterprise': [
        { activationType: 'work-space-only', createWorkSpace: true, encryptDevice: true },
        { activationType: 'work-and-personal-user-privacy', createWorkSpace: true, encryptDevice: false },
      ],
    },
    modelRestriction: { rule: 'allow', models: ['iPhone*'] },
    minimumOsVersions: { ios: '17.4' },
  };

  it('are kept with all their rules', async () => {
    const put = await lab.ask('PUT', '//lab/v1/profiles/field', { ...PROFILE, ...RULES });
    expect([put.status, put.json]).toEqual([200, { guid: 'field', ...PROFILE, ...RULES }]);
    expect((await lab.ask('GET', '//lab/v1/profiles/field')).json).toEqual(put.json);
    expect((await lab.ask('DELETE', '//lab/v1/profiles/field')).status).toBe(204);
    expect((await lab.ask('GET', '//lab/v1/profiles/field')).json.id).toBe('PROFILE_NOT_FOUND');
    expect((await lab.ask('DELETE', '//lab/v1/profiles/default')).json.id).toBe('PROFILE_IN_USE');
  });

  it.each<[string, object]>([
    ['deviceKinds', { deviceKinds: ['toaster'] }],
    [
      'activationTypes.ios',
      {
        activationTypes: {
          ios: [
            { ...PROFILE, activationType: 'mdm-controls' },
            { ...PROFILE, activationType: 'user-privacy' },
          ].map(({ activationType }) => ({ activationType, createWorkSpace: false, encryptDevice: false })),
        },
      },
    ],
    ['activationTypes.ios', { activationTypes: { ios: [{ activationType: 'work-space-only', createWorkSpace: false, encryptDevice: false }] } }],
    ['modelRestriction', { modelRestriction: { rule: 'allow', models: [] } }],
    ['minimumOsVersions', { minimumOsVersions: { ios: 'newest' } }],
    ['organizationNotice', { organizationNotice: 'ö'.repeat(3_000) }],
    ['ownership', { ownership: 'mine' }],
  ])('are refused, and nothing is changed, when %s is wrong', async (field, rules) => {
    const refused = await lab.ask('PUT', '//lab/v1/profiles/default', { ...PROFILE, ...rules });
    expect([refused.status, refused.json.id, refused.json.message]).toEqual([400, 'INVALID_PROPERTY', expect.stringContaining(field)]);
    expect(lab.admin.profile('default').name).toBe('Default');
  });

  it('show which devices they refused', async () => {
    const info = { platform: 'ios', osVersion: '16', model: 'iPhone', clientVersion: '1' };
    await lab.store.transaction((tx) =>
      putActivationRefusal(tx, 'x', { userGuid: ada.guid, refusal: 'osTooOld', message: 'm', info, profileId: 'default', refusedAtMs: 0 }),
    );
    expect((await lab.ask('GET', `/users/${ada.guid}/activationRefusals`)).json).toEqual({
      activationRefusals: [
        {
          reason: 'osTooOld',
          message: 'm',
          time: '1970-01-01T00:00:00.000Z',
          device: { os: 'ios', osVersion: '16', hardwareModel: 'iPhone' },
          activationProfile: { guid: 'default' },
        },
      ],
    });
  });
});

describe('e-mail templates', () => {
  const TEMPLATE = { name: 'Ours', subject: 'For {{displayName}}', text: 'Hello {{#password}}{{password}}{{/password}}', html: '<p>{{username}}</p>' };

  it('have versions, and the one for activations falls back to that of the lab', async () => {
    expect((await lab.ask('GET', '/emailTemplates')).json.emailTemplates).toMatchObject([
      { guid: 'activation', version: 0 },
      { guid: 'access-key', version: 0 },
      { guid: 'compliance', version: 0 },
      { guid: 'device-password', version: 0 },
    ]);
    expect((await lab.ask('PUT', '/emailTemplates/activation', TEMPLATE)).json).toMatchObject({ version: 1, ...TEMPLATE });
    expect((await lab.ask('PUT', '/emailTemplates/activation', { ...TEMPLATE, name: 'Ours, again' })).json.version).toBe(2);
    expect((await lab.ask('GET', '/emailTemplates/activation/versions')).json.versions.map(({ version }: { version: number }) => version)).toEqual([1, 2]);
    const [{ mail }] = (await passwords({ emailTemplate: { guid: 'activation' } })).json.activationPasswords;
    expect(lab.admin.mail(mail.guid)).toMatchObject({ templateVersion: 2, content: { subject: 'For ada', html: '<p>ada</p>' } });
    expect((await lab.ask('DELETE', '/emailTemplates/activation')).status).toBe(204);
    expect((await lab.ask('GET', '/emailTemplates/activation')).json.version).toBe(0);
    expect((await lab.ask('DELETE', '/emailTemplates/activation')).json.id).toBe('EMAIL_TEMPLATE_NOT_FOUND');
  });

  it.each([
    ['subject', { subject: '{{password}}' }],
    ['text', { text: '{{nothing}}' }],
    ['html', { html: '{{#qrCode}}' }],
  ])('are refused when the %s is wrong', async (field, change) => {
    expect((await lab.ask('PUT', '/emailTemplates/activation', { ...TEMPLATE, ...change })).json).toMatchObject({
      id: 'INVALID_PROPERTY',
      message: expect.stringContaining(field),
    });
  });
});

describe('where mails go', () => {
  const SMTP = { host: 'mail.example.com', port: 587, security: 'starttls', username: 'uem', password: 'secret of the host' };

  it('is set, shown without the password, and not journalled', async () => {
    const put = await lab.ask('PUT', '//lab/v1/mail/settings', { from: 'UEM <uem@example.com>', smtp: SMTP });
    const { password, ...shown } = SMTP;
    expect(put.json).toEqual({ from: 'UEM <uem@example.com>', smtp: { ...shown, hasPassword: true } });
    expect((await lab.ask('GET', '//lab/v1/mail/settings')).json).toEqual(put.json);
    expect([lab.admin.mailSettings().smtp?.password, lab.kicks]).toEqual([password, 1]);
    expect(JSON.stringify(lab.journal.entries())).not.toContain(password);
    expect((await lab.ask('PUT', '//lab/v1/mail/settings', { from: 'uem@example.com' })).json).toEqual({ from: 'uem@example.com' });
    expect((await lab.ask('POST', '//lab/v1/mail/retry')).status).toBe(204);
  });

  it.each<[string, object]>([
    ['from', { from: 'nobody' }],
    ['from', { from: 'A <a@example.com>, b@example.com' }],
    ['smtp.host', { from: 'a@example.com', smtp: { ...SMTP, host: 'a b' } }],
    ['smtp.port', { from: 'a@example.com', smtp: { ...SMTP, port: 0 } }],
    ['smtp.security', { from: 'a@example.com', smtp: { ...SMTP, security: 'none' } }],
    ['smtp.password', { from: 'a@example.com', smtp: { ...SMTP, password: undefined } }],
    ['smtp.ca', { from: 'a@example.com', smtp: { ...SMTP, ca: 'no certificate' } }],
  ])('is refused when %s is wrong', async (field, settings) => {
    expect((await lab.ask('PUT', '//lab/v1/mail/settings', settings)).json).toMatchObject({ id: 'INVALID_PROPERTY', message: expect.stringContaining(field) });
    expect(lab.admin.mailSettings().from).toBe('UEM <uem@lab.invalid>');
  });

  it('may be the inbox of the lab, which is read by address', async () => {
    const mail = { from: 'a@example.com', subject: 's', receivedAtMs: 0, source: new TextEncoder().encode('Subject: s\r\n\r\nx') };
    const id = (digit: number) => `000000000000000${digit}-00000000-0000-4000-8000-000000000000`;
    await lab.store.transaction((tx) => {
      putInboxMail(tx, { ...mail, inboxId: id(1), to: ['ada@example.com'] });
      putInboxMail(tx, { ...mail, inboxId: id(2), to: ['bob@example.com', 'ada@example.com'] });
    });
    const guids = async (query: string) => (await lab.ask('GET', `//lab/v1/inbox${query}`)).json.mails.map(({ guid }: { guid: string }) => guid);
    expect(await guids('?to=ADA@example.com')).toEqual([id(1), id(2)]);
    expect(await guids(`?to=ada@example.com&after=${id(1)}`)).toEqual([id(2)]);
    expect(await guids('?max=1')).toEqual([id(1)]);
    expect((await lab.ask('GET', `//lab/v1/inbox/${id(2)}`)).json).toMatchObject({
      to: ['bob@example.com', 'ada@example.com'],
      source: Buffer.from(mail.source).toString('base64'),
    });
    expect((await lab.ask('GET', `//lab/v1/inbox/${id(3)}`)).json.id).toBe('MAIL_NOT_FOUND');
  });
});
