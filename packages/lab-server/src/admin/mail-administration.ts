import type { Clock, Entropy } from '@uemkit/protocol';
import { ACTIVATION_TEMPLATE_ID } from '../mail/activation-template.ts';
import type { Mailer } from '../mail/mailer.ts';
import { hasRoomForMail, mailAddressOf, queueMail } from '../mail/queue-mail.ts';
import { checkTemplate, SECRET_PLACEHOLDERS } from '../mail/template.ts';
import { BUILT_IN_TEMPLATES, templateInForce } from '../mail/template-in-force.ts';
import {
  deleteEmailTemplate,
  type EmailTemplateRecord,
  emailTemplate,
  listEmailTemplates,
  listTemplateVersions,
  MAX_TEMPLATES,
  putEmailTemplate,
} from '../state/email-templates.ts';
import { inboxMail, listInbox } from '../state/inbox.ts';
import { mailSettings, putMailSettings } from '../state/mail-settings.ts';
import { listMails, mailById } from '../state/mails.ts';
import { type UserRecord, userByGuid } from '../state/users.ts';
import type { LabStore, ReadView } from '../store/lab-store.ts';
import type { Administration } from './administration.ts';
import { checkMailSettings } from './check-mail-settings.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';
import type { SecretIssuer } from './secret-issuer.ts';

export interface MailAdministrationOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly mailer: Pick<Mailer, 'kick' | 'retryNow'>;
  readonly issuer: SecretIssuer;
  /** Where users look for a server: goes into the mail. */
  readonly serverAddress: string;
}

export type MailAdministration = Pick<
  Administration,
  | 'sendActivationMail'
  | 'mails'
  | 'mail'
  | 'retryMails'
  | 'mailSettings'
  | 'changeMailSettings'
  | 'emailTemplates'
  | 'emailTemplate'
  | 'emailTemplateVersions'
  | 'putEmailTemplate'
  | 'deleteEmailTemplate'
  | 'inbox'
  | 'inboxMail'
>;

const MAX_TEXT_CHARACTERS = 20_000;
const MAX_SUBJECT_CHARACTERS = 200;

/** Activation mails (F1.1c), their templates, where they go, and what arrived in the inbox of the lab. */
export function createMailAdministration(options: MailAdministrationOptions): MailAdministration {
  const { clock, entropy, store, mailer, issuer, serverAddress } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);

  /** Everything that can be refused is, before a secret is made. */
  const prepare = (guid: string, templateId: string): { readonly user: UserRecord; readonly template: EmailTemplateRecord } =>
    store.read((view) => {
      const user = userByGuid(view, guid);
      if (user === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
      if (mailAddressOf(user) === undefined) throw new AdminProblem('NO_MAIL_ADDRESS', 'the user has no e-mail address that mail can be sent to');
      if (!hasRoomForMail(view)) throw outboxFull();
      return { user, template: requireTemplate(view, templateId) };
    });

  return {
    async sendActivationMail(guid, wanted) {
      const { template: templateId = ACTIVATION_TEMPLATE_ID, password: passwordWanted, qrCode: qrWanted } = wanted;
      if (passwordWanted === undefined && qrWanted === undefined)
        throw new AdminProblem('INVALID_PROPERTY', 'activationPasswords: neither a password nor a QR code is asked for');
      const { user, template } = prepare(guid, templateId);
      if (qrWanted !== undefined) issuer.check(guid, 'qr', qrWanted);
      const password = passwordWanted === undefined ? undefined : await issuer.password(guid, passwordWanted);
      const qrCode = qrWanted === undefined ? undefined : await issuer.qrCode(guid, qrWanted);
      const expiresAtMs = Math.min(password?.expiresAtMs ?? Number.POSITIVE_INFINITY, qrCode?.expiresAtMs ?? Number.POSITIVE_INFINITY);
      const values = { serverAddress, password: password?.password, qrCode: qrCode?.content };
      const mail = await store.transaction((tx) => queueMail(tx, { user, template, step: 'F1.1', expiresAtMs, values }, { entropy, nowMs: clock.nowMs() }));
      if (mail === undefined) throw outboxFull();
      // It is durable: whoever asked need not wait for a host that may be down.
      mailer.kick();
      return { mail, password, qrCode };
    },

    *mails() {
      for (const { record } of rowsOf(read, listMails, (row) => row.id)) yield record;
    },
    mail(mailId) {
      const mail = store.read((view) => mailById(view, mailId));
      if (mail === undefined) throw new AdminProblem('MAIL_NOT_FOUND', 'there is no such mail');
      return mail;
    },
    retryMails: () => mailer.retryNow(),

    mailSettings: () => store.read(mailSettings),
    async changeMailSettings(changed) {
      checkMailSettings(changed);
      await store.transaction((tx) => putMailSettings(tx, changed));
      await mailer.retryNow();
    },

    *emailTemplates() {
      const kept = new Set<string>();
      for (const { record } of rowsOf(read, listEmailTemplates, (row) => row.id)) {
        kept.add(record.templateId);
        yield record;
      }
      yield* BUILT_IN_TEMPLATES.filter((template) => !kept.has(template.templateId));
    },
    emailTemplate: (templateId) => store.read((view) => requireTemplate(view, templateId)),
    emailTemplateVersions: (templateId) =>
      store.read((view) => {
        const template = requireTemplate(view, templateId);
        return template.version === 0 ? [template] : listTemplateVersions(view, templateId);
      }),
    putEmailTemplate(template) {
      checkWholeTemplate(template);
      const { templateId, name, subject, text, html } = template;
      return store.transaction((tx) => {
        const isNew = emailTemplate(tx, templateId) === undefined;
        if (isNew && listEmailTemplates(tx, { limit: MAX_TEMPLATES }).length >= MAX_TEMPLATES)
          throw new AdminProblem('INVALID_PROPERTY', `guid: there are ${MAX_TEMPLATES} templates already`);
        return putEmailTemplate(tx, { templateId, name, subject, text, html, changedAtMs: clock.nowMs() });
      });
    },
    async deleteEmailTemplate(templateId) {
      const deleted = await store.transaction((tx) => deleteEmailTemplate(tx, templateId));
      if (!deleted) throw noSuchTemplate();
    },

    inbox: (query = {}) => store.read((view) => listInbox(view, { limit: 100, ...query }).map(({ record }) => record)),
    inboxMail(inboxId) {
      const mail = store.read((view) => inboxMail(view, inboxId));
      if (mail === undefined) throw new AdminProblem('MAIL_NOT_FOUND', 'there is no such mail');
      return mail;
    },
  };
}

function outboxFull(): AdminProblem {
  return new AdminProblem('OUTBOX_FULL', 'too many mails wait to be sent');
}

function requireTemplate(view: ReadView, templateId: string): EmailTemplateRecord {
  const template = templateInForce(view, templateId);
  if (template === undefined) throw noSuchTemplate();
  return template;
}

function noSuchTemplate(): AdminProblem {
  return new AdminProblem('EMAIL_TEMPLATE_NOT_FOUND', 'there is no such e-mail template');
}

function checkWholeTemplate({ templateId, name, subject, text, html }: Pick<EmailTemplateRecord, 'templateId' | 'name' | 'subject' | 'text' | 'html'>): void {
  if (!/^[a-z0-9-]{1,64}$/.test(templateId)) throw new AdminProblem('INVALID_PROPERTY', 'guid: is not lower-case letters, digits and hyphens');
  if (name.length < 1 || name.length > 128) throw new AdminProblem('INVALID_PROPERTY', 'name: is not 1 to 128 characters');
  if (subject.length < 1 || subject.length > MAX_SUBJECT_CHARACTERS)
    throw new AdminProblem('INVALID_PROPERTY', `subject: is not 1 to ${MAX_SUBJECT_CHARACTERS} characters`);
  for (const [field, part] of Object.entries({ text, html })) {
    if (part.length < 1 || part.length > MAX_TEXT_CHARACTERS)
      throw new AdminProblem('INVALID_PROPERTY', `${field}: is not 1 to ${MAX_TEXT_CHARACTERS} characters`);
  }
  for (const [field, part] of Object.entries({ subject, text, html })) checkTemplate(part, field);
  if (SECRET_PLACEHOLDERS.some((name) => new RegExp(`\\{\\{[#/]?\\s*${name}\\s*\\}\\}`).test(subject)))
    throw new AdminProblem('INVALID_PROPERTY', 'subject: must not hold a secret');
}
