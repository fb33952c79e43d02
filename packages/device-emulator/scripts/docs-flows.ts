/**
 * Writes docs/flows: F1 and F5 of one device as pictures, and the trace that they are drawn from. `--check` compares instead.
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
import { AdminError } from '../src/admin/admin-error.ts';
import type { AdminRequest } from '../src/admin/admin-http.ts';
import { makeDiagram } from '../src/diagram/diagram.ts';
import { toPage } from '../src/diagram/page.ts';
import { readTrace } from '../src/diagram/read-trace.ts';
import { toSvg } from '../src/diagram/svg.ts';
import type { DeviceObserver } from '../src/fleet/device-observer.ts';
import { FleetDevice } from '../src/fleet/fleet-device.ts';
import type { FleetStore } from '../src/fleet/fleet-store.ts';
import { LossBudget } from '../src/fleet/push-loss.ts';
import { makePlan, type PlannedDevice } from '../src/plan/plan.ts';
import { SeededDraw } from '../src/plan/seeded-draw.ts';
import { parseScenario } from '../src/scenario/parse-scenario.ts';
import { AdminTrace } from '../src/trace/admin-trace.ts';
import { journalLine } from '../src/trace/journal-line.ts';
import type { StepSink } from '../src/trace/step-sink.ts';
import { noteLine, type TraceLine, traceLine } from '../src/trace/trace-line.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FOLDER = join(ROOT, 'docs/flows');
const SEED = 'docs/flows';
const USER = 'alice@example.com';
const PASSWORD = 'correct-horse-battery';
/** One way between a device and a server. */
const LATENCY_MS = 12;

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

  const { tenantId, administrator } = lab.connection;
  const authorization = `Basic ${Buffer.from(`${administrator.username}:${administrator.password}`).toString('base64')}`;
  const rest = async (request: Omit<AdminRequest, 'path'> & { readonly path: string }): Promise<{ readonly guid: string }> => {
    const path = request.path.startsWith('/lab') ? request.path : `/${tenantId}/api/v1${request.path}`;
    const body = Buffer.from(request.body === undefined ? '' : JSON.stringify(request.body));
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await clock.hold(lab.rest({ method: request.method, path, query: '', headers, body, source: '' }));
    if (answer === undefined || answer.status >= 400) throw new AdminError(answer?.status ?? 0, '', answer?.body ?? 'lost');
    const read = answer.body === '' ? undefined : JSON.parse(answer.body);
    admin.exchanged({ request: { ...request, path }, status: answer.status, answer: read, bytes: body.length, tookMs: 0 });
    return read as { readonly guid: string };
  };

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
    transport: () => slow(lab.transport('device 0') as UemTransport, clock),
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

/** A network that takes its time, in virtual time. */
function slow(inner: UemTransport, clock: ReturnType<typeof fakeClock>): UemTransport {
  const pause = (): Promise<void> => new Promise((done) => void clock.setTimer(LATENCY_MS, done));
  return {
    async exchange(request) {
      await pause();
      const answer = await inner.exchange(request);
      await pause();
      return answer;
    },
    async openPush(request) {
      const { address, trust, signal } = request;
      const connection = await inner.openPush({
        address,
        trust,
        ...(signal === undefined ? {} : { signal }),
        onFrame: (frame) => void clock.setTimer(LATENCY_MS, () => request.onFrame(frame)),
        onClose: (error) => request.onClose(error),
      });
      return { send: (frame) => void clock.setTimer(LATENCY_MS, () => connection.send(frame)), close: () => connection.close() };
    },
    release: () => inner.release(),
    close: () => inner.close(),
  };
}

function silent(): DeviceObserver {
  return new Proxy({} as DeviceObserver, { get: () => () => undefined });
}

const FILES = ['one-device.ndjson', 'one-device.html', 'f1-activation.svg', 'f5-management.svg'] as const;

async function draw(lines: readonly TraceLine[]): Promise<Readonly<Record<(typeof FILES)[number], string>>> {
  const folder = mkdtempSync(join(tmpdir(), 'docs-flows-'));
  try {
    const trace = join(folder, 'one-device.ndjson');
    // As a reader wants it; a trace of many devices is in the order of writing.
    const sorted = [...lines].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
    writeFileSync(trace, sorted.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const picture = async (title: string, step?: string) => makeDiagram(await readTrace({ trace, device: 0, step, crypto: nobleCrypto() }), { title });
    return {
      'one-device.ndjson': readFileSync(trace, 'utf8'),
      'one-device.html': toPage(await picture('One device: activation (F1) and management (F5)')),
      'f1-activation.svg': toSvg(await picture('F1: a device activates itself', 'F1')),
      'f5-management.svg': toSvg(await picture('F5: two commands by push, one by the regular poll', 'F5')),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const drawn = await draw(await story());
for (const name of FILES) {
  const path = join(FOLDER, name);
  const shown = relative(ROOT, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, drawn[name]);
    process.stdout.write(`wrote ${shown} (${toHex(nobleCrypto().sha256(Buffer.from(drawn[name]))).slice(0, 12)})\n`);
  } else if (committed(path) === drawn[name]) process.stdout.write(`${shown} is up to date\n`);
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
