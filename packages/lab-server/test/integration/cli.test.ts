import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as wire from '@uemkit/protocol/wire';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { main } from '../../src/cli/main.ts';
import type { CliOutput } from '../../src/cli/output.ts';
import { readConnectionFile } from '../../src/data/connection-file.ts';
import { type CliRun, runCli } from '../support/cli.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
import { rawApp, typedVerification } from '../support/noc-client.ts';

let folder: string;
/** Of this file alone: at an address that others use, another lab could pick a port between a kill and the next start, and this one would move. */
const HOST = '127.0.0.11';
const runs = new Set<CliRun>();

/** A process of its own, for what only a process shows. */
function spawnStart(...args: string[]): CliRun {
  const run = runCli('start', '--json', ...args);
  runs.add(run);
  return run;
}

/** The program in this process. */
class InProcess {
  readonly out: string[] = [];
  readonly error: string[] = [];
  readonly code: Promise<number>;
  private stop: () => void = () => {};
  private readonly printed: (() => void)[] = [];

  constructor(...args: string[]) {
    const wake = (): void => {
      for (const resolve of this.printed.splice(0)) resolve();
    };
    const output: CliOutput = {
      out: (line) => {
        this.out.push(line);
        wake();
      },
      error: (line) => void this.error.push(line),
    };
    const stopped = new Promise<string>((resolve) => {
      this.stop = () => resolve('SIGTERM');
    });
    this.code = main(args, output, () => stopped).finally(wake);
    inProcess.add(this);
  }

  async ready(): Promise<Record<string, unknown>> {
    if (this.out.length === 0) await new Promise<void>((resolve) => this.printed.push(resolve));
    if (this.out[0] === undefined) throw new Error(`the program ended: ${this.error.join()}`);
    return JSON.parse(this.out[0]);
  }

  async end(): Promise<number> {
    this.stop();
    return this.code;
  }
}
const inProcess = new Set<InProcess>();
const start = (...args: string[]): InProcess => new InProcess('start', '--json', ...args);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uemkit-cli-'));
});
afterEach(async () => {
  for (const run of runs) {
    run.child.kill('SIGKILL');
    await run.exited;
  }
  runs.clear();
  for (const run of inProcess) await run.end();
  inProcess.clear();
  rmSync(folder, { recursive: true, force: true });
});

/** curl as a script would use it. */
function curl(...args: string[]): Promise<{ readonly status: number; readonly type: string; readonly body: unknown }> {
  const { ca, administrator } = readConnectionFile(join(folder, 'connection.json'));
  writeFileSync(join(folder, 'ca.pem'), ca);
  const all = [
    '--silent',
    '--show-error',
    '--cacert',
    join(folder, 'ca.pem'),
    '-u',
    `${administrator.username}:${administrator.password}`,
    '-w',
    '\n%{http_code} %{content_type}',
    ...args,
  ];
  return new Promise((resolve, reject) => {
    execFile('curl', all, (error, stdout) => {
      if (error !== null) return reject(error);
      const at = stdout.lastIndexOf('\n');
      const [status = '', type = ''] = stdout.slice(at + 1).split(' ');
      const text = stdout.slice(0, at);
      resolve({ status: Number(status), type, body: text === '' ? undefined : JSON.parse(text) });
    });
  });
}

describe('lab-server start', () => {
  it('serves curl and a device, and goes on after kill -9 at the same addresses', async () => {
    const first = spawnStart('--data', folder, '--host', HOST);
    const ready = await first.ready();
    const connection = readConnectionFile(join(folder, 'connection.json'));
    expect(ready).toMatchObject({ event: 'ready', role: 'all', activation: connection.activation, admin: connection.admin });
    expect(statSync(join(folder, 'connection.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'roles', 'uem.json')).mode & 0o777).toBe(0o600);

    const base = `${connection.admin}/${connection.tenantId}/api/v1`;
    const json = ['-H', 'content-type: application/json'];
    const created = await curl(`${base}/users`, ...json, '-d', '{"username":"alice"}');
    expect([created.status, created.type]).toEqual([201, 'application/vnd.blackberry.userdetail-v1+json']);
    const { guid } = created.body as { guid: string };
    const issued = await curl(`${base}/users/${guid}/activationPasswords`, ...json, '-d', '{"activationPasswords":[{"qrCode":true}]}');
    const [{ qrCodeContent }] = (issued.body as { activationPasswords: [{ qrCodeContent: string }] }).activationPasswords;
    const device = new LabDevice(overHttps(connection));
    expect((await device.discover('alice')).activationAddress).toBe(connection.activation);
    expect(await device.activate(qrSecret(qrCodeContent))).toMatchObject({ status: 'activated' });

    const commands = `${base}/users/${guid}/userDevices/${device.deviceId}/commands`;
    await curl(commands, ...json, '-d', '{"type":"REQUEST_DEVICE_INFO"}');
    await curl(commands, ...json, '-d', '{"type":"LOCK_DEVICE"}');
    const handedOut = wire.command.decode(await device.poll());
    expect(handedOut.type).toBe('LOCK_DEVICE');

    first.child.kill('SIGKILL');
    await first.exited;
    const second = spawnStart('--data', folder);
    await second.ready();
    expect(readConnectionFile(join(folder, 'connection.json'))).toEqual(connection);
    // The command in flight is handed out again, under the same id.
    const again = wire.command.decode(await device.poll({ reason: 'resume' }));
    expect(again).toEqual(handedOut);
    expect(wire.command.decode(await device.result(again.commandId)).type).toBe('REQUEST_DEVICE_INFO');
    const listed = await curl(commands);
    expect((listed.body as { commands: { type: string; status: string }[] }).commands.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'REQUEST_DEVICE_INFO SENT',
      'LOCK_DEVICE COMPLETED',
    ]);
    expect((await curl(`${base}/shoes`)).status).toBe(404);
    expect((await device.discover('alice')).activationAddress).toBe(connection.activation);
    // One process at a time has a folder.
    const third = start('--data', folder);
    expect(await third.code).toBe(1);
    expect(third.error.join()).toMatch(/^lab-server: process \d+ uses .* already/);
    second.child.kill('SIGTERM');
    expect(await second.exited).toEqual({ code: 0, signal: null });
  });

  it('writes its journal', async () => {
    const journal = join(folder, 'journal.ndjson');
    const run = start('--data', folder, '--journal', journal);
    const { admin } = await run.ready();
    await curl(`${admin}/nothing`);
    expect(await run.end()).toBe(0);
    const lines = readFileSync(journal, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    // What ends with the server comes behind it.
    expect(lines.findLast(({ service }) => service === 'admin')).toMatchObject({ request: 'GET /nothing', answer: '404', unknown: true });
    expect(statSync(journal).mode & 0o777).toBe(0o600);
  });

  it('mails over the SMTP host that it is told, waits for it while it is down, and says so', async () => {
    const waiting = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => waiting.once('listening', resolve));
    const { port } = waiting.address() as AddressInfo;
    await new Promise((resolve) => waiting.close(resolve));
    writeFileSync(join(folder, 'password.txt'), 'smtp-Password-1\n');
    const smtp = ['--smtp', `127.0.0.1:${port}`, '--smtp-security', 'none', '--smtp-user', 'uem', '--smtp-password-file', join(folder, 'password.txt')];
    const journal = join(folder, 'journal.ndjson');
    const first = start('--data', folder, '--host', HOST, '--journal', journal, ...smtp, '--mail-from', 'UEM <uem@example.com>');
    const { admin, tenantId } = await first.ready();
    const base = `${admin}/${tenantId}/api/v1`;
    const json = ['-H', 'content-type: application/json'];
    const { guid } = (await curl(`${base}/users`, ...json, '-d', '{"username":"ada","emailAddress":"ada@example.com"}')).body as { guid: string };
    const password = '{"activationPasswords":[{"emailTemplate":{"guid":"activation"}}]}';
    expect((await curl(`${base}/users/${guid}/activationPasswords`, ...json, '-d', password)).status).toBe(201);
    const mail = async (): Promise<Record<string, unknown>> =>
      ((await curl(`${admin}/lab/v1/mails`)).body as { mails: Record<string, unknown>[] }).mails[0] ?? {};
    const error = expect.stringMatching(/ECONNREFUSED|ESOCKET/);
    await expect.poll(mail, { timeout: 15_000 }).toMatchObject({ status: 'WAITING', error, nextAttempt: expect.any(String) });
    expect(await first.end()).toBe(0);
    const lines = readFileSync(journal, 'utf8').split('\n');
    const reason = expect.stringMatching(/^attempt 1: /);
    expect(JSON.parse(lines.find((line) => line.includes('"service":"mail"')) ?? '')).toMatchObject({ answer: 'waiting', userId: 'ada', reason });

    const heard: string[] = [];
    const host = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username, password: given }, _session, callback) => {
        heard.push(`${username} ${given}`);
        callback(null, { user: 'uem' });
      },
      onData: (stream, { envelope }, callback) => {
        heard.push(envelope.mailFrom === false ? '' : envelope.mailFrom.address);
        stream.resume().on('end', () => callback(null));
      },
    });
    await new Promise<void>((resolve) => host.listen(port, '127.0.0.1', resolve));
    // The settings are in the store: the next start needs no options.
    const second = start('--data', folder);
    await second.ready();
    await curl(`${admin}/lab/v1/mail/retry`, '-X', 'POST');
    await expect.poll(mail, { timeout: 15_000 }).toMatchObject({ status: 'SENT' });
    expect(heard).toEqual(['uem smtp-Password-1', 'uem@example.com']);
    for (const { out, error: words } of [first, second]) expect([...out, ...words].join()).not.toContain('smtp-Password-1');
    expect(readFileSync(journal, 'utf8')).not.toContain('smtp-Password-1');
    expect(await second.end()).toBe(0);
    const third = new InProcess('start', '--data', folder, '--smtp', 'inbox');
    await expect.poll(() => third.out.join('\n'), { timeout: 15_000 }).toContain('mail to users  inbox of the lab');
    await new Promise<void>((resolve) => host.close(() => resolve()));
  });

  it('keeps the host that a lab was made for', async () => {
    await new InProcess('init', '--data', folder, '--json').code;
    const run = start('--data', folder, '--host', '127.0.0.2');
    expect(await run.code).toBe(2);
    expect(run.error.join()).toContain('listens on 127.0.0.1');
    const remote = join(folder, 'remote');
    await new InProcess('init', '--data', remote, '--host', '0.0.0.0', '--advertise', 'localhost', '--allow-remote', '--json').code;
    expect(await start('--data', remote).code).toBe(2);
  });

  it('moves a listener whose port is taken, and says so', async () => {
    const first = start('--data', folder, '--host', HOST);
    await first.ready();
    const before = readConnectionFile(join(folder, 'connection.json'));
    await first.end();
    const port = Number(before.devices.split(':')[1]);
    const squatter = createServer().listen(port, HOST);
    await new Promise((resolve) => squatter.once('listening', resolve));
    expect((squatter.address() as AddressInfo).port).toBe(port);
    const second = start('--data', folder);
    await second.ready();
    const after = readConnectionFile(join(folder, 'connection.json'));
    expect(after).toEqual({ ...before, devices: after.devices });
    expect(after.devices).not.toBe(before.devices);
    expect(second.error.join()).toContain(`Port ${port} of listener devices is taken`);
    squatter.close();
  });
});

describe('roles alone', () => {
  it.each<[string, string[]]>([
    ['at one address', []],
    ['each at its own', ['--place', 'uem=127.0.0.2,infrastructure=127.0.0.3, notification=127.0.0.4,noc=127.0.0.5']],
  ])('find each other over mutual TLS, in any order, and serve a device: %s', async (_, places) => {
    const init = new InProcess('init', '--data', folder, '--json', ...places);
    const { roleFiles, connectionFile } = (await init.ready()) as { roleFiles: Record<string, string>; connectionFile: string };
    expect(await init.code).toBe(0);
    const one = (role: string): InProcess => start('--role', role, '--join', roleFiles[role] as string, '--data', join(folder, role));
    // UEM first: what it has to tell the Infrastructure waits until that is there.
    const uem = one('uem');
    await uem.ready();
    await one('notification').ready();
    await one('infrastructure').ready();
    await one('noc').ready();

    const connection = readConnectionFile(connectionFile);
    const base = `${connection.admin}/${connection.tenantId}/api/v1`;
    const json = ['-H', 'content-type: application/json'];
    const { guid } = (await curl(`${base}/users`, ...json, '-d', '{"username":"alice"}')).body as { guid: string };
    const issued = await curl(`${base}/users/${guid}/activationPasswords`, ...json, '-d', '{"activationPasswords":[{"qrCode":true}]}');
    const [{ qrCodeContent }] = (issued.body as { activationPasswords: [{ qrCodeContent: string }] }).activationPasswords;
    // UEM reaches the NOC, and the NOC the app that shows it the key.
    const key = await curl(`${base}/users/${guid}/accessKeys`, ...json, '-d', '{}');
    const { accessKey } = key.body as { accessKey: string };
    const verification = await typedVerification(accessKey, 'alice');
    const verify = async (): Promise<string | undefined> => {
      const [host, port] = connection.noc.split(':');
      const app = await rawApp(Number(port), connection.ca, { host });
      app.send(verification);
      const answer = await app.next();
      app.close();
      return answer?.name;
    };
    await expect.poll(verify, { timeout: 15_000 }).toBe('nocProvision');

    const device = new LabDevice(overHttps(connection));
    await expect
      .poll(
        () =>
          device.discover('alice').then(
            ({ activationAddress }) => activationAddress,
            () => undefined,
          ),
        { timeout: 15_000 },
      )
      .toBe(connection.activation);
    expect(await device.activate(qrSecret(qrCodeContent))).toMatchObject({ status: 'activated' });

    const socket = new WebSocket(`wss://${connection.notification}/uemkit/1/push`, ['uemkit.push.1'], { ca: connection.ca });
    const frames: wire.Frame[] = [];
    socket.on('message', (data: Buffer) => frames.push(wire.parseFrame(new Uint8Array(data))));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(wire.pushRegister.encode({ service: 'fcm' }));
    await expect.poll(() => frames.length).toBe(1);
    const { token } = wire.pushRegistered.decode(frames[0] as wire.Frame);
    expect((await device.poll({ pushToken: token })).name).toBe('idle');
    await curl(`${base}/users/${guid}/userDevices/${device.deviceId}/commands`, ...json, '-d', '{"type":"LOCK_DEVICE"}');
    await expect.poll(() => frames.map(({ name }) => name), { timeout: 15_000 }).toEqual(['pushRegistered', 'wakeUp']);
    socket.terminate();
  });

  it('refuses a lab from before the NOC, and says what to do', async () => {
    const { roleFiles } = (await new InProcess('init', '--data', folder, '--json').ready()) as { roleFiles: Record<string, string> };
    for (const path of Object.values(roleFiles)) {
      const file = JSON.parse(readFileSync(path, 'utf8'));
      for (const name of ['noc', 'nocLink', 'uemLink']) delete file.place.ports[name];
      writeFileSync(path, JSON.stringify(file));
    }
    rmSync(roleFiles['noc'] as string);
    for (const args of [
      ['--data', folder],
      ['--role', 'uem', '--join', roleFiles['uem'] as string, '--data', join(folder, 'uem')],
    ]) {
      const run = start(...args);
      expect(await run.code).toBe(1);
      expect(run.error.join()).toMatch(/is of a lab without the role noc; make a new lab in another folder with init/);
    }
  });

  it('refuses a UEM whose certificate names no tenant, or another one', async () => {
    const { roleFiles } = (await new InProcess('init', '--data', folder, '--json').ready()) as { roleFiles: Record<string, string> };
    const path = roleFiles['uem'] as string;
    const file = JSON.parse(readFileSync(path, 'utf8'));
    const { certificate } = JSON.parse(readFileSync(roleFiles['noc'] as string, 'utf8'));
    for (const wrong of [{ certificate }, { tenantId: 'another' }]) {
      writeFileSync(path, JSON.stringify({ ...file, ...wrong }));
      const run = start('--role', 'uem', '--join', path, '--data', join(folder, 'uem'));
      expect(await run.code).toBe(1);
      expect(run.error.join()).toMatch(/the certificate of UEM does not name its tenant.*make a new lab in another folder with init/);
    }
  });

  it('refuses the file of another role, and a file that is none', async () => {
    const { roleFiles } = (await new InProcess('init', '--data', folder, '--json').ready()) as { roleFiles: Record<string, string> };
    const wrong = start('--role', 'uem', '--join', roleFiles['notification'] as string, '--data', join(folder, 'x'));
    expect(await wrong.code).toBe(2);
    expect(wrong.error.join()).toContain('that is the file of role notification, not of uem');
    const none = start('--role', 'uem', '--join', join(folder, 'connection.json'), '--data', join(folder, 'x'));
    expect(await none.code).toBe(1);
    expect(none.error.join()).toContain('is no role file');
  });
});

describe('usage', () => {
  it.each<[string[], number, RegExp]>([
    [[], 0, /COMMANDS/],
    [['--help'], 0, /EXAMPLES/],
    [['start', '--help'], 0, /--journal/],
    [['init', '--help'], 0, /--advertise/],
    [['dance'], 2, /There is no command dance; there are init, add-node, start/],
    [['start', '--dta', 'x'], 2, /There is no option --dta/],
    [['start', 'here'], 2, /There is no option here/],
    [['start', '--role', 'proxy'], 2, /there are infrastructure, uem, notification, noc/],
    [['start', '--host', '0.0.0.0'], 2, /--allow-remote/],
    [['start', '--role', 'noc', '--allow-unbound-links'], 2, /--allow-unbound-links is for all roles together/],
    [['init', '--place', 'noc=10.0.0.2'], 2, /--host 10.0.0.2 can be reached from other machines; say --allow-remote/],
    [['init', '--place', 'proxy=127.0.0.2'], 2, /--place proxy=127.0.0.2: there is no role proxy; there are infrastructure, uem/],
    [['init', '--place', 'noc=here'], 2, /--place noc=here: an address belongs after the role, as in noc=10.0.0.2/],
    [['init', '--place', 'noc=127.0.0.2,noc=127.0.0.3'], 2, /--place noc=127.0.0.3: noc is there twice/],
    [['start', '--help'], 0, /--smtp-password-file/],
    [['start', '--smtp', 'mail.example.com'], 2, /--smtp mail.example.com: is not HOST:PORT/],
    [['start', '--smtp', 'mail.example.com:70000'], 2, /--smtp: is not a port/],
    [['start', '--smtp', 'mail.example.com:25', '--smtp-security', 'maybe'], 2, /--smtp-security: is not none, starttls or tls/],
    [['start', '--smtp', 'mail.example.com:25', '--smtp-user', 'uem'], 2, /--smtp-password-file and --smtp-user: /],
    [['start', '--smtp', 'mail.example.com:25', '--smtp-password-file', '/nowhere/x'], 2, /--smtp-password-file \/nowhere\/x: cannot be read: ENOENT/],
    [['start', '--smtp', 'mail.example.com:25', '--mail-from', 'me'], 2, /--mail-from: is neither/],
    [['start', '--smtp', 'inbox', '--smtp-user', 'uem'], 2, /--smtp-user is for an SMTP host/],
    [['start', '--mail-from', 'uem@example.com'], 2, /--mail-from goes with --smtp/],
  ])('%j ends with %i', async (args, code, text) => {
    const run = new InProcess(...args);
    expect(await run.code).toBe(code);
    expect([...run.out, ...run.error].join('\n')).toMatch(text);
  });

  it('shows command lines as they can be typed in a clone, without escape sequences', async () => {
    const env = { npm_package_name: 'uemkit', npm_config_user_agent: 'pnpm/10.34.9 npm/? node/v20.20.2 linux x64' };
    const help = async (...more: [] | [typeof env]): Promise<string> => {
      const lines: string[] = [];
      await main(['start', '--help'], { out: (line) => void lines.push(line), error: () => {} }, () => Promise.resolve(''), ...more);
      return lines.join('\n');
    };
    expect(await help(env)).toContain('\n  npx -y pnpm@10.34.9 lab-server start --data /tmp/lab --json\n');
    expect(await help()).toContain('\n  lab-server start --data /tmp/lab --json\n');
    expect(await help()).not.toContain('\u001b');
  });
});
