import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { MailNotTaken, type ReadyMail } from '../../src/mail/mail-carrier.ts';
import { createMailer, type Mailer } from '../../src/mail/mailer.ts';
import { putMailSettings, type SmtpSettings } from '../../src/state/mail-settings.ts';
import { listMails, MAX_ENDED_MAILS, type MailRecord, mailById, mailCountsOf, mailIdAt, putMail } from '../../src/state/mails.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const SMTP: SmtpSettings = { host: 'mail.example', port: 25, security: 'starttls' };

/** A mailer over a store, with a host that does what the test says. */
class Bench {
  readonly clock = fakeClock(NOW_MS);
  store = new MemoryStore();
  taken: ReadyMail[] = [];
  told: MailRecord[] = [];
  /** Addressed hosts, one entry an attempt. */
  hosts: string[] = [];
  answer: (mail: ReadyMail) => Promise<void> = async () => {};
  mailer: Mailer = this.start();

  private start(): Mailer {
    const carry = (host: string) => async (mail: ReadyMail) => {
      this.hosts.push(host);
      await this.answer(mail);
      this.taken.push(mail);
    };
    const { clock, store } = this;
    return createMailer({
      clock,
      entropy: seededEntropy('mailer'),
      store,
      domain: 'lab.invalid',
      inbox: { carry: carry('inbox'), close: async () => {} },
      carrierTo: ({ host }) => ({ carry: carry(host), close: async () => {} }),
      told: (mail) => void this.told.push(mail),
    });
  }

  /** As after `kill -9`. */
  restart(): void {
    this.store = this.store.snapshot();
    this.mailer = this.start();
    this.mailer.kick();
  }

  async add(name: string, change: Partial<MailRecord> = {}): Promise<string> {
    const mailId = mailIdAt(this.clock.nowMs(), name);
    const base = { mailId, userGuid: 'u', to: `${name}@example.com`, templateId: 'activation', templateVersion: 0, status: 'waiting', attempts: 0 } as const;
    const times = { createdAtMs: this.clock.nowMs(), nextAttemptMs: this.clock.nowMs(), expiresAtMs: NOW_MS + 86_400_000 };
    const content = { subject: 's', text: 'secret text', html: '<p>h</p>' };
    await this.store.transaction((tx) => putMail(tx, { ...base, ...times, content, ...change }));
    this.mailer.kick();
    await this.clock.settle();
    return mailId;
  }

  mail(mailId: string): MailRecord {
    return this.store.read((view) => mailById(view, mailId)) as MailRecord;
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe('the outbox of mails', () => {
  it('sends a mail and forgets what it said', async () => {
    const id = await bench.add('ada');
    expect(bench.taken).toEqual([expect.objectContaining({ to: 'ada@example.com', messageId: `${id}@lab.invalid`, text: 'secret text', picture: undefined })]);
    expect(bench.mail(id)).toMatchObject({ status: 'sent', attempts: 1, endedAtMs: NOW_MS });
    expect(bench.mail(id).content).toBeUndefined();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('loses nothing while the host is down: pauses grow, the administrator sees why, and it is sent when the host is back', async () => {
    bench.answer = async () => {
      throw new MailNotTaken('ECONNREFUSED', false);
    };
    const id = await bench.add('ada');
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      const { nextAttemptMs, status, error, content } = bench.mail(id);
      expect([status, error, content?.text]).toEqual(['waiting', 'ECONNREFUSED', 'secret text']);
      pauses.push(nextAttemptMs - bench.clock.nowMs());
      await bench.clock.advance(pauses.at(-1) as number);
    }
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(900_000);
    expect(Math.max(...pauses.slice(6))).toBeGreaterThan(Math.max(...pauses.slice(0, 3)));
    bench.answer = async () => {};
    await bench.clock.advance(900_000);
    expect(bench.mail(id)).toMatchObject({ status: 'sent', attempts: 14 });
    expect(bench.taken).toHaveLength(1);
  });

  it('is not held up by a clock that was set back', async () => {
    bench.answer = async () => {
      throw new MailNotTaken('ECONNREFUSED', false);
    };
    const id = await bench.add('ada');
    bench.answer = async () => {};
    bench.clock.jumpWallClock(-36_000_000);
    bench.restart();
    await bench.clock.advance(900_000);
    expect(bench.mail(id).status).toBe('sent');
  });

  it('goes on after a crash, under the same Message-ID', async () => {
    bench.answer = () => new Promise(() => {});
    const id = await bench.add('ada');
    expect(bench.hosts).toHaveLength(1);
    bench.answer = async () => {};
    bench.restart();
    await bench.clock.settle();
    expect(bench.taken.map(({ messageId }) => messageId)).toEqual([`${id}@lab.invalid`]);
    expect(bench.mail(id).status).toBe('sent');
  });

  it('does not try again what the host refuses for good', async () => {
    bench.answer = async () => {
      throw new MailNotTaken('550 no such user', true);
    };
    const id = await bench.add('nobody');
    expect(bench.mail(id)).toMatchObject({ status: 'failed', error: '550 no such user', attempts: 1 });
    expect([bench.mail(id).content, bench.clock.pendingTimers]).toEqual([undefined, 0]);
  });

  it('gives up a mail whose secret is expired, unsent', async () => {
    bench.answer = async () => {
      throw new MailNotTaken('ETIMEDOUT', false);
    };
    const id = await bench.add('ada', { expiresAtMs: NOW_MS + 60_000 });
    for (let step = 0; step < 20 && bench.mail(id).status === 'waiting'; step++) await bench.clock.advance(60_000);
    expect(bench.mail(id)).toMatchObject({ status: 'expired' });
    expect(bench.mail(id).content).toBeUndefined();
  });

  it('has four mails under way at a time, and one that hangs holds no other back', async () => {
    let hanging = 0;
    bench.answer = (mail) => (mail.to.startsWith('slow') ? new Promise(() => void hanging++) : Promise.resolve());
    for (const name of ['slow-1', 'slow-2', 'slow-3']) await bench.add(name);
    for (let index = 0; index < 50; index++) await bench.add(`quick-${index}`);
    expect(bench.taken).toHaveLength(50);
    for (const name of ['slow-4', 'slow-5', 'slow-6']) await bench.add(name);
    expect(hanging).toBe(4);
  });

  it('tries what waits at once when it is asked to, by the settings in force then', async () => {
    bench.answer = async () => {
      throw new MailNotTaken('ECONNREFUSED', false);
    };
    await bench.add('ada');
    bench.answer = async () => {};
    await bench.store.transaction((tx) => putMailSettings(tx, { from: 'a@example.com', smtp: SMTP }));
    await bench.mailer.retryNow();
    await bench.clock.settle();
    expect(bench.hosts).toEqual(['inbox', 'mail.example']);
    expect(bench.taken[0]?.from).toBe('a@example.com');
  });

  it('keeps a bounded history', async () => {
    await bench.store.transaction((tx) => {
      for (let index = 0; index <= MAX_ENDED_MAILS; index++) {
        const mailId = mailIdAt(NOW_MS + index, 'x');
        const base = { userGuid: 'u', to: 'a@b', templateId: 't', templateVersion: 0, status: 'sent', attempts: 1 } as const;
        putMail(tx, { ...base, mailId, createdAtMs: 0, expiresAtMs: 0, nextAttemptMs: 0, endedAtMs: NOW_MS + index });
      }
    });
    expect(bench.store.read(mailCountsOf)).toEqual({ waiting: 0, ended: MAX_ENDED_MAILS });
    expect(bench.store.read((view) => listMails(view, { limit: 1 })[0]?.id)).toBe(mailIdAt(NOW_MS + 1, 'x'));
  });

  it('begins nothing once it is closed', async () => {
    await bench.mailer.close();
    const id = await bench.add('ada');
    expect([bench.taken, bench.mail(id).status]).toEqual([[], 'waiting']);
  });
});
