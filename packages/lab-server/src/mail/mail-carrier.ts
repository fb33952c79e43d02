/** A mail as it leaves: headers, text, HTML, picture. */
export interface ReadyMail {
  /** Without angle brackets; the same for each attempt, so that a mail that arrives twice can be told. */
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** PNG, shown in the HTML under this content id. */
  readonly picture?: { readonly cid: string; readonly png: Uint8Array } | undefined;
  readonly dateMs: number;
}

/** Why a mail was not taken. The text is for administrators and holds nothing of the mail. */
export class MailNotTaken extends Error {
  /** True: the host will never take it. False: another attempt may do. */
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean) {
    super(message);
    this.name = 'MailNotTaken';
    this.permanent = permanent;
  }
}

/** Brings mails to a host. */
export interface MailCarrier {
  /** Resolves when the host has taken the mail. @throws MailNotTaken */
  carry(mail: ReadyMail): Promise<void>;
  close(): Promise<void>;
}
