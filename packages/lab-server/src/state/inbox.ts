import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, partOf, type Row, sortable, type Table, table } from './table.ts';

/** A mail that arrived in the inbox of the lab. */
export interface InboxMailRecord {
  readonly inboxId: string;
  readonly from: string;
  /** Lower case; the addresses of the envelope. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly receivedAtMs: number;
  /** The whole mail as it came (RFC 5322). */
  readonly source: Uint8Array;
}

/** Mails that are kept; the oldest makes room. */
export const MAX_INBOX_MAILS = 20_000;
/** One mail. */
export const MAX_INBOX_MAIL_BYTES = 262_144;
/** Recipients of one mail. */
export const MAX_INBOX_RECIPIENTS = 10;

const inbox: Table<InboxMailRecord> = table('inbox');
const inboxByAddress: Table<{ readonly inboxId: string }> = table('inbox-by-address');
const inboxCount: Table<{ readonly mails: number }> = table('inbox-count');
const ALL = 'all';

/** An id that sorts by time. */
export function inboxIdAt(receivedAtMs: number, unique: string): string {
  return `${sortable(receivedAtMs)}-${unique}`;
}

/** Keeps a mail that arrived. */
export function putInboxMail(tx: WriteView, mail: InboxMailRecord): void {
  inbox.put(tx, mail.inboxId, mail);
  for (const address of mail.to) inboxByAddress.put(tx, joinId(address, mail.inboxId), { inboxId: mail.inboxId });
  const mails = (inboxCount.get(tx, ALL)?.mails ?? 0) + 1;
  const oldest = mails > MAX_INBOX_MAILS ? inbox.page(tx, { limit: 1 })[0]?.record : undefined;
  if (oldest !== undefined) forget(tx, oldest);
  inboxCount.put(tx, ALL, { mails: oldest === undefined ? mails : mails - 1 });
}

function forget(tx: WriteView, mail: InboxMailRecord): void {
  inbox.delete(tx, mail.inboxId);
  for (const address of mail.to) inboxByAddress.delete(tx, joinId(address, mail.inboxId));
}

export function inboxMail(view: ReadView, inboxId: string): InboxMailRecord | undefined {
  return inbox.get(view, inboxId);
}

/** Mails in the order of their arrival; with `to` only those to this address. */
export function listInbox(view: ReadView, { to, ...query }: PageQuery & { readonly to?: string | undefined }): readonly Row<InboxMailRecord>[] {
  if (to === undefined) return inbox.page(view, query);
  const address = to.toLowerCase();
  const { after } = query;
  const rows = inboxByAddress.page(view, { ...query, under: partOf(address), after: after === undefined ? undefined : joinId(address, after) });
  return rows.flatMap(({ record }) => {
    const mail = inbox.get(view, record.inboxId);
    return mail === undefined ? [] : [{ id: mail.inboxId, record: mail }];
  });
}
