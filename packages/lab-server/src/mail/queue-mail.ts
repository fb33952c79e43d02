import { type Entropy, toHex } from '@uemkit/protocol';
import { isMailAddress } from '../admin/check-mail-settings.ts';
import type { EmailTemplateRecord } from '../state/email-templates.ts';
import { MAX_WAITING_MAILS, type MailRecord, type MailStep, mailCountsOf, mailIdAt, putMail } from '../state/mails.ts';
import { tenantOf } from '../state/tenants.ts';
import type { UserRecord } from '../state/users.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { renderHtml, renderSubject, renderText, type TemplateValues } from './template.ts';

/** A mail to a user before its template is filled in. */
export interface NewMail {
  readonly user: UserRecord;
  readonly template: EmailTemplateRecord;
  readonly step?: MailStep | undefined;
  /** The device that it is about. */
  readonly deviceId?: string | undefined;
  /** Wall clock, milliseconds: then it is of no use. */
  readonly expiresAtMs: number;
  readonly values: Omit<TemplateValues, 'displayName' | 'username' | 'emailAddress' | 'organization' | 'expiry'>;
}

/** Address of a user that mail can be sent to. */
export function mailAddressOf(user: UserRecord | undefined): string | undefined {
  return user?.email !== undefined && isMailAddress(user.email) ? user.email : undefined;
}

/** False: so many mails wait that no further one is taken. */
export function hasRoomForMail(view: ReadView): boolean {
  return mailCountsOf(view).waiting < MAX_WAITING_MAILS;
}

/** Puts a mail into the outbox: it will be sent when the transaction is durable. Undefined: the user has no address, or there is no room. */
export function queueMail(tx: WriteView, mail: NewMail, { entropy, nowMs }: { readonly entropy: Entropy; readonly nowMs: number }): MailRecord | undefined {
  const { user, template, step, deviceId, expiresAtMs } = mail;
  const to = mailAddressOf(user);
  if (to === undefined || !hasRoomForMail(tx)) return undefined;
  const { displayName, username } = user;
  const organization = tenantOf(tx)?.name ?? '';
  const values: TemplateValues = { ...mail.values, displayName, username, emailAddress: to, organization, expiry: timeText(expiresAtMs) };
  const record: MailRecord = {
    mailId: mailIdAt(nowMs, toHex(entropy.randomBytes(8))),
    userGuid: user.guid,
    deviceId,
    to,
    step,
    templateId: template.templateId,
    templateVersion: template.version,
    status: 'waiting',
    createdAtMs: nowMs,
    expiresAtMs,
    attempts: 0,
    nextAttemptMs: nowMs,
    content: {
      subject: renderSubject(template.subject, values),
      text: renderText(template.text, values),
      html: renderHtml(template.html, values),
      qrCode: values.qrCode,
    },
  };
  putMail(tx, record);
  return record;
}

/** A time as mails tell it: `2026-06-01 12:00 UTC`. */
export function timeText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
