import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import type { TraceLine } from '../../src/trace/trace-line.ts';
import { InProcess } from './in-process.ts';

/** Bounds a hang; a run takes a few seconds. */
const PATIENCE_MS = 120_000;

const HEAD = `
format: 1
name: inside
populations:
  - { name: android, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 3, credential: qr, labels: [all] }
  - { name: apple, operatingSystem: ios, count: 2, credential: qr-mail, devicePassword: 0%, labels: [all, leaving] }
activation: { ratePerS: 50, inFlight: 4 }
poll: { interval: 1s, jitter: 0s }
drainWithin: 60s
generator: { maxEventLoopDelay: 10s, maxLag: 30s }
`;

let here: InProcess;
let folder: string;
beforeEach(() => {
  here = new InProcess();
  ({ folder } = here);
});
afterEach(() => here.close());

const call: InProcess['call'] = (...given) => here.call(...given);
const target: InProcess['target'] = () => here.target();

function scenario(tail: string, attempts = 8): void {
  here.write('inside.yaml', HEAD.replace('inFlight: 4', `inFlight: 4, attempts: ${attempts}`) + tail);
}

describe('a run in this process', { timeout: PATIENCE_MS }, () => {
  it('tells in words what happened, writes the report and the trace, and keeps finished runs apart', async () => {
    scenario(`
push: { loss: 30% }
timeline:
  - { at: 0s, fault: { kind: delay, service: wakeUp, delayMs: 200 } }
  - { at: 0s, send: [{ command: REQUEST_INSTALLED_APPS }, { command: LOCK_DEVICE }], to: { label: all } }
assert: [audit == ok, commandToIdle.response.p99 < 60s]
`);
    const first = await call(['run', 'inside.yaml', '--out', 'report.json', '--trace', 'trace.ndjson']);
    expect(first.code, first.err).toBe(EXIT.ok);
    expect(first.out).toContain('5 (3 android-enterprise, 2 ios)');
    expect(first.out).toContain('10 sent, 10 done, 0 failed with a reason');
    expect(first.out).toMatch(/audit +ok: plan, devices and server agree/);
    expect(first.out).toMatch(/holds +audit == ok/);
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({ devices: 5, audit: 'ok', lockBeforeInventory: true });
    const lines = readFileSync(join(folder, 'trace.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TraceLine);
    // Every step of both flows, and every way between two parts.
    const steps = ['F1.1', 'F1.2', 'F1.3', 'F1.4', 'F1.5', 'F5.1', 'F5.2', 'F5.3', 'F5.4', 'F5.5', 'F5.6'];
    expect(steps.filter((step) => !lines.some((line) => line.step === step))).toEqual([]);
    const ways = ['administrator uem', 'user device', 'device uem', 'uem device', 'uem infrastructure', 'infrastructure notification', 'notification device'];
    expect(ways.filter((way) => !lines.some(({ from, to }) => `${from} ${to}` === way))).toEqual([]);
    expect((await call(['diagram', 'trace.ndjson', '--device', '3', '--out', '-'])).out).toContain('Device 3');
    const inspected = JSON.parse((await call(['inspect', '3', '--state', '.device-emulator/inside-1', '--json'])).out) as {
      steps: unknown[];
      executed: unknown[];
    };
    expect(inspected.steps.length).toBeGreaterThan(20);
    expect(inspected.executed).toHaveLength(2);
    const again = await call(['run', 'inside.yaml', '--state', '.device-emulator/inside-1']);
    expect(again.code).toBe(EXIT.usage);
    expect(again.err).toContain('there is a run in');
  });

  it('asks for no new secret for a device that UEM has accepted: it would end what was begun with the one before', async () => {
    const lab = await target();
    scenario('assert: [audit == ok]');
    const { id } = lab.faults.add({ kind: 'drop', service: 'device', count: 5 });
    const { code, out, err } = await call(['run', 'inside.yaml', '--target', 'connection.json', '--json']);
    expect(code, err).toBe(EXIT.ok);
    expect(JSON.parse(out.trim().split('\n').at(-1) as string)).toMatchObject({ activated: 5, serverKnown: 5, audit: 'ok' });
    // The confirmations (A7) were what was lost.
    expect(lab.faults.list().find((fault) => fault.id === id)).toMatchObject({ applied: 5 });
    expect([...lab.admin.devices()]).toHaveLength(5);
  });

  it('is interrupted by Ctrl-C, resumes, and does not activate anybody twice', async () => {
    scenario(`
timeline:
  - { at: 0s, send: [{ command: REQUEST_DEVICE_INFO }] }
  - { at: 2s, send: [{ command: LOCK_DEVICE }] }
assert: [audit == ok]
`);
    const lab = await target();
    const activations = (): number => lab.journal.entries().filter(({ request }) => request === 'activationStart').length;
    let pressed = false;
    const interrupted = await call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'state'], (text, interrupt) => {
      if (pressed || !text.includes('administrator: REQUEST_DEVICE_INFO')) return;
      pressed = true;
      interrupt();
    });
    expect(interrupted.code, interrupted.err).toBe(EXIT.interrupted);
    expect(interrupted.err).toContain('go on with: device-emulator resume');
    expect(activations()).toBe(5);
    const resumed = await call(['resume', 'state', '--json']);
    expect(resumed.code, resumed.err).toBe(EXIT.ok);
    expect(resumed.err).toContain('5 of 5 devices are activated already');
    expect(resumed.err).not.toContain('had finished');
    const third = await call(['resume', 'state']);
    expect(third.err).toContain('this run had finished');
    expect(third.out).toContain('Start number 3: times, priority and lost pushes are those of this start');
    expect(activations()).toBe(5);
    expect(JSON.parse(resumed.out)).toMatchObject({ starts: 2, activated: 5, serverKnown: 5, commandsSent: 10, commandsDone: 10, audit: 'ok' });
  });

  it('waits for no command that was cancelled while it was away, and the audit tells it', async () => {
    scenario(`
timeline:
  - { at: 1s, send: [{ command: LOCK_DEVICE }] }
`);
    const lab = await target();
    let [cut, pressed] = [false, false];
    const interrupted = await call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'state'], (text, interrupt) => {
      if (!cut && text.includes('Administrator manages')) {
        cut = true;
        lab.faults.add({ kind: 'drop', service: 'device', role: 'uem' });
      }
      if (pressed || !text.includes('waiting for 5 commands')) return;
      pressed = true;
      interrupt();
    });
    expect(interrupted.code, interrupted.err).toBe(EXIT.interrupted);
    const [cancelled] = [...lab.admin.devices()].flatMap(({ deviceId }) => [...lab.admin.commands(deviceId)].map(({ commandId }) => ({ deviceId, commandId })));
    if (cancelled === undefined) throw new Error('nothing was sent');
    await lab.admin.cancelCommand(cancelled.deviceId, cancelled.commandId);
    lab.faults.clear();
    const resumed = await call(['resume', 'state']);
    expect(resumed.code, resumed.err).toBe(EXIT.auditFailed);
    expect(resumed.err).not.toContain('not everything is through');
    expect(resumed.out).toMatch(new RegExp(`commandCancelled.*LOCK_DEVICE ${cancelled.commandId}`));
  });

  it('loses nothing while the notification service is down for the whole run', async () => {
    const lab = await target();
    scenario(`
push: { connectWithin: 500ms }
timeline:
  - { at: 0s, send: [{ command: REQUEST_DEVICE_INFO }, { command: LOCK_DEVICE }] }
assert: [audit == ok, commandsSent == 10, commandsDone == 10]
`);
    lab.faults.add({ kind: 'drop', role: 'notification' });
    lab.faults.add({ kind: 'drop', service: 'push' });
    const { code, out, err } = await call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'state', '--json']);
    expect(code, `${err}${out}`).toBe(EXIT.ok);
    expect(JSON.parse(out)).toMatchObject({ activated: 5, serverKnown: 5, drained: 5, audit: 'ok' });
    expect(err).toContain('5 devices do not reach their notification service; they depend on the regular poll');
    expect(lab.pushConnections).toBe(0);
  });

  it('runs against a server that is there already, lists every difference, and refuses users of another run', async () => {
    const lab = await target();
    scenario(`
timeline:
  - { at: 0s, send: [{ command: DELETE_WORK_SPACE_DATA }], to: { label: leaving } }
  - { after: drained, send: [{ command: REQUEST_DEVICE_INFO }, { command: UNLOCK_DEVICE }] }
assert: [deactivated == 2, commandsSent == 8, audit == ok]
`);
    const first = await call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'one', '--json']);
    expect(first.code, `${first.err}${first.out}`).toBe(EXIT.ok);
    expect([...lab.admin.devices()].filter(({ status }) => status === 'active')).toHaveLength(3);

    const second = await call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'two']);
    expect(second.code).toBe(EXIT.usage);
    expect(second.err).toContain('fleet inside-1 has run against it before');
    // `inspect` would take its empty folder for the newest run.
    expect(existsSync(join(folder, 'two'))).toBe(false);

    const [device] = [...lab.admin.devices()].filter(({ status }) => status === 'active');
    await lab.admin.removeDevice(device?.deviceId ?? '');
    const audited = await call(['resume', 'one']);
    expect(audited.code, audited.out).toBe(EXIT.auditFailed);
    expect(audited.out).toContain('notManaged');
    expect(audited.out).toContain('notOnServer');
    expect(existsSync(join(folder, 'one'))).toBe(true);
  });

  it('reports devices that cannot be activated, and goes on with the others', async () => {
    const lab = await target();
    scenario('assert: [activated == devices]\n', 1);
    const failing = call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'state', '--json'], (text) => {
      if (text.includes('F1.2') && lab.faults.list().length === 0) lab.faults.add({ kind: 'refuse', service: 'activation' });
    });
    const { code, out, err } = await failing;
    expect(code).toBe(EXIT.auditFailed);
    expect(err).toMatch(/device \d was not activated: ERR_REJECTED_BUSY/);
    expect(JSON.parse(out)).toMatchObject({ devices: 5, activated: 0, serverKnown: 0, differencesCount: 5, audit: 'failed' });
  });

  it('makes up for an administrator whose answers are lost: no command is sent twice', async () => {
    const lab = await target();
    scenario(`
timeline:
  - { at: 0s, send: [{ command: REQUEST_DEVICE_INFO }, { command: LOCK_DEVICE }] }
assert: [commandsSent == 10, commandsDone == 10, audit == ok]
`);
    lab.faults.add({ kind: 'drop', service: 'admin', at: 'answer', share: 0.3, count: 20 });
    const { code, out, err } = await call(['run', 'inside.yaml', '--target', 'connection.json', '--state', 'state', '--json']);
    expect(code, `${err}${out}`).toBe(EXIT.ok);
    const commands = [...lab.admin.devices()].flatMap(({ deviceId }) => [...lab.admin.commands(deviceId)]);
    expect(commands).toHaveLength(10);
    expect(lab.faults.list()[0]?.applied).toBeGreaterThan(5);
    expect([...lab.admin.users()]).toHaveLength(5);
  });
});
