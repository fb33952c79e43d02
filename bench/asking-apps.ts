import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeDynamicsRuntime, type NodeRuntimeOptions, openDynamicsRuntime, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import type { CryptoProvider, Entropy } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { listenForApps } from '@uemkit/uem-client/node';
import { AppStorage } from '../packages/device-emulator/src/apps/app-storage.ts';
import { derivedDeviceKey, FLEET_PASSWORD_COST } from '../packages/device-emulator/src/apps/derived-device-key.ts';
import type { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { SharedClock } from '../packages/device-emulator/src/fleet/shared-clock.ts';
import { SeededDraw } from '../packages/device-emulator/src/plan/seeded-draw.ts';
import { APP_ID, type AppPlace, PLATFORM_IDS } from './app-lab.ts';
import { type BenchDeviceOptions, benchDevice, surroundings } from './devices.ts';

/** Of the device below which the store keeps the apps. */
const DEVICE = 0;

/** What the apps of one bench process share, as those of a fleet. */
export interface AppSurroundings {
  readonly noc: NodeRuntimeOptions['noc'];
  readonly store: FleetStore;
  readonly clock: SharedClock;
  readonly transport: NodeRuntimeOptions['transport'];
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly draw: SeededDraw;
}

export function appSurroundings(
  place: AppPlace,
  store: FleetStore,
  more: Partial<Pick<AppSurroundings, 'transport' | 'crypto' | 'entropy'>> = {},
): AppSurroundings {
  const { transport = tlsNocTransport(), crypto = nodeCrypto(), entropy = nodeEntropy() } = more;
  const noc = { address: place.noc, trust: trustOfPem(place.ca) };
  return { noc, store, clock: new SharedClock(systemClock()), transport, crypto, entropy, draw: new SeededDraw(crypto, 'bench') };
}

/** One app: the real runtime over the store of the process, its password at the least cost. */
export async function openApp(
  { noc, store, clock, transport, crypto, entropy, draw }: AppSurroundings,
  index: number,
  extra: Partial<NodeRuntimeOptions> = {},
): Promise<NodeDynamicsRuntime> {
  const name = `app-${index}`;
  const prefix = store.appPrefix(DEVICE, name);
  return openDynamicsRuntime({
    crypto,
    clock,
    entropy,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
    noc,
    transport,
    store: store.part(`${prefix}state/`),
    openStorage: () => new AppStorage(store, `${prefix}container/`),
    deviceKey: derivedDeviceKey({ crypto, draw, store: store.part(prefix), name }),
    passwordCost: FLEET_PASSWORD_COST,
    ...extra,
  });
}

/** Activates it if need be and opens its container. @throws Error when it is not authorized then */
export async function authorize(runtime: NodeDynamicsRuntime, index: number): Promise<void> {
  const { state, code, error } = await runtime.authorize({ password: `correct horse ${index}` });
  if (state !== 'authorized') throw new Error(`app ${index} is ${state}: ${code}`, { cause: error });
}

/** A managed device whose UEM Client gives access keys to apps that connect to its socket (F3.3). */
export interface AskedDevice {
  /** Of the socket. */
  readonly path: string;
  close(): Promise<void>;
}

/** Its connection to UEM stays open: apps ask one after the other. */
export async function startAskedDevice(store: FleetStore, qrCode: string, extra: Partial<BenchDeviceOptions> = {}): Promise<AskedDevice> {
  const limits = { requestsPerApp: 100_000, connections: 64, connectionsPerApp: 64 };
  const apps = appEndpoint({ platformId: PLATFORM_IDS.uemClient, mayAsk: () => true, limits });
  const index = extra.index ?? DEVICE;
  const client = benchDevice(surroundings({ releaseAfterMs: 600_000 }), { index, store: store.device(index), apps, ...extra });
  await client.open();
  await client.activate({ kind: 'qr', content: qrCode });
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const path = join(folder, 'apps', 'uem.sock');
  const listener = await listenForApps({ client, path, identity: { identify: async () => PLATFORM_IDS.app }, maxConnections: 64 });
  return {
    path,
    async close() {
      await listener.close();
      await client.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
