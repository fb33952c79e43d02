import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { InboxMailRecord } from '../state/inbox.ts';
import type { MailSettingsRecord } from '../state/mail-settings.ts';
import type { MailRecord } from '../state/mails.ts';
import { type BodySchema, component, guidText, line, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { INBOX_MAIL_PART, MAIL_PART } from './parts.ts';
import { wholeNumberText } from './query.ts';
import { type QuerySchema, type Route, route } from './route.ts';
import { timeOf } from './views.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const mailView: ViewSchema = component(
  'Mail',
  v.strictObject({
    guid: guidText,
    user: v.strictObject({ guid: guidText }),
    device: v.optional(v.strictObject({ guid: guidText })),
    to: v.string(),
    emailTemplate: v.strictObject({ guid: guidText, version: count }),
    status: v.picklist(['WAITING', 'SENT', 'FAILED', 'EXPIRED']),
    created: timeText,
    expiry: timeText,
    attempts: count,
    nextAttempt: v.optional(timeText),
    ended: v.optional(timeText),
    error: v.optional(v.string()),
  }),
);
const mailsView: ViewSchema = pageView('Mails', 'mails', mailView);

const SMTP_FIELDS = {
  host: line(253),
  port: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535)),
  security: v.picklist(['none', 'starttls', 'tls']),
};
const pem = v.pipe(v.string(), v.maxLength(65_536));

/** PUT /lab/v1/mail/settings */
const settingsBody: BodySchema<MailSettingsRecord> = component(
  'NewMailSettings',
  v.strictObject({
    from: line(254),
    smtp: v.optional(v.strictObject({ ...SMTP_FIELDS, username: v.optional(line(255)), password: v.optional(line(1_024)), ca: v.optional(pem) })),
  }),
);
const settingsView: ViewSchema = component(
  'MailSettings',
  v.strictObject({
    from: v.string(),
    smtp: v.optional(v.strictObject({ ...SMTP_FIELDS, username: v.optional(v.string()), hasPassword: v.boolean(), ca: v.optional(pem) })),
  }),
);

const INBOX_FIELDS = { guid: guidText, from: v.string(), to: v.array(v.string()), subject: v.string(), received: timeText, bytes: count };
const inboxMailView: ViewSchema = component(
  'InboxMail',
  v.strictObject({ ...INBOX_FIELDS, source: v.pipe(v.string(), v.description('Base64 of the whole mail')) }),
);
const inboxView: ViewSchema = component('Inbox', v.strictObject({ mails: v.array(component('InboxEntry', v.strictObject(INBOX_FIELDS))) }));

interface InboxParameters {
  readonly to?: string | undefined;
  readonly after?: string | undefined;
  readonly max?: number | undefined;
}

const inboxQuery: QuerySchema<InboxParameters> = v.strictObject({
  to: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(254))),
  after: v.optional(v.pipe(v.string(), v.regex(INBOX_MAIL_PART.pattern as RegExp))),
  max: v.optional(wholeNumberText(0, 1_000)),
});

const MAIL_FIELDS = ['to', 'status', 'created'] as const;

/** Mails to users and what became of them, where they go, and the inbox of the lab (F1.1c). The documented API has none of it, so these routes are the lab's own. */
export function mailRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listMails',
      method: 'GET',
      path: '/lab/v1/mails',
      summary: 'Lists mails to users and what became of each',
      tag: 'mail',
      role: 'readOnly',
      list: MAIL_FIELDS,
      answers: { 200: { schema: mailsView } },
      run({ list }) {
        const page = pageOf(admin.mails(), list, (mail, field) =>
          field === 'created' ? timeOf(mail.createdAtMs) : field === 'to' ? mail.to : mail.status.toUpperCase(),
        );
        return { status: 200, body: { mails: page.items.map(viewOfMail), links: pageLinks('/lab/v1/mails', list, page.hasMore) } };
      },
    }),
    route({
      id: 'getMail',
      method: 'GET',
      path: '/lab/v1/mails/{mail}',
      summary: 'Shows what became of one mail',
      tag: 'mail',
      role: 'readOnly',
      parts: { mail: MAIL_PART },
      answers: { 200: { schema: mailView } },
      problems: ['MAIL_NOT_FOUND'],
      run: ({ parts }) => ({ status: 200, body: viewOfMail(admin.mail(parts.mail)) }),
    }),
    route({
      id: 'retryMails',
      method: 'POST',
      path: '/lab/v1/mail/retry',
      summary: 'Tries waiting mails now, whatever the pauses after their failures',
      tag: 'mail',
      role: 'administrator',
      answers: { 204: {} },
      async run() {
        await admin.retryMails();
        return { status: 204 };
      },
    }),
    route({
      id: 'getMailSettings',
      method: 'GET',
      path: '/lab/v1/mail/settings',
      summary: 'Shows where mails go; never a password',
      tag: 'mail',
      role: 'readOnly',
      answers: { 200: { schema: settingsView } },
      run: () => ({ status: 200, body: viewOfSettings(admin.mailSettings()) }),
    }),
    route({
      id: 'putMailSettings',
      method: 'PUT',
      path: '/lab/v1/mail/settings',
      summary: 'Says where mails go, and tries those that wait; without an SMTP host they go to the inbox of the lab',
      tag: 'mail',
      role: 'administrator',
      body: { schema: settingsBody },
      answers: { 200: { schema: settingsView } },
      async run({ body }) {
        await admin.changeMailSettings(body);
        return { status: 200, body: viewOfSettings(body) };
      },
    }),
    route({
      id: 'listInbox',
      method: 'GET',
      path: '/lab/v1/inbox',
      summary: 'Lists mails that arrived in the inbox of the lab, the oldest first',
      tag: 'mail',
      role: 'administrator',
      query: inboxQuery,
      answers: { 200: { schema: inboxView } },
      run: ({ query: { max = 100, ...query } }) => ({ status: 200, body: { mails: admin.inbox({ ...query, limit: max }).map(viewOfInboxMail) } }),
    }),
    route({
      id: 'getInboxMail',
      method: 'GET',
      path: '/lab/v1/inbox/{mail}',
      summary: 'Gives one mail of the inbox, with the secrets that are in it',
      tag: 'mail',
      role: 'administrator',
      parts: { mail: INBOX_MAIL_PART },
      answers: { 200: { schema: inboxMailView } },
      problems: ['MAIL_NOT_FOUND'],
      run({ parts }) {
        const mail = admin.inboxMail(parts.mail);
        return { status: 200, body: { ...viewOfInboxMail(mail), source: Buffer.from(mail.source).toString('base64') } };
      },
    }),
  ];
}

function viewOfMail({
  mailId,
  userGuid,
  deviceId,
  to,
  templateId,
  templateVersion,
  status,
  createdAtMs,
  expiresAtMs,
  attempts,
  nextAttemptMs,
  endedAtMs,
  error,
}: MailRecord): object {
  return {
    guid: mailId,
    user: { guid: userGuid },
    ...(deviceId === undefined ? {} : { device: { guid: deviceId } }),
    to,
    emailTemplate: { guid: templateId, version: templateVersion },
    status: status.toUpperCase(),
    created: timeOf(createdAtMs),
    expiry: timeOf(expiresAtMs),
    attempts,
    ...(status === 'waiting' ? { nextAttempt: timeOf(nextAttemptMs) } : {}),
    ...(endedAtMs === undefined ? {} : { ended: timeOf(endedAtMs) }),
    ...(error === undefined ? {} : { error }),
  };
}

function viewOfSettings({ from, smtp }: MailSettingsRecord): object {
  if (smtp === undefined) return { from };
  const { password, ...shown } = smtp;
  return { from, smtp: { ...shown, hasPassword: password !== undefined } };
}

function viewOfInboxMail({ inboxId, from, to, subject, receivedAtMs, source }: InboxMailRecord): object {
  return { guid: inboxId, from, to, subject, received: timeOf(receivedAtMs), bytes: source.length };
}
