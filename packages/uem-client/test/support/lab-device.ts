import type { Clock, CryptoProvider, Entropy, Store } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import {
  type AppEndpoint,
  createUemClient,
  type PasswordCredentials,
  softwareKeyStore,
  type TlsKeyStore,
  type UemClient,
  type UemClientEvents,
  type UemTransport,
} from '../../src/index.ts';
import { TestOs } from './test-device.ts';

export interface LabDevice {
  readonly client: UemClient;
  readonly store: Store;
  readonly os: TestOs;
  told<Name extends keyof UemClientEvents>(name: Name): UemClientEvents[Name][];
}

export interface LabDeviceOptions {
  readonly clock: Clock;
  readonly apps?: AppEndpoint;
  readonly crypto?: CryptoProvider;
  /** Seeded for runs that have to be the same each time. */
  readonly entropy?: Entropy;
  readonly store?: Store;
  transport(keyStore: TlsKeyStore): UemTransport;
}

/** A device of the real library for tests against the lab server. */
export function labDevice(options: LabDeviceOptions): LabDevice {
  const { clock, crypto = nodeCrypto(), entropy = nodeEntropy(), store = memoryStore(), transport, apps } = options;
  const keyStore = softwareKeyStore({ crypto, entropy, store });
  const os = new TestOs(store);
  const client = createUemClient({ crypto, clock, entropy, store, keyStore, operatingSystem: os, transport: transport(keyStore), apps });
  const told = new Map<string, unknown[]>();
  for (const name of ['statechange', 'idle', 'poll', 'pollfailed', 'pushopen', 'pushclosed', 'commanddone', 'commandanswered', 'wakeup', 'renewed'] as const) {
    client.addEventListener(name, ({ detail }) => told.set(name, [...(told.get(name) ?? []), detail]));
  }
  return { client, store, os, told: (name) => (told.get(name) ?? []) as never };
}

/** Resolves when `client` says `name`. */
export function next(client: UemClient, name: keyof UemClientEvents): Promise<void> {
  return new Promise((resolve) => client.addEventListener(name, () => resolve(), { once: true }));
}

export function passwordOf(
  lab: { readonly connection: { readonly infrastructure: string } },
  trust: PasswordCredentials['infrastructure']['trust'],
  userId: string,
  password: string,
): PasswordCredentials {
  return { kind: 'password', userId, password, infrastructure: { address: lab.connection.infrastructure, trust } };
}
