import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { createUemClient, type OperatingSystem, softwareKeyStore, trustOfPem, type UemClient } from '@uemkit/uem-client';
import { fileStore, nodeTransport } from '@uemkit/uem-client/node';
import type { Lab } from './command-line.ts';

/** Who a device belongs to, and what its owner types on it. */
export interface Owner {
  readonly username: string;
  readonly password: string;
}

/** Devices that run in this process. */
export interface Devices {
  readonly guids: readonly string[];
  close(): Promise<void>;
}

/** A telephone that does what it is told and keeps nothing. */
const telephone: OperatingSystem = {
  pushService: 'fcm',
  deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Example Phone', clientVersion: '1.0' }),
  configure: async () => ({ status: 'completed' }),
  execute: async () => ({ status: 'done' }),
  deactivated: async () => undefined,
};

/** Activates a device for each owner, or goes on with the one of the last run; all are reachable by push when this resolves. */
export async function startDevices(lab: Lab, owners: readonly Owner[], folder: string): Promise<Devices> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const clients = await Promise.all(owners.map((owner, index) => startDevice(lab, owner, join(folder, `${index}.json`))));
  return {
    guids: clients.map(({ deviceId }) => deviceId as string),
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

async function startDevice(lab: Lab, { username, password }: Owner, file: string): Promise<UemClient> {
  const crypto = nodeCrypto();
  const entropy = nodeEntropy();
  const store = fileStore(file);
  const keyStore = softwareKeyStore({ crypto, entropy, store });
  const client = createUemClient({
    crypto,
    entropy,
    clock: systemClock(),
    store,
    keyStore,
    transport: nodeTransport({ keyStore }),
    operatingSystem: telephone,
  });
  await client.open();
  const infrastructure = { address: lab.infrastructure, trust: trustOfPem(lab.ca) };
  if (client.deviceId === undefined) await client.activate({ kind: 'password', userId: username, password, infrastructure });
  const reachable = new Promise<void>((resolve) => client.addEventListener('pushopen', () => resolve(), { once: true }));
  client.start();
  await reachable;
  return client;
}
