import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, type Row, sortable, type Table, table } from './table.ts';

/** `waiting`: on its way, perhaps after failed attempts. `failed`: the host refused it for good. `expired`: it was of no use any more before a host took it. */
export type MailStatus = 'waiting' | 'sent' | 'failed' | 'expired';

/** Flow step that a mail belongs to. */
export type MailStep = 'F1.1' | 'F3.5' | 'F5.1';

/** What the mail says; holds secrets, and is forgotten as soon as the mail is not waiting any more. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Content of the QR code whose picture goes with the mail. */
  readonly qrCode?: string | undefined;
}

/** One mail to a user: an activation mail (F1.1c), an access key (F3.5), a new device password (F5.1), or a compliance prompt (no step). */
export interface MailRecord {
  /** Sorts by time of creation; also in the Message-ID, so that a mail that arrives twice can be told. */
  readonly mailId: string;
  readonly userGuid: string;
  /** The device that it is about. */
  readonly deviceId?: string | undefined;
  readonly to: string;
  readonly step?: MailStep | undefined;
  readonly templateId: string;
  readonly templateVersion: number;
  readonly status: MailStatus;
  readonly createdAtMs: number;
  /** Then it is of no use: the secret in it is expired. */
  readonly expiresAtMs: number;
  readonly attempts: number;
  readonly nextAttemptMs: number;
  readonly endedAtMs?: number | undefined;
  /** Why the last attempt failed. */
  readonly error?: string | undefined;
  readonly content?: MailContent | undefined;
}

interface MailReference {
  readonly mailId: string;
}

/** Mails that may wait at a time. */
export const MAX_WAITING_MAILS = 20_000;
/** Mails that are kept as history; the one that ended first makes room. */
export const MAX_ENDED_MAILS = 20_000;

const mails: Table<MailRecord> = table('mail');
/** By the time of the next attempt. */
const dueMails: Table<MailReference> = table('mail-due');
/** By the time of the end. */
const endedMails: Table<MailReference> = table('mail-ended');
const mailCounts: Table<{ readonly waiting: number; readonly ended: number }> = table('mail-counts');
const ALL = 'all';

/** An id that sorts by time. */
export function mailIdAt(createdAtMs: number, unique: string): string {
  return `${sortable(createdAtMs)}-${unique}`;
}

export function mailCountsOf(view: ReadView): { readonly waiting: number; readonly ended: number } {
  return mailCounts.get(view, ALL) ?? { waiting: 0, ended: 0 };
}

/** Creates or changes a mail and keeps the indexes. */
export function putMail(tx: WriteView, mail: MailRecord): void {
  const before = mails.get(tx, mail.mailId);
  if (before !== undefined) unlist(tx, before);
  mails.put(tx, mail.mailId, mail);
  (mail.status === 'waiting' ? dueMails : endedMails).put(tx, listId(mail), { mailId: mail.mailId });
  count(tx, mail.status, 1);
  if (mailCountsOf(tx).ended <= MAX_ENDED_MAILS) return;
  const oldest = endedMails.page(tx, { limit: 1 })[0];
  const forgotten = oldest === undefined ? undefined : mails.get(tx, oldest.record.mailId);
  if (forgotten === undefined) return;
  unlist(tx, forgotten);
  mails.delete(tx, forgotten.mailId);
}

function unlist(tx: WriteView, mail: MailRecord): void {
  (mail.status === 'waiting' ? dueMails : endedMails).delete(tx, listId(mail));
  count(tx, mail.status, -1);
}

function listId({ status, nextAttemptMs, endedAtMs = 0, mailId }: MailRecord): string {
  return joinId(sortable(status === 'waiting' ? nextAttemptMs : endedAtMs), mailId);
}

function count(tx: WriteView, status: MailStatus, by: 1 | -1): void {
  const { waiting, ended } = mailCountsOf(tx);
  mailCounts.put(tx, ALL, status === 'waiting' ? { waiting: waiting + by, ended } : { waiting, ended: ended + by });
}

export function mailById(view: ReadView, mailId: string): MailRecord | undefined {
  return mails.get(view, mailId);
}

/** All mails in the order of their creation. */
export function listMails(view: ReadView, query: PageQuery): readonly Row<MailRecord>[] {
  return mails.page(view, query);
}

/** Mails whose next attempt comes first, the most urgent one first. */
export function nextMails(view: ReadView, limit: number): readonly MailRecord[] {
  return dueMails.page(view, { limit }).flatMap(({ record }) => mails.get(view, record.mailId) ?? []);
}
