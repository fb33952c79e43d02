import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { qrPicture } from '../../src/mail/qr-picture.ts';
import { smtpCarrier } from '../../src/mail/smtp-carrier.ts';
import { openSmtpSink } from '../../src/mail/smtp-sink.ts';
import type { DeviceRecord } from '../../src/state/devices.ts';
import { listInbox } from '../../src/state/inbox.ts';
import type { MailRecord } from '../../src/state/mails.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function startLab(options: Parameters<typeof startLabServer>[0] = {}): Promise<LabServer> {
  const lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, ...options });
  cleanUp.push(() => lab.close());
  return lab;
}

/** Waits for a condition of another part of this process. */
async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ended = (lab: LabServer, mailId: string): Promise<MailRecord> => until(() => lab.admin.mail(mailId).status !== 'waiting' && lab.admin.mail(mailId));

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as { readonly port: number }).port;
}

describe('an activation mail over SMTP', () => {
  it('arrives in the inbox of the lab with text, HTML and picture, and neither journal nor outbox know the secrets', async () => {
    const lab = await startLab();
    const ada = await lab.admin.createUser({ username: 'ada', displayName: 'Ada Lovelace', email: 'Ada@Example.com' });
    const { mail, password, qrCode } = await lab.admin.sendActivationMail(ada.guid, { password: {}, qrCode: {} });
    expect(await ended(lab, mail.mailId)).toMatchObject({ status: 'sent', attempts: 1, to: 'Ada@Example.com' });
    const [arrived, ...others] = lab.admin.inbox({ to: 'ada@example.COM' });
    expect([others, lab.admin.inbox({ to: 'somebody@example.com' })]).toEqual([[], []]);
    const source = new TextDecoder().decode(arrived?.source).replace(/\r\n[ \t]+/g, ' ');
    expect(arrived?.subject).toBe('Activate your device for Lab');
    expect(source).toMatch(new RegExp(`Message-ID: <${mail.mailId}@`, 'i'));
    expect(source).toContain(password?.password);
    expect(source).toContain('Content-ID: <qr-code@uem>');
    const png = await qrPicture(qrCode?.content as string);
    expect(source.replace(/\r\n/g, '')).toContain(Buffer.from(png).toString('base64'));
    const told = JSON.stringify([lab.journal.entries(), [...lab.admin.mails()]]);
    expect(told).toContain('"service":"mail"');
    for (const secret of [password?.password, qrCode?.content]) expect(told).not.toContain(secret);
    const [entry] = lab.journal.entries({ userId: 'ada' }).filter(({ service }) => service === 'mail');
    expect(entry).toMatchObject({ step: 'F1.1', request: 'mail activation', answer: 'sent' });
  });

  it('of a compliance prompt leaves as soon as it is durable, once', async () => {
    const lab = await startLab();
    const ada = await lab.admin.createUser({ username: 'ada', email: 'ada@example.com' });
    const device = new LabDevice(overHttps(lab.connection));
    expect(await device.activate(qrSecret((await lab.admin.createQrCode(ada.guid)).content))).toMatchObject({ status: 'activated' });
    const [{ info }] = [...lab.admin.devices()] as [DeviceRecord];
    const content = { hardwareModel: { mode: 'DISALLOW', models: [info.model], action: 'MONITOR_AND_LOG', promptMethod: 'EMAIL' } };
    await lab.admin.updateConfigurationProfile('default-compliance', { kind: 'compliance', name: 'Rules', content });
    const [arrived] = await until(() => lab.admin.inbox({ to: 'ada@example.com' }).length > 0 && lab.admin.inbox({ to: 'ada@example.com' }));
    expect(arrived?.subject).toBe('Your device does not keep the rules of Lab');
    expect([...lab.admin.mails()]).toMatchObject([{ templateId: 'compliance', deviceId: device.deviceId }]);
    const told = await until(() => lab.journal.entries().find(({ service }) => service === 'mail'));
    expect(told).toMatchObject({ request: 'mail compliance', userId: 'ada', deviceId: device.deviceId });
    expect(told.step).toBeUndefined();
  });

  it('does not keep the administrator waiting while the host is down, and is sent when it is there', async () => {
    const closed = createServer();
    const port = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const lab = await startLab({ mail: { from: 'uem@example.com', smtp: { host: '127.0.0.1', port, security: 'none' } } });
    const ada = await lab.admin.createUser({ username: 'ada', email: 'ada@example.com' });
    const { mail, password } = await lab.admin.sendActivationMail(ada.guid, { password: {} });
    const waiting = await until(() => lab.admin.mail(mail.mailId).attempts > 0 && lab.admin.mail(mail.mailId));
    expect(waiting).toMatchObject({ status: 'waiting', error: expect.stringMatching(/ECONNREFUSED|ESOCKET/) });
    const arrived: string[] = [];
    const host = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, callback) => {
        arrived.push(...session.envelope.rcptTo.map(({ address }) => address));
        stream.resume().on('end', () => callback(null));
      },
    });
    await new Promise<void>((resolve) => host.listen(port, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise<void>((resolve) => host.close(() => resolve())));
    await lab.admin.retryMails();
    expect(await ended(lab, mail.mailId)).toMatchObject({ status: 'sent' });
    expect(arrived).toEqual(['ada@example.com']);
    expect(JSON.stringify(lab.journal.entries())).not.toContain(password?.password);
  });

  it('survives a restart of the server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mail-'));
    cleanUp.push(() => rmSync(folder, { recursive: true }));
    const silent = createServer(() => {});
    const port = await listen(silent);
    const first = await startLabServer({
      folder,
      cost: { N: 16_384, r: 8, p: 1 },
      mail: { from: 'uem@example.com', smtp: { host: '127.0.0.1', port: port === 1 ? 2 : 1, security: 'none' } },
    });
    const ada = await first.admin.createUser({ username: 'ada', email: 'ada@example.com' });
    const { mail } = await first.admin.sendActivationMail(ada.guid, { qrCode: {} });
    await first.close();
    const second = await startLab({ folder, mail: { from: 'uem@example.com' } });
    await second.admin.retryMails();
    expect(await ended(second, mail.mailId)).toMatchObject({ status: 'sent' });
    expect(second.admin.inbox({ to: 'ada@example.com' })).toHaveLength(1);
  });
});

describe('an SMTP host', () => {
  const mail = { messageId: 'm@lab', from: 'UEM <uem@example.com>', to: 'ada@example.com', subject: 's', text: 't', html: '<p>h</p>', dateMs: 0 };

  /** A host that answers each command of `script` by its first word. */
  function scripted(script: Readonly<Record<string, string>>): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.write('220 here\r\n');
      socket.on('data', (data) => {
        const word = data.toString().slice(0, 4).toUpperCase();
        socket.write(`${script[word] ?? '250 ok'}\r\n`);
      });
    });
    cleanUp.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    return listen(server);
  }

  it.each([
    ['refuses the recipient', { RCPT: '550 no mailbox ada@example.com here' }, true, /550 no mailbox <recipient> here/],
    ['is busy', { MAIL: '451 try later' }, false, /451/],
    ['speaks no TLS where it is required', { STAR: '454 no TLS here' }, false, /ETLS|454/],
  ] as const)('that %s: typed, with words that say nothing of the mail', async (_name, script, permanent, words) => {
    const port = await scripted(script);
    const security = 'STAR' in script ? 'starttls' : 'none';
    const error = await smtpCarrier({ host: '127.0.0.1', port, security })
      .carry(mail)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'MailNotTaken', permanent, message: expect.stringMatching(words) });
    expect((error as Error).message).not.toContain(mail.to);
  });

  it('whose certificate is not trusted gets no password', async () => {
    const heard: string[] = [];
    const host = new SMTPServer({
      secure: true,
      onAuth: ({ username }, _session, callback) => {
        heard.push(username ?? '');
        callback(null, { user: 'x' });
      },
    });
    host.on('error', () => {});
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise<void>((resolve) => host.close(() => resolve())));
    const { port } = host.server.address() as { readonly port: number };
    const error = await smtpCarrier({ host: '127.0.0.1', port, security: 'tls', username: 'u', password: 'pass-word' })
      .carry(mail)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'MailNotTaken', permanent: false });
    expect([heard, (error as Error).message]).toEqual([[], expect.not.stringContaining('pass-word')]);
  });
});

describe('the SMTP host of the lab', () => {
  async function sink(): Promise<{ readonly store: MemoryStore; readonly port: number; readonly password: string }> {
    const store = new MemoryStore();
    const opened = await openSmtpSink({ clock: systemClock(), entropy: nodeEntropy(), store });
    cleanUp.push(() => opened.close());
    return { store, port: opened.settings.port, password: opened.settings.password as string };
  }

  it('takes mails of nobody who does not know its password', async () => {
    const { store, port } = await sink();
    const stranger = { host: '127.0.0.1', port, ignoreTLS: true };
    const to = { from: 'a@example.com', to: 'b@example.com', text: 'hello' };
    await expect(createTransport(stranger).sendMail(to)).rejects.toMatchObject({ responseCode: 530 });
    await expect(createTransport({ ...stranger, auth: { user: 'lab', pass: 'guess' } }).sendMail(to)).rejects.toMatchObject({ responseCode: 535 });
    expect(store.read((view) => listInbox(view, { limit: 10 }))).toEqual([]);
  });

  it('takes no mail that is too large or has too many recipients', async () => {
    const { store, port, password } = await sink();
    const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, auth: { user: 'lab', pass: password } });
    await expect(transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'x'.repeat(300_000) })).rejects.toMatchObject({ responseCode: 552 });
    const many = Array.from({ length: 12 }, (_, index) => `user-${index}@example.com`);
    const sent = await transport.sendMail({ from: 'a@example.com', to: many, text: 'x' });
    expect([sent.accepted.length, sent.rejected.length]).toEqual([10, 2]);
    expect(store.read((view) => listInbox(view, { limit: 10 }))).toHaveLength(1);
  });
});

const zbarimg = spawnSync('zbarimg', ['--version']).status === 0;

describe('the picture of a QR code', () => {
  // In CI the program must be there: .ci/run installs it and sets CI.
  it.skipIf(!zbarimg && process.env['CI'] === undefined)('is read by zbarimg as well', async () => {
    const content = 'qL0AAmx1ZW0uZXhhbXBsZS5jb206NDQzAm9ib2JAZXhhbXBsZS5jb20D';
    const folder = mkdtempSync(join(tmpdir(), 'qr-'));
    cleanUp.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'code.png');
    writeFileSync(file, await qrPicture(content));
    const { stdout, status } = spawnSync('zbarimg', ['--quiet', '--raw', file], { encoding: 'utf8' });
    expect([status, stdout.trim()]).toEqual([0, content]);
  });
});
