import { type Lab, type LabServer, startLab } from '@uemkit/lab-server';
import type { TraceEvent } from '@uemkit/protocol';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import {
  type AuthorizeResult,
  type DynamicsRuntime,
  type DynamicsRuntimeEvents,
  type DynamicsRuntimeOptions,
  type NocTransport,
  openDynamicsRuntime,
} from '../../src/index.ts';
import { CHEAP, crypto, type MemoryDeviceKey, memoryDeviceKey, PASSWORD } from './device.ts';
import { type MemoryStorage, memoryStorage } from './memory-storage.ts';

export const USER = 'ada@example.com';
export const APP_ID = 'com.example.mail';

/** A lab in memory, in virtual time, with a user whom the app is assigned to. */
export interface AppLab {
  readonly lab: Lab;
  readonly clock: FakeClock;
  /** A new access key of the user, as a person reads it. */
  key(): Promise<string>;
}

export async function appLab(seed: string): Promise<AppLab> {
  const clock = fakeClock(Date.UTC(2026, 0, 1));
  const lab = await startLab({ clock, entropy: seededEntropy(seed) });
  return { lab, clock, key: await keysOf(lab.admin) };
}

/** Makes user and app, and gives out access keys. */
export async function keysOf(admin: Lab['admin'] | LabServer['admin']): Promise<() => Promise<string>> {
  const { guid } = await admin.createUser({ username: USER, email: USER });
  const application = await admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  await admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: application.guid }, 'OPTIONAL');
  return async () => (await admin.createAccessKey(guid)).accessKey;
}

/** One installed app, with what lies on its disk. */
export interface InstalledApp {
  readonly runtime: DynamicsRuntime;
  readonly store: MemoryStorage;
  readonly deviceKey: MemoryDeviceKey;
  readonly trace: TraceEvent[];
  /** `statechange` as `state code`, the other events by name, stages by their own. */
  readonly heard: string[];
  /** `authorize` while virtual time stands still. */
  authorize(accessKey?: string, password?: string): Promise<AuthorizeResult>;
  /** The process dies, and the app is started again. */
  restart(more?: Partial<DynamicsRuntimeOptions>): Promise<InstalledApp>;
}

let made = 0;

export async function installedApp(
  { lab, clock }: Pick<AppLab, 'lab' | 'clock'>,
  more: Partial<DynamicsRuntimeOptions> = {},
  disk = { store: memoryStorage(), rows: new Map<string, Uint8Array>(), deviceKey: memoryDeviceKey(`app ${made}`) },
): Promise<InstalledApp> {
  made += 1;
  const { store, deviceKey } = disk;
  const trace: TraceEvent[] = [];
  const runtime = await openDynamicsRuntime({
    crypto,
    clock,
    entropy: seededEntropy(`app ${made}`),
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
    noc: { address: lab.connection.noc, trust: lab.trust },
    transport: lab.transport('app') as NocTransport,
    store,
    openStorage: () => memoryStorage(disk.rows),
    deviceKey,
    passwordCost: CHEAP,
    trace: (event) => void trace.push(event),
    ...more,
  });
  return {
    runtime,
    store,
    deviceKey,
    trace,
    heard: heardOf(runtime),
    authorize: (accessKey, password = PASSWORD) =>
      clock.hold(runtime.authorize({ password, ...(accessKey === undefined ? {} : { credentials: { userId: USER, accessKey } }) })),
    async restart(other = {}) {
      return installedApp({ lab, clock }, { ...more, ...other }, { ...disk, store: store.restart() });
    },
  };
}

export function heardOf(runtime: DynamicsRuntime): string[] {
  const heard: string[] = [];
  const on = <Name extends keyof DynamicsRuntimeEvents>(name: Name, text: (detail: DynamicsRuntimeEvents[Name]) => string): void =>
    runtime.addEventListener(name, (event) => void heard.push(text((event as CustomEvent<DynamicsRuntimeEvents[Name]>).detail)));
  on('statechange', ({ state, code }) => `${state} ${code}`);
  on('stage', ({ stage }) => stage);
  on('configupdate', () => 'configupdate');
  on('policyupdate', () => 'policyupdate');
  on('servicesupdate', () => 'servicesupdate');
  on('entitlementsupdate', () => 'entitlementsupdate');
  return heard;
}
