import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import type { TraceLine } from '../../src/trace/trace-line.ts';
import { InProcess } from './in-process.ts';

/** Bounds a hang; a run takes a few seconds. */
const PATIENCE_MS = 120_000;

const HEAD = `
format: 1
name: with-apps
populations:
  - { name: androids, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 2, credential: qr }
  - { name: phones, operatingSystem: ios, activationType: mdm-controls, count: 1, credential: qr }
  - { name: knox, operatingSystem: samsung-knox, activationType: work-and-personal-full-control, count: 1, credential: qr }
activation: { ratePerS: 50, inFlight: 4 }
poll: { interval: 1s, jitter: 0s }
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
timeline:
  - { at: 0s, send: [{ command: REQUEST_DEVICE_INFO }] }
`;

const APPS = `
apps:
  - { name: wiki, to: { population: androids }, key: uem-client, sessions: 2, sessionsPerHour: 36000, requests: [{ get: /start }, { get: /bytes/100000 }, { post: /drafts, bytes: 20000, count: 2 }] }
  - { name: chat, to: { population: androids }, key: sibling }
  - { name: mail, to: { population: phones }, key: mail, way: direct, requests: [{ get: /bytes/5000, count: 3 }] }
  - { name: files, to: { population: knox }, key: mail, way: direct }
  - { name: notes, to: { population: knox }, key: sibling, way: direct }
assert: [appsActivated == apps, appsServerKnown == apps, appRequestsDone == appRequests, appActivation.response.count == 7, appRequest.service.count == 23, audit == ok]
`;

let here: InProcess;
beforeEach(() => {
  here = new InProcess();
});
afterEach(() => here.close());

const reportOf = (out: string): Record<string, unknown> => JSON.parse(out.trim().split('\n').at(-1) as string) as Record<string, unknown>;

describe('a run with Dynamics apps', { timeout: PATIENCE_MS }, () => {
  it('activates them by all three sources of keys, and they ask a server through the NOC and by Direct Connect', async () => {
    here.write('apps.yaml', HEAD + APPS);
    const { code, out, err } = await here.call(['run', 'apps.yaml', '--json', '--trace', 'trace.ndjson']);
    expect(code, err + out).toBe(EXIT.ok);
    const lines = readFileSync(join(here.folder, 'trace.ndjson'), 'utf8').trim().split('\n');
    const steps = new Set(lines.map((line) => (JSON.parse(line) as TraceLine).step));
    const wanted = [...Array.from({ length: 11 }, (_, step) => `F3.${step + 1}`), 'F10.2', 'F10.3', 'F11.3'];
    expect(wanted.filter((step) => !steps.has(step))).toEqual([]);
    const picture = await here.call(['diagram', 'trace.ndjson', '--device', '0', '--flow', 'F3', '--out', '-']);
    expect(picture.code, picture.err).toBe(EXIT.ok);
    for (const text of ['UEM makes the key and tells the NOC its hash', 'Other app', 'UEM sends the provisioning data under seal'])
      expect(picture.out).toContain(text);
    expect(reportOf(out).apps).toEqual({
      planned: 7,
      activated: 7,
      serverKnown: 7,
      byKey: { 'uem-client': 2, mail: 2, sibling: 3 },
      requests: { planned: 23, done: 23, failed: 0, byWay: { noc: 18, direct: 5 } },
    });
    expect(err).not.toContain('warning');
    const words = await here.call(['plan', 'apps.yaml']);
    expect(words.out).toContain('2  wiki: activated with a key of the UEM Client, 2 sessions of 4 requests through the NOC');
  });

  it('asks the server that the user names, and an answer that is an error fails the audit', async () => {
    const asked: (string | undefined)[] = [];
    const own = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(request.url === '/missing' ? 404 : 200).end();
    });
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    const apps = 'apps: [{ name: wiki, to: { population: androids, share: 50% }, key: uem-client, requests: [{ get: /there }, { get: /missing }] }]\n';
    here.write('apps.yaml', HEAD + apps);
    const server = `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
    const { code, out, err } = await here.call(['run', 'apps.yaml', '--json', '--app-server', server]);
    own.close();
    own.closeAllConnections();
    expect(code, err).toBe(EXIT.auditFailed);
    expect(asked).toEqual(['/there', '/missing']);
    expect(reportOf(out)).toMatchObject({
      apps: { requests: { planned: 2, done: 1, failed: 1 } },
      differences: [{ problem: 'appRequestsFailed', detail: '1 requests of the app wiki' }],
    });
    expect(err).toContain('the server answered 404');
  });

  it('goes on with the same key when UEM forgets a session in the middle of an activation', async () => {
    const lab = await here.target();
    const apps = 'apps: [{ name: wiki, to: { population: androids, share: 50% }, key: uem-client }]\nassert: [appsActivated == apps, audit == ok]\n';
    here.write('apps.yaml', HEAD + apps);
    // M3 is held up, and UEM started again meanwhile.
    lab.faults.add({ kind: 'delay', role: 'uem', service: 'envelopes', count: 1, delayMs: 2_000 });
    const run = here.call(['run', 'apps.yaml', '--json', '--target', 'connection.json']);
    await expect
      .poll(() => lab.journal.entries().some(({ request, answer }) => request === 'nocSetUp' && answer === 'handshakeReply'), { interval: 20, timeout: 30_000 })
      .toBe(true);
    await lab.restart('uem');
    const { code, out, err } = await run;
    expect(code, err + out).toBe(EXIT.ok);
    expect(lab.journal.entries().filter(({ reason }) => reason === 'no such session')).not.toEqual([]);
  });

  it('is interrupted among activations and sessions, resumes, and activates no app twice', async () => {
    const slow = APPS.replace('sessions: 2, sessionsPerHour: 36000', 'sessions: 3, sessionsPerHour: 3600').replace(/ appActivation.*== 23,/, '');
    here.write('apps.yaml', HEAD + slow);
    /** Ctrl-C once, when this is told. */
    const at = (told: RegExp) => {
      let done = false;
      return (text: string, interrupt: () => void): void => {
        if (done || !told.test(text)) return;
        done = true;
        interrupt();
      };
    };
    const first = await here.call(['run', 'apps.yaml', '--json'], at(/[1-6] of 7 apps activated/));
    expect(first.code, first.err).toBe(EXIT.interrupted);
    const state = '.device-emulator/with-apps-1';
    expect(existsSync(`${here.folder}/${state}`)).toBe(true);
    const second = await here.call(['resume', state, '--json'], at(/waiting for the sessions/));
    expect(second.code, second.err).toBe(EXIT.interrupted);
    const { code, out, err } = await here.call(['resume', state, '--json']);
    expect(code, err + out).toBe(EXIT.ok);
    expect(reportOf(out)).toMatchObject({ apps: { activated: 7, serverKnown: 7, requests: { planned: 31, done: 31, failed: 0 } }, audit: 'ok' });
  });
});
