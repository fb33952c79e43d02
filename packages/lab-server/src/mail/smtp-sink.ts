import type { AddressInfo } from 'node:net';
import { toHex } from '@uemkit/protocol';
import { MAX_INBOX_MAIL_BYTES, MAX_INBOX_RECIPIENTS } from '../state/inbox.ts';
import type { SmtpSettings } from '../state/mail-settings.ts';
import { type InboxOptions, keepInboxMail } from './inbox-carrier.ts';
import { type MailCarrier, MailNotTaken } from './mail-carrier.ts';
import { smtpCarrier } from './smtp-carrier.ts';

/** The SMTP host of the lab itself: what it takes can be read in the inbox. */
export interface SmtpSink {
  readonly settings: SmtpSettings;
  close(): Promise<void>;
}

/** Connections at a time. */
const MAX_CLIENTS = 20;
const USER = 'lab';

/**
 * Opens an SMTP host on loopback, with a password that only this process knows: nobody else on the machine can put a mail into the inbox.
 * A mail is accepted when it is durable.
 */
export async function openSmtpSink(options: InboxOptions): Promise<SmtpSink> {
  const { SMTPServer } = await import('smtp-server');
  const password = toHex(options.entropy.randomBytes(16));
  const server = new SMTPServer({
    name: 'lab',
    banner: 'uemkit lab',
    size: MAX_INBOX_MAIL_BYTES,
    maxClients: MAX_CLIENTS,
    disableReverseLookup: true,
    // Loopback only, so that there is nobody to hide from; TLS is for hosts elsewhere.
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN'],
    logger: false,
    onAuth: ({ username, password: given }, _session, callback) =>
      username === USER && given === password ? callback(null, { user: USER }) : callback(reply(535, 'wrong user or password')),
    onRcptTo: (_address, { envelope }, callback) => callback(envelope.rcptTo.length >= MAX_INBOX_RECIPIENTS ? reply(452, 'too many recipients') : null),
    onData(stream, { envelope }, callback) {
      const chunks: Uint8Array[] = [];
      let lengthBytes = 0;
      stream.on('data', (chunk: Uint8Array) => {
        // What is over the limit is read and thrown away, so that the client gets its answer.
        lengthBytes += chunk.length;
        if (lengthBytes <= MAX_INBOX_MAIL_BYTES) chunks.push(chunk);
      });
      stream.on('end', () => {
        if (lengthBytes > MAX_INBOX_MAIL_BYTES) return callback(reply(552, 'the mail is too large'));
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        keepInboxMail(options, { from, to, source: new Uint8Array(Buffer.concat(chunks)) }).then(
          () => callback(null),
          (error: unknown) => callback(error instanceof MailNotTaken ? reply(552, error.message) : reply(451, 'the mail could not be kept')),
        );
      });
    },
  });
  // A client that breaks off is its own trouble.
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    settings: { host: '127.0.0.1', port, security: 'none', username: USER, password },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Brings mails to the SMTP host of the lab, which is opened for the first of them. */
export function sinkCarrier(options: InboxOptions): MailCarrier {
  let opened: Promise<SmtpSink> | undefined;
  return {
    async carry(mail) {
      opened ??= openSmtpSink(options);
      let sink: SmtpSink;
      try {
        sink = await opened;
      } catch {
        opened = undefined;
        throw new MailNotTaken('the inbox of the lab could not be opened', false);
      }
      await smtpCarrier(sink.settings).carry(mail);
    },
    async close() {
      const sink = await opened?.catch(() => undefined);
      await sink?.close();
    },
  };
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
