import type { SmtpSettings } from '../state/mail-settings.ts';
import { composed } from './compose.ts';
import { type MailCarrier, MailNotTaken } from './mail-carrier.ts';

/** Times of one attempt: connecting, the greeting of the host, and silence. An attempt that hangs holds back nothing but itself. */
const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;
/** Of what a host says. */
const MAX_REASON_CHARACTERS = 200;

/** Brings mails to an SMTP host over nodemailer, one connection a mail. */
export function smtpCarrier(settings: SmtpSettings): MailCarrier {
  const { host, port, security, username, password, ca } = settings;
  return {
    async carry(mail) {
      // Loaded with the first mail: a lab that sends none does not pay for it.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host,
        port,
        secure: security === 'tls',
        requireTLS: security === 'starttls',
        ignoreTLS: security === 'none',
        tls: ca === undefined ? {} : { ca },
        connectionTimeout: CONNECT_MS,
        greetingTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        // Never: the log of a session holds the mail and the password of the host.
        logger: false,
        debug: false,
        ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
      });
      try {
        await transport.sendMail(composed(mail));
      } catch (error) {
        throw notTaken(error, mail.to);
      } finally {
        transport.close();
      }
    },
    async close() {},
  };
}

/** What an administrator may read of a failure: codes, and the words of the host unless they repeat something of ours. */
function notTaken(error: unknown, to: string): MailNotTaken {
  const { code, responseCode, command } = error as { readonly code?: unknown; readonly responseCode?: unknown; readonly command?: unknown };
  const parts = [code, command, responseCode].filter((part) => typeof part === 'string' || typeof part === 'number');
  const words = responseCode === undefined ? '' : ` ${wordsOf(error, to)}`;
  // The host refuses the sender or the recipient for good. A refused log-in is for the administrator to mend, and the mail waits.
  const permanent = typeof responseCode === 'number' && responseCode >= 550 && responseCode <= 559;
  return new MailNotTaken(`${parts.join(' ') || 'no connection'}${words}`.trim(), permanent);
}

function wordsOf(error: unknown, to: string): string {
  const { response } = error as { readonly response?: unknown };
  if (typeof response !== 'string') return '';
  const line = (response.split(/\r?\n/)[0] as string).replace(/[^ -~]/g, '?');
  return line.replaceAll(to, '<recipient>').slice(0, MAX_REASON_CHARACTERS);
}
