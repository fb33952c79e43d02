import type { SendMailOptions } from 'nodemailer';
import type { ReadyMail } from './mail-carrier.ts';

/** The mail in the form of nodemailer. No field can be a path or an address to fetch from: contents are given as bytes. */
export function composed({ messageId, from, to, subject, text, html, picture, dateMs }: ReadyMail): SendMailOptions {
  return {
    messageId: `<${messageId}>`,
    from,
    to: { name: '', address: to },
    subject,
    text,
    html,
    date: new Date(dateMs),
    attachments:
      picture === undefined
        ? []
        : [{ cid: picture.cid, filename: 'activation-qr-code.png', contentType: 'image/png', contentDisposition: 'inline', content: Buffer.from(picture.png) }],
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
