/**
 * Writes docs/flows: F1 and F5 of one device and F3 of one app as pictures, and the traces that they are drawn from. `--check` compares instead.
 * The real client library on an emulated device talks to the real lab; only sockets and time are not real, so that every run draws the same.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { startLab } from '@uemkit/lab-server';
import { type CryptoProvider, type Store, toHex } from '@uemkit/protocol';
import { nobleCrypto } from '@uemkit/protocol/noble';
import { fakeClock, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import type { UemTransport } from '@uemkit/uem-client';
import { TlsContexts } from '@uemkit/uem-client/node';
import { makeDiagram } from '../src/diagram/diagram.ts';
import { toPage } from '../src/diagram/page.ts';
import { readTrace } from '../src/diagram/read-trace.ts';
import { toSvg } from '../src/diagram/svg.ts';
import type { DeviceObserver } from '../src/fleet/device-observer.ts';
import { FleetDevice } from '../src/fleet/fleet-device.ts';
import type { FleetStore } from '../src/fleet/fleet-store.ts';
import { LossBudget } from '../src/fleet/push-loss.ts';
import { makePlan } from '../src/plan/plan.ts';
import type { PlannedDevice } from '../src/plan/planned-device.ts';
import { SeededDraw } from '../src/plan/seeded-draw.ts';
import { parseScenario } from '../src/scenario/parse-scenario.ts';
import { AdminTrace } from '../src/trace/admin-trace.ts';
import { journalLine } from '../src/trace/journal-line.ts';
import type { StepSink } from '../src/trace/step-sink.ts';
import { noteLine, type TraceLine, traceLine } from '../src/trace/trace-line.ts';
import { appStory } from './app-story.ts';
import { adminOf } from './lab-admin.ts';
import { slowUem } from './slow-network.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'docs/flows');
const SEED = 'docs/flows';
const USER = 'alice@example.com';
const PASSWORD = 'correct-horse-battery';

const SCENARIO = `
format: 1
name: flows
populations:
  - { name: phone, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 1, credential: password }
`;

/** Runs the story in virtual time and gives its trace. */
async function story(): Promise<readonly TraceLine[]> {
  const clock = fakeClock(Date.UTC(2026, 0, 15, 9));
  // Its signatures are the same for the same key and message. Stretching a password really takes time, and none of the clock's.
  const noble = nobleCrypto();
  const crypto: CryptoProvider = Object.assign(Object.create(noble), {
    scrypt: (...args: Parameters<CryptoProvider['scrypt']>) => clock.hold(noble.scrypt(...args)),
  });
  const hash = (data: Uint8Array): Uint8Array => crypto.sha256(data);
  const lines: TraceLine[] = [];
  const lab = await startLab({ clock, crypto, entropy: seededEntropy(SEED), cost: { N: 16_384, r: 8, p: 1 }, profile: { pollIntervalS: 600, pollJitterS: 0 } });
  const admin = new AdminTrace({ clock, hash, indexOfUserId: (userId) => (userId === USER ? 0 : undefined), write: (line) => lines.push(line) });
  lab.journal.subscribe((entry) => {
    const line = entry.service === 'admin' ? undefined : journalLine(entry);
    if (line !== undefined) lines.push(line);
  });

  const rest = adminOf(lab, clock, admin);

  const plan = makePlan(parseScenario(SCENARIO, 'flows.yaml'), crypto, {});
  const planned: PlannedDevice = { ...(plan.devices[0] as PlannedDevice), userId: USER };
  const store: Store = memoryStore();
  let losing = false;
  const device = await FleetDevice.open(planned, {
    crypto,
    clock,
    entropy: seededEntropy(`${SEED} device`),
    draw: new SeededDraw(crypto, plan.fleetId),
    store: { device: () => store } as unknown as FleetStore,
    contexts: new TlsContexts(),
    observer: silent(),
    pushLoss: 0,
    lossBudget: new LossBudget(0),
    start: 1,
    steps: (index): StepSink => ({ message: (event) => lines.push(traceLine(index, event, hash)), noted: (note) => lines.push(noteLine(index, note)) }),
    transport: () => slowUem(lab.transport('device 0') as UemTransport, clock),
  });

  const until = (condition: () => boolean): Promise<void> => clock.advanceUntil(condition, 3_600_000);
  const idle = (): number => lines.filter(({ message }) => message === 'idle').length;
  await rest({
    method: 'PUT',
    path: '/lab/v1/profiles/phones-1',
    body: {
      name: 'Phones',
      activationType: planned.activationType,
      createWorkSpace: true,
      encryptDevice: true,
      pollIntervalS: 600,
      pollJitterS: 0,
      allowedDevices: 1,
    },
  });
  await clock.advance(2_000);
  const { guid } = await rest({ method: 'POST', path: '/users', body: { username: USER, displayName: 'Alice' } });
  await clock.advance(1_500);
  const password = { password: Buffer.from(PASSWORD).toString('base64'), activationProfile: { guid: 'phones-1' } };
  await rest({ method: 'POST', path: `/users/${guid}/activationPasswords`, body: { activationPasswords: [password] } });
  await clock.advance(30_000);
  await device.open();
  let activated = false;
  const activation = device.activate({
    kind: 'password',
    userId: USER,
    password: PASSWORD,
    infrastructure: { address: lab.connection.infrastructure, trust: lab.trust },
  });
  void activation.then(() => {
    activated = true;
  });
  await until(() => activated);
  device.start();
  await until(() => lab.pushConnections === 1 && idle() >= 2);
  await clock.advance(60_000);
  const before = idle();
  const command = (type: string, properties?: object) =>
    rest({
      method: 'POST',
      path: `/users/${guid}/userDevices/${device.deviceId}/commands`,
      body: { type, ...(properties === undefined ? {} : { properties }) },
    });
  // The question first and the lock second: the device gets the lock first, because both wait when it asks.
  await command('REQUEST_DEVICE_INFO');
  await command('LOCK_DEVICE', { message: 'Back in five minutes' });
  await until(() => idle() > before && lines.filter(({ message }) => message === 'commandResult').length >= 2);
  await clock.advance(5_000);
  // A push that is lost on purpose; the regular poll makes up for it.
  losing = lab.faults.add({ kind: 'drop', service: 'wakeUp', count: 1 }) !== undefined;
  await command('UNLOCK_DEVICE');
  await until(() => losing && lines.filter(({ message }) => message === 'commandResult').length >= 3);
  await clock.advance(100);
  await device.close();
  await lab.close();
  return lines;
}

function silent(): DeviceObserver {
  return new Proxy({} as DeviceObserver, { get: () => () => undefined });
}

/** A picture of a trace: all of it as a page, or one flow. */
interface Picture {
  readonly file: string;
  readonly title: string;
  readonly step?: string;
}

/** Files of one trace by name: the trace itself and its pictures. */
async function draw(name: string, lines: readonly TraceLine[], pictures: readonly Picture[]): Promise<ReadonlyMap<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'docs-flows-'));
  try {
    const trace = join(folder, name);
    // As a reader wants it; a trace of many devices is in the order of writing.
    const sorted = [...lines].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
    writeFileSync(trace, sorted.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const files = new Map([[name, readFileSync(trace, 'utf8')]]);
    for (const { file, title, step } of pictures) {
      const diagram = makeDiagram(await readTrace({ trace, device: 0, step, crypto: nobleCrypto() }), { title });
      files.set(file, file.endsWith('.html') ? toPage(diagram) : toSvg(diagram));
    }
    return files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const drawn = new Map([
  ...(await draw('one-device.ndjson', await story(), [
    { file: 'one-device.html', title: 'One device: activation (F1) and management (F5)' },
    { file: 'f1-activation.svg', title: 'F1: a device activates itself', step: 'F1' },
    { file: 'f5-management.svg', title: 'F5: two commands by push, one by the regular poll', step: 'F5' },
  ])),
  ...(await draw('one-app.ndjson', await appStory(nobleCrypto()), [
    { file: 'f3-app-activation.svg', title: 'F3: an app activates itself, and nobody types a key', step: 'F3' },
  ])),
]);
for (const [name, text] of drawn) {
  const path = join(FOLDER, name);
  const shown = relative(ROOT, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`wrote ${shown} (${toHex(nobleCrypto().sha256(Buffer.from(text))).slice(0, 12)})\n`);
  } else if (committed(path) === text) process.stdout.write(`${shown} is up to date\n`);
  else {
    process.stderr.write(`${shown} differs from a run of today; write it again with: pnpm docs:flows\n`);
    process.exitCode = 1;
  }
}

function committed(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
