import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLabServer } from '@uemkit/lab-server';
import { nodeCrypto } from '@uemkit/protocol/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shareOf } from '../../../../scripts/lib/test-sizes.ts';
import { derivedPassword } from '../../src/fleet/derived-key-store.ts';
import { SeededDraw } from '../../src/plan/seeded-draw.ts';
import { type Ended, reportOf, startEmulator } from './emulator-process.ts';

const SCENARIO = `
format: 1
name: small
seed: 11
populations:
  - { name: android, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 8, credential: qr }
  - { name: typed, operatingSystem: android-enterprise, count: 4, credential: password }
  - { name: apple, operatingSystem: ios, count: 8, credential: qr, labels: [leaving] }
activation: { ratePerS: 40, inFlight: 8 }
push: { loss: 20% }
poll: { interval: 2s, jitter: 1s }
timeline:
  - { at: 0s, fault: { kind: delay, service: wakeUp, delayMs: 700 }, for: 3s }
  - at: 0s
    send:
      - { command: REQUEST_DEVICE_INFO }
      - { command: REQUEST_INSTALLED_APPS }
      - { command: LOCK_DEVICE, properties: { message: come back } }
  - { after: drained, send: [{ command: DELETE_WORK_SPACE_DATA }], to: { label: leaving, share: 25% } }
drainWithin: 60s
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
assert: [audit == ok, commandsDone == commandsSent, pushesRecoveredByPoll == pushesDropped, deactivated == 2]
`;

let folder: string;
let scenario: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-run-'));
  scenario = join(folder, 'small.yaml');
  writeFileSync(scenario, SCENARIO);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function expectWhole(ended: Ended): Record<string, unknown> {
  const report = reportOf(ended);
  expect(report, ended.err).toMatchObject({
    devices: 20,
    kinds: { 'android-enterprise': 12, ios: 8 },
    activated: 20,
    serverKnown: 20,
    drained: 20,
    commandsSent: 62,
    commandsDone: 62,
    audit: 'ok',
  });
  expect(ended.code).toBe(0);
  return report;
}

/** Bounds a hang; a run takes some ten seconds on a machine at rest. */
const PATIENCE_MS = 180_000;

describe('a fleet of 20 devices against a lab server in a process of its own', { timeout: PATIENCE_MS }, () => {
  it('activates, is managed, loses pushes, deactivates two devices, and agrees with the server; the trace holds no secret', async () => {
    const trace = join(folder, 'trace.ndjson');
    const ended = await startEmulator('run', scenario, '--state', join(folder, 'state'), '--json', '--trace', trace).ended;
    const report = expectWhole(ended);
    expect(report).toMatchObject({ lockBeforeInventory: true, deactivated: 2 });
    expect(report.pushesDropped).toBeGreaterThan(0);
    expect(report.pushesRecoveredByPoll).toBe(report.pushesDropped);
    expect(ended.err).not.toContain('\u001b');
    for (const name of ['activationMs', 'pushToIdleMs', 'pollRecoveryMs'])
      expect(report[name]).toMatchObject({ p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) });

    const text = readFileSync(trace, 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { device?: number; step?: string; from: string; to: string; message: string });
    expect(new Set(lines.flatMap(({ device }) => (device === undefined ? [] : [device]))).size).toBe(20);
    for (const message of ['activationStart', 'activationResult', 'poll', 'command', 'commandResult', 'idle', 'wakeUp', 'pushRegister']) {
      expect(
        lines.some((line) => line.message === message),
        message,
      ).toBe(true);
    }
    // Only what the administrator does outside the flows, and changes inside a device, have no step.
    for (const line of lines.filter(({ step = '' }) => !/^F\d+\.\d+/.test(step)))
      expect(line.from === 'administrator' || line.from === line.to, line.message).toBe(true);
    const draw = new SeededDraw(nodeCrypto(), 'small-11');
    for (let index = 0; index < 20; index++) expect(text).not.toContain(derivedPassword(draw, index));
    // No byte string longer than a hash is written out. What the REST API names by ids is no secret: paths, and the guid of a command.
    expect(text.replace(/"path":"\/[^"]*"|"guid":"[0-9a-f]{32}"/g, '')).not.toMatch(/[0-9a-f]{17,}|[A-Za-z0-9+/_-]{60,}/);
  });

  it.each(shareOf(['activation', 'management'], 2))(
    'survives kill -9 in the middle of %s: resume activates nothing twice and loses no command',
    async (moment) => {
      const state = join(folder, 'state');
      const first = startEmulator('run', scenario, '--state', state, '--json');
      await first.said(moment === 'activation' ? 'devices activated' : 'administrator: REQUEST_DEVICE_INFO');
      first.child.kill('SIGKILL');
      expect((await first.ended).signal).toBe('SIGKILL');
      const second = startEmulator('resume', state, '--json');
      await second.said('devices are activated already');
      const ended = await second.ended;
      expectWhole(ended);
      if (moment === 'management') expect(ended.err).toContain('20 of 20 devices are activated already');
    },
  );

  it('saves at Ctrl-C, says how to go on, and lets no second process near the fleet', async () => {
    const state = join(folder, 'state');
    const first = startEmulator('run', scenario, '--state', state, '--json');
    await first.said('devices activated');
    const intruder = await startEmulator('resume', state).ended;
    expect(intruder.code).toBe(2);
    expect(intruder.err).toContain(`process ${first.child.pid} runs the fleet`);
    first.child.kill('SIGINT');
    const interrupted = await first.ended;
    expect(interrupted.code, interrupted.err).toBe(130);
    expect(interrupted.err).toContain(`device-emulator resume ${state}`);
    expectWhole(await startEmulator('resume', state, '--json').ended);
  });

  it('ends with 1 when an assertion does not hold, 4 when server and devices do not agree, 3 when the emulator was too slow, 2 for a mistake in the scenario', async () => {
    const short = SCENARIO.replace(/timeline:[\s\S]*drainWithin/, 'drainWithin').replace(/count: \d/g, 'count: 1');
    writeFileSync(scenario, short.replace(/assert: .*/, 'assert: [activated == devices, commandsSent > 0]'));
    const failed = await startEmulator('run', scenario, '--state', join(folder, 'one'), '--json').ended;
    expect(failed.code, failed.err).toBe(1);
    expect(reportOf(failed).assertions).toEqual([
      { assertion: 'activated == devices', ok: true, found: '3 and 3' },
      { assertion: 'commandsSent > 0', ok: false, found: '0' },
    ]);
    // Behind the back of the run: the server forgets a device that the fleet has.
    const behind = await startLabServer({ folder: join(folder, 'one', 'lab') });
    await behind.admin.removeDevice([...behind.admin.devices()][0]?.deviceId ?? '');
    await behind.close();
    const audited = await startEmulator('resume', join(folder, 'one'), '--json').ended;
    expect(audited.code, audited.err).toBe(4);
    expect(reportOf(audited)).toMatchObject({ audit: 'failed' });
    writeFileSync(scenario, short.replace('maxEventLoopDelay: 10s', 'maxEventLoopDelay: 0ms'));
    const invalid = await startEmulator('run', scenario, '--state', join(folder, 'two'), '--json').ended;
    expect(invalid.code, invalid.err).toBe(3);
    expect(reportOf(invalid).generator).toMatchObject({ valid: false });
    writeFileSync(scenario, short.replace('credential:', 'credentail:'));
    const mistaken = await startEmulator('run', scenario, '--state', join(folder, 'three')).ended;
    expect([mistaken.code, mistaken.out]).toEqual([2, '']);
    expect(mistaken.err).toContain(`${scenario}:6:117: populations[0].credentail: unknown field (did you mean credential?)`);
  });
});
