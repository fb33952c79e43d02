import { backoff, type CancelTimer, type Clock, type Entropy, isProtocolError } from '@uemkit/protocol';
import { type MailSettingsRecord, mailSettings, type SmtpSettings } from '../state/mail-settings.ts';
import { type MailRecord, mailById, nextMails, putMail } from '../state/mails.ts';
import type { LabStore } from '../store/lab-store.ts';
import { type MailCarrier, MailNotTaken, type ReadyMail } from './mail-carrier.ts';
import { qrPicture } from './qr-picture.ts';
import { QR_CODE_CID } from './template.ts';

/** Mails that are under way at a time. */
const IN_FLIGHT = 4;
/** Pauses between the attempts of one mail: they grow to a quarter of an hour. */
const RETRY_PAUSE = { minMs: 1_000, baseMs: 2_000, maxMs: 900_000 };
/** When the state itself cannot be written, for example on a full disk. */
const STORE_PAUSE_MS = 5_000;
const PAUSES_KEPT = 12;

export interface MailerOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Domain of the Message-ID. */
  readonly domain: string;
  /** Where mails go when no host is configured. */
  readonly inbox: MailCarrier;
  /** Way to a configured host. */
  carrierTo(smtp: SmtpSettings): MailCarrier;
  /** A mail was sent, is not tried again, or will be: for the journal. Nothing of its content. */
  told(mail: MailRecord): void;
}

/** Sends the mails of the outbox (F1.1c). */
export interface Mailer {
  /** A mail is durable, or the settings have changed: see what is due. */
  kick(): void;
  /** Tries all waiting mails now, whatever their pauses. */
  retryNow(): Promise<void>;
  /** Resolves when the attempts that are under way are over; nothing begins after that. */
  close(): Promise<void>;
}

/**
 * A mail is in the store before anybody hears that it will be sent, and leaves the outbox only when a host has taken it, refused it for good, or it has expired. A crash
 * between a host's yes and our note of it sends the mail again, under the same Message-ID.
 */
export function createMailer(options: MailerOptions): Mailer {
  const { clock, entropy, store, told } = options;
  // BOUNDED by IN_FLIGHT.
  const underWay = new Map<string, Promise<void>>();
  let cancelTimer: CancelTimer | undefined;
  let closed = false;

  const kick = (): void => {
    if (closed) return;
    try {
      look();
    } catch (error) {
      // The store is closing, or cannot be read: the mails stay where they are.
      if (!isProtocolError(error)) throw error;
    }
  };

  const look = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    const nowMs = clock.nowMs();
    const waiting = store.read((view) => nextMails(view, 2 * IN_FLIGHT)).filter(({ mailId }) => !underWay.has(mailId));
    for (const mail of waiting) {
      if (underWay.size >= IN_FLIGHT) return;
      const pauseMs = mail.nextAttemptMs - nowMs;
      // No pause is longer than the longest: a clock that was set back must not hold mails up.
      if (pauseMs > 0 && pauseMs <= RETRY_PAUSE.maxMs) {
        cancelTimer = clock.setTimer(pauseMs, kick);
        return;
      }
      begin(mail);
    }
  };

  const begin = (mail: MailRecord): void => {
    const run = attempt(mail)
      .then(
        () => undefined,
        // The store is closing, or full: the mail is as it was.
        () => {
          if (!closed) cancelTimer ??= clock.setTimer(STORE_PAUSE_MS, kick);
          return 'paused' as const;
        },
      )
      .then((paused) => {
        underWay.delete(mail.mailId);
        if (paused === undefined) kick();
      });
    underWay.set(mail.mailId, run);
  };

  const attempt = async (mail: MailRecord): Promise<void> => {
    if (mail.expiresAtMs <= clock.nowMs()) return note(mail, { status: 'expired', endedAtMs: clock.nowMs() });
    const settings = store.read(mailSettings);
    let failure: MailNotTaken | undefined;
    try {
      const ready = await readyMail(mail, settings, options.domain);
      const carrier = settings.smtp === undefined ? options.inbox : options.carrierTo(settings.smtp);
      await carrier.carry(ready);
    } catch (error) {
      if (isProtocolError(error)) throw error;
      failure = error instanceof MailNotTaken ? error : new MailNotTaken('the mail could not be made', false);
    }
    const endedAtMs = clock.nowMs();
    if (failure === undefined) return note(mail, { status: 'sent', endedAtMs, error: undefined });
    if (failure.permanent) return note(mail, { status: 'failed', endedAtMs, error: failure.message });
    return note(mail, { error: failure.message, nextAttemptMs: endedAtMs + pauseAfter(mail.attempts) });
  };

  const pauseAfter = (attempts: number): number => {
    const pauses = backoff(RETRY_PAUSE, entropy)[Symbol.iterator]();
    let pauseMs = RETRY_PAUSE.minMs;
    for (let step = 0; step <= Math.min(attempts, PAUSES_KEPT); step++) pauseMs = pauses.next().value as number;
    return Math.max(RETRY_PAUSE.minMs, Math.ceil(pauseMs));
  };

  const note = async (mail: MailRecord, change: Partial<MailRecord>): Promise<void> => {
    const noted = await store.transaction((tx) => {
      const kept = mailById(tx, mail.mailId);
      if (kept === undefined || kept.status !== 'waiting') return undefined;
      const changed = { ...kept, attempts: kept.attempts + 1, ...change };
      // Nothing secret is kept longer than it is needed.
      const record = changed.status === 'waiting' ? changed : { ...changed, content: undefined };
      putMail(tx, record);
      return record;
    });
    if (noted !== undefined) told(noted);
  };

  return {
    kick,
    async retryNow() {
      const nowMs = clock.nowMs();
      await store.transaction((tx) => {
        for (const mail of nextMails(tx, MAX_RETRIES_AT_ONCE)) putMail(tx, { ...mail, nextAttemptMs: Math.min(mail.nextAttemptMs, nowMs) });
      });
      kick();
    },
    async close() {
      closed = true;
      cancelTimer?.();
      await Promise.all(underWay.values());
      await options.inbox.close();
    },
  };
}

/** Work of one transaction; the others keep their pauses. */
const MAX_RETRIES_AT_ONCE = 1_000;

async function readyMail(mail: MailRecord, { from }: MailSettingsRecord, domain: string): Promise<ReadyMail> {
  const { mailId, to, content, createdAtMs } = mail;
  if (content === undefined) throw new MailNotTaken('the mail has lost its content', true);
  const { subject, text, html, qrCode } = content;
  const picture = qrCode === undefined ? undefined : { cid: QR_CODE_CID, png: await qrPicture(qrCode) };
  return { messageId: `${mailId}@${domain}`, from, to, subject, text, html, picture, dateMs: createdAtMs };
}
