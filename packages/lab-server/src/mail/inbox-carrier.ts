import type { Clock, Entropy } from '@uemkit/protocol';
import { randomUuid } from '../state/ids.ts';
import { inboxIdAt, MAX_INBOX_MAIL_BYTES, putInboxMail } from '../state/inbox.ts';
import type { LabStore } from '../store/lab-store.ts';
import { composed } from './compose.ts';
import { type MailCarrier, MailNotTaken } from './mail-carrier.ts';

export interface InboxOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
}

/** Puts mails into the inbox of the lab without a socket: for a lab in memory. */
export function inboxCarrier(options: InboxOptions): MailCarrier {
  return {
    async carry(mail) {
      const { createTransport } = await import('nodemailer');
      const { message } = await createTransport({ streamTransport: true, buffer: true, newline: 'windows' }).sendMail(composed(mail));
      await keepInboxMail(options, { from: mail.from, to: [mail.to], source: new Uint8Array(message as Buffer) });
    },
    async close() {},
  };
}

/** Keeps a mail that arrived. @throws MailNotTaken when it is too large; ProtocolError `ERR_STORE_WRITE` */
export async function keepInboxMail(
  { clock, entropy, store }: InboxOptions,
  { from, to, source }: { readonly from: string; readonly to: readonly string[]; readonly source: Uint8Array },
): Promise<void> {
  if (source.length > MAX_INBOX_MAIL_BYTES) throw new MailNotTaken('552 the mail is too large', true);
  const receivedAtMs = clock.nowMs();
  const inboxId = inboxIdAt(receivedAtMs, randomUuid(entropy));
  const record = { inboxId, from, to: to.map((address) => address.toLowerCase()), subject: subjectOf(source), receivedAtMs, source };
  await store.transaction((tx) => putInboxMail(tx, record));
}

/** For lists only: as it stands in the header, folded lines joined. */
function subjectOf(source: Uint8Array): string {
  const head = new TextDecoder('latin1').decode(source.subarray(0, 16_384)).split('\r\n\r\n')[0] as string;
  const line = head.replace(/\r\n[ \t]+/g, ' ').match(/^subject:[ \t]*(.*)$/im);
  return (line?.[1] ?? '').slice(0, 255);
}
