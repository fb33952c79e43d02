import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uemClientSocket } from '@uemkit/dynamics-sdk/node';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { clientOfCertificates, drive, keyHandOverInitiator, ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import { TlsContexts } from '@uemkit/uem-client/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DeviceObserver } from '../../src/fleet/device-observer.ts';
import { FleetDevice } from '../../src/fleet/fleet-device.ts';
import { FleetStore } from '../../src/fleet/fleet-store.ts';
import { LossBudget } from '../../src/fleet/push-loss.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { askingApps, type PlannedApp } from '../../src/plan/planned-apps.ts';
import type { PlannedDevice } from '../../src/plan/planned-device.ts';
import { SeededDraw } from '../../src/plan/seeded-draw.ts';
import { parseScenario } from '../../src/scenario/parse-scenario.ts';

const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const SCENARIO = `
format: 1
name: asking
populations:
  - { name: androids, operatingSystem: android-enterprise, activationType: work-and-personal-full-control, count: 1, credential: qr }
apps:
  - { name: wiki, to: { population: androids }, key: uem-client }
  - { name: chat, to: { population: androids }, key: sibling }
`;
const plan = makePlan(parseScenario(SCENARIO, 'asking.yaml'), ports.crypto);
const [wiki, chat] = plan.apps as readonly [PlannedApp, PlannedApp];

const NOBODY: DeviceObserver = new Proxy({} as DeviceObserver, { get: () => () => undefined });

let lab: LabServer;
let folder: string;
let store: FleetStore;
let device: FleetDevice;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asking-'));
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 } });
  const [planned] = plan.devices as readonly [PlannedDevice];
  const { guid } = await lab.admin.createUser({ username: planned.userId, email: planned.userId });
  for (const { name, application, platformId } of plan.apps) {
    const made = await lab.admin.createApplication({
      ...{ applicationId: application, name, version: '1.0.0.0', platforms: ['ANDROID'], platformIds: [platformId] },
    });
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: made.guid }, 'OPTIONAL');
  }
  store = new FleetStore(join(folder, 'fleet'));
  device = await FleetDevice.open(planned, {
    ...ports,
    ...{ store, draw: new SeededDraw(ports.crypto, plan.fleetId), contexts: new TlsContexts(), observer: NOBODY },
    ...{ pushLoss: 0, lossBudget: new LossBudget(0), start: 0, askingApps: askingApps(plan.apps) },
  });
  await device.open();
  await device.activate({ kind: 'qr', content: (await lab.admin.createQrCode(guid)).content });
}, 60_000);
afterAll(async () => {
  await device.close();
  await store.close();
  await lab.close();
  await rm(folder, { recursive: true });
});

let made = 0;

/** An app asks the UEM Client of the device for a key; what becomes of that. */
async function asks({ platformId, application }: Pick<PlannedApp, 'platformId' | 'application'>): Promise<string> {
  const path = join(folder, `socket-${++made}`, 'uem.sock');
  const listener = await device.listenForApp(path, platformId);
  const link = await uemClientSocket({ path, platformIds: { app: platformId, uemClient: device.clientPlatformId } }).connect(new AbortController().signal);
  const machine = keyHandOverInitiator({
    ...ports,
    peers: { initiatorPlatformId: platformId, responderPlatformId: device.clientPlatformId },
    channel: { name: 'ipc', identifyClient: (certificates) => clientOfCertificates(ports.crypto, certificates) },
    ...{ appId: application, instanceId: new Uint8Array(16).fill(made) },
  });
  const driven = drive(machine, { clock: ports.clock, store: memoryStore(), link, request: () => Promise.reject(new ProtocolError('ERR_INTERNAL', 'asked')) });
  try {
    return `a key for ${(await driven.ended).record.userId}`;
  } catch (error) {
    const { code, step } = error as ProtocolError;
    return `${code} ${step}`;
  } finally {
    link.close();
    await listener.close();
  }
}
const keyRequests = (): number => lab.journal.entries().filter(({ request }) => request === 'accessKeyForward').length;

it('an emulated device has keys asked for those apps alone that are planned to ask its UEM Client: UEM hears of no other', async () => {
  expect(await asks(wiki)).toBe(`a key for ${plan.devices[0]?.userId}`);
  expect(keyRequests()).toBe(1);
  // The operating system, and UEM, know this one all the same: it is planned to ask a sibling.
  expect(await asks(chat)).toBe('ERR_PEER_ALERT F3.3');
  // Another package that says it is the one that may.
  expect(await asks({ platformId: wiki.platformId.replace('com.', 'net.'), application: wiki.application })).toBe('ERR_PEER_ALERT F3.3');
  expect(keyRequests()).toBe(1);
}, 60_000);
