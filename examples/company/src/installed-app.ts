import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileDeviceKey, type NodeDynamicsRuntime, openContainerStorage, openDynamicsRuntime, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import type { Company } from './company.ts';

/** An app on somebody's device. */
export interface InstalledApp {
  readonly runtime: NodeDynamicsRuntime;
  /** The user types the access key of the mail, and a password for the container. @throws ProtocolError what failed */
  activate(credentials: { readonly userId: string; readonly accessKey: string }): Promise<void>;
  uninstall(): Promise<void>;
}

/** Installs an app: where its files are, which NOC it talks to, and with `ca` (PEM) which servers it believes. */
export async function installApp({ noc }: Company, { appId, ca }: { readonly appId: string; readonly ca: string }): Promise<InstalledApp> {
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
  const store = openContainerStorage({ directory: join(folder, 'state') });
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId, version: '1.0.0.0', platform: 'android 16' },
    noc,
    transport: tlsNocTransport(),
    store,
    openStorage: () => openContainerStorage({ directory: join(folder, 'container') }),
    deviceKey: fileDeviceKey(join(folder, 'device.key'), ports),
    tls: { ca }, // for the company's own servers: TLS to them is the app's, end to end
  });
  return {
    runtime,
    async activate(credentials) {
      const { state, error } = await runtime.authorize({ password: 'correct horse 7', credentials });
      if (state !== 'authorized') throw error ?? new Error(`the app is ${state}: ${runtime.code}`);
    },
    async uninstall() {
      await runtime.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
