import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shareOf } from '../../../../scripts/lib/test-sizes.ts';
import { AdminHttp } from '../../src/admin/admin-http.ts';
import { AppApi } from '../../src/admin/app-api.ts';
import { parseConnection, readConnection } from '../../src/admin/connection-file.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import type { TraceLine } from '../../src/trace/trace-line.ts';
import { startEmulator } from './emulator-process.ts';
import { type Call, InProcess } from './in-process.ts';

/** Bounds a hang; a run takes a few seconds. */
const PATIENCE_MS = 120_000;

const HEAD = `
format: 1
name: administered
populations:
  - { name: lost, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 1, credential: qr, labels: [field] }
  - { name: androids, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 2, credential: qr, labels: [field] }
  - { name: phones, operatingSystem: ios, activationType: mdm-controls, count: 1, credential: qr }
activation: { ratePerS: 50, inFlight: 4 }
poll: { interval: 1s, jitter: 0s }
drainWithin: 60s
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
apps:
  - { name: wiki, to: { label: field }, key: uem-client, updateInterval: 300ms, sessions: 3, sessionsPerHour: 3600, requests: [{ get: /start, count: 2 }] }
  - { name: chat, to: { label: field }, key: sibling, updateInterval: 300ms }
  - { name: post, to: { population: phones }, key: mail, way: direct, updateInterval: 300ms }
`;
const BLOCK = '{ command: BLOCK_APPLICATION, properties: { title: Lost, body: Call the help desk., actionId: lost } }';
const TIMELINE = `
timeline:
  - { at: 1s, sendToApps: [{ command: LOCK_APPLICATION }], to: { app: wiki, population: lost } }
  - { at: 1s, sendToApps: [${BLOCK}], to: { app: chat } }
  - { after: drained, sendToApps: [{ command: UNBLOCK_APPLICATION, properties: { actionId: lost } }], to: { app: chat, population: androids } }
  - { at: 1s, sendToApps: [{ command: DELETE_APPLICATION }], to: { population: phones } }
assert: [appCommandsSent == 7, appCommandsDone == 7, audit == ok]
`;
const BY_KIND = {
  LOCK_APPLICATION: { sent: 1, done: 1 },
  BLOCK_APPLICATION: { sent: 3, done: 3 },
  UNBLOCK_APPLICATION: { sent: 2, done: 2 },
  DELETE_APPLICATION: { sent: 1, done: 1 },
};

let here: InProcess;
beforeEach(() => {
  here = new InProcess();
});
afterEach(() => {
  vi.restoreAllMocks();
  return here.close();
});

type Heard = Parameters<InProcess['call']>[1];
const run = (heard?: Heard): Promise<Call> =>
  here.call(['run', 'apps.yaml', '--target', 'connection.json', '--state', 'state', '--json', '--trace', 'trace.ndjson'], heard);
const resume = (heard?: Heard): Promise<Call> => here.call(['resume', 'state', '--json'], heard);
const reportOf = ({ out }: Pick<Call, 'out'>) =>
  JSON.parse(out.trim().split('\n').at(-1) as string) as Record<string, unknown> & {
    differences?: readonly { device: number; problem: string; detail: string }[];
  };

/** The activated apps of all users, as the lab has them. */
function appsOf(lab: LabServer) {
  return [...lab.admin.users()].flatMap(({ guid }) => lab.admin.dynamicsApps(guid).map(({ app, console }) => ({ guid, ...app, console })));
}

/** How many commands a server has ever taken, by its audit log. */
async function taken(connection = readConnection(join(here.folder, 'connection.json'))): Promise<number> {
  const http = new AdminHttp(connection);
  const { entries } = (await http.request({ method: 'GET', path: http.api('/auditLog?max=1000') })) as { entries: { operation: string; status?: number }[] };
  await http.close();
  return entries.filter(({ operation, status }) => operation === 'sendDynamicsAppCommand' && status === 202).length;
}

describe('what a plan sends to apps', { timeout: PATIENCE_MS }, () => {
  it('locks, blocks, unblocks and wipes exactly the apps of the plan; plan, apps and server agree', async () => {
    const lab = await here.target();
    here.write('apps.yaml', HEAD + TIMELINE);
    const ended = await run();
    expect(ended.code, ended.err + ended.out).toBe(EXIT.ok);
    const report = reportOf(ended);
    expect(report).toMatchObject({
      audit: 'ok',
      apps: { activated: 7, serverKnown: 7, commands: { sent: 7, done: 7, byKind: BY_KIND } },
      appCommandMs: { count: 7 },
    });
    const { requests } = report['apps'] as { requests: { planned: number; done: number; failed: number; withheld: number } };
    expect(requests).toMatchObject({ planned: 22, failed: 0 });
    // The locked app was to have a session at least two seconds behind its lock.
    expect(requests.withheld).toBeGreaterThan(0);
    expect(requests.done + requests.withheld).toBe(22);
    const known = appsOf(lab);
    const consolesOf = (name: string) => known.filter(({ appId }) => appId.endsWith(name)).map(({ console }) => console);
    expect(known).toHaveLength(6);
    expect(consolesOf('wiki').filter((console) => console?.lockId !== undefined)).toHaveLength(1);
    expect(
      consolesOf('chat')
        .map((console) => console?.blocks.length)
        .sort(),
    ).toEqual([0, 0, 1]);
    expect(await taken()).toBe(7);
    const lines = readFileSync(join(here.folder, 'trace.ndjson'), 'utf8').trim().split('\n');
    const commands = lines
      .map((line) => JSON.parse(line) as TraceLine)
      .filter(({ from, step, message }) => from === 'administrator' && step === 'F5.1' && message === 'POST commands');
    expect(commands).toHaveLength(7);
    // Started again, the apps are as they were, and nobody makes another installation of the wiped one.
    const again = await resume();
    expect(again.code, again.err + again.out).toBe(EXIT.ok);
    expect(reportOf(again)).toMatchObject({ audit: 'ok', apps: { activated: 7, commands: { sent: 7, done: 7 } } });
    expect([appsOf(lab).length, await taken()]).toEqual([6, 7]);
    expect(ended.err + again.err).not.toContain('warning');
  });

  it('drained waits for apps, and says so where they do not hear', async () => {
    const lab = await here.target();
    const steps = `timeline:\n  - { sendToApps: [${BLOCK}], to: { app: chat, population: lost } }\n  - { after: drained, send: [{ command: REQUEST_DEVICE_INFO }] }\n`;
    here.write('apps.yaml', HEAD.replace('drainWithin: 60s', 'drainWithin: 8s') + steps);
    // No app reaches UEM once the block is sent.
    let isAway = false;
    const ended = await run((text) => {
      if (isAway || !text.includes('administrator: BLOCK_APPLICATION')) return;
      isAway = true;
      lab.faults.add({ kind: 'drop', role: 'uem', service: 'px' });
    });
    expect(ended.code, ended.err).toBe(EXIT.auditFailed);
    expect(ended.err).toContain('the timeline goes on although not everything is through');
    expect(ended.err).toContain('could not ask UEM what has changed');
    const problems = reportOf(ended).differences?.map(({ problem }) => problem);
    expect(problems).toContain('appCommandOpen');
    expect(problems).toContain('appConditionDiffers');
    // As soon as they do, the run can end well.
    lab.faults.clear();
    const again = await resume();
    expect(again.code, again.err + again.out).toBe(EXIT.ok);
    expect(await taken()).toBe(1);
  });

  it('gives apps another policy: drained waits until they go by it, and the audit finds one that was changed behind the back of the plan', async () => {
    const lab = await here.target();
    const strict = (minutes: number): string =>
      `configure: [{ profile: strict, kind: dynamics, content: { idleLockMinutes: ${minutes}, activationDelegates: [com.example.fleet.wiki] } }]`;
    here.write(
      'apps.yaml',
      `${HEAD.replace('drainWithin: 60s', 'drainWithin: 15s')}timeline:\n  - { ${strict(60)}, to: { label: field } }\n  - { after: drained, ${strict(90)} }\nassert: [appPolicy.response.count == 12, audit == ok]\n`,
    );
    const first = await run();
    expect(first.code, first.err + first.out).toBe(EXIT.ok);
    const profile = [...lab.admin.configurationProfiles()].find(({ name }) => name === 'administered-1 strict');
    await lab.admin.updateConfigurationProfile(profile?.profileId as string, {
      ...{ kind: 'dynamics', name: 'administered-1 strict', rank: 1 },
      content: { idleLockMinutes: 30, activationDelegates: ['com.example.fleet.wiki'] },
    });
    const audited = await resume();
    expect(audited.code, audited.err).toBe(EXIT.auditFailed);
  });

  const behind = [
    ['a block that was lifted', 'chat', { type: 'UNBLOCK_APPLICATION', actionId: 'lost' }],
    ['an app that was locked once more', 'wiki', { type: 'LOCK_APPLICATION' }],
    ['an app that was blocked', 'wiki', { type: 'BLOCK_APPLICATION', title: 'a', body: 'b', actionId: 'c' }],
  ] as const;

  it.each(shareOf(behind, 3))('the audit finds %s behind the back of the plan', async (_what, name, command) => {
    const lab = await here.target();
    const steps = `timeline:\n  - { sendToApps: [{ command: LOCK_APPLICATION }], to: { app: wiki, population: lost } }\n  - { sendToApps: [${BLOCK}], to: { app: chat } }\n`;
    here.write('apps.yaml', `${HEAD}${steps}`);
    const first = await run();
    expect(first.code, first.err + first.out).toBe(EXIT.ok);
    const meant = appsOf(lab).find(
      ({ appId, console }) => appId.endsWith(name) && (name === 'chat' || command.type === 'BLOCK_APPLICATION' || console?.lockId !== undefined),
    );
    await lab.admin.commandDynamicsApp(meant?.guid as string, meant?.instanceId as string, command);
    const audited = await resume();
    expect(audited.code, audited.err).toBe(EXIT.auditFailed);
    const { differences = [] } = reportOf(audited);
    expect(differences.map(({ problem }) => problem)).toContain('appDiffersOnServer');
    expect(new Set(differences.map(({ device }) => device)).size).toBe(1);
  });

  const kinds = ['LOCK_APPLICATION', 'BLOCK_APPLICATION', 'DELETE_APPLICATION', 'UNBLOCK_APPLICATION'] as const;

  it.each(shareOf(kinds, 4))('is interrupted when UEM has taken %s without our knowing, resumes, and sends nothing twice', async (kind) => {
    await here.target();
    here.write('apps.yaml', HEAD + TIMELINE);
    let interrupt = (): void => undefined;
    let sent = 0;
    const send = AppApi.prototype.sendCommand;
    vi.spyOn(AppApi.prototype, 'sendCommand').mockImplementation(async function (this: AppApi, ...given) {
      const app = await send.apply(this, given);
      if (given[2].command !== kind || sent++ > 0) return app;
      interrupt();
      throw new Error('the run ends before it can note that');
    });
    const first = await run((_text, now) => {
      interrupt = now;
    });
    expect([first.code, sent > 0], first.err).toEqual([EXIT.interrupted, true]);
    vi.restoreAllMocks();
    const second = await resume();
    expect(second.code, second.err + second.out).toBe(EXIT.ok);
    expect(reportOf(second)).toMatchObject({ starts: 2, audit: 'ok', apps: { commands: { sent: 7, done: 7, byKind: BY_KIND } } });
    expect(await taken()).toBe(7);
  });

  it.each(shareOf(['LOCK_APPLICATION', 'DELETE_APPLICATION'], 2))('survives kill -9 at %s: resume sends nothing twice and loses nothing', async (kind) => {
    here.write('apps.yaml', HEAD + TIMELINE);
    const [file, state] = [join(here.folder, 'apps.yaml'), join(here.folder, 'killed')];
    const first = startEmulator('run', file, '--state', state, '--json');
    await first.said(`administrator: ${kind}`);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const second = await startEmulator('resume', state, '--json').ended;
    expect(second.code, second.err + second.out).toBe(EXIT.ok);
    expect(reportOf(second)).toMatchObject({ starts: 2, audit: 'ok', apps: { commands: { sent: 7, done: 7, byKind: BY_KIND } } });
    const lab = await startLabServer({ folder: join(state, 'lab') });
    expect(await taken(parseConnection(JSON.stringify(lab.connection), 'lab'))).toBe(7);
    await lab.close();
  });

  it('sends a command whose answer was lost no second time, and one that was lost itself again', async () => {
    const lab = await here.target();
    here.write('apps.yaml', HEAD + TIMELINE);
    let isBegun = false;
    const ended = await run((text) => {
      if (isBegun || !text.includes('administrator: LOCK_APPLICATION')) return;
      isBegun = true;
      lab.faults.add({ kind: 'drop', service: 'admin', at: 'answer', share: 0.3, count: 6, seed: 5 });
      lab.faults.add({ kind: 'drop', service: 'admin', at: 'request', share: 0.3, count: 6, seed: 6 });
    });
    expect(ended.code, ended.err + ended.out).toBe(EXIT.ok);
    expect(await taken()).toBe(7);
  });
});
