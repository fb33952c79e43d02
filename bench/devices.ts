import { X509Certificate } from 'node:crypto';
import type { CryptoProvider, Entropy, Store } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import {
  type AppEndpoint,
  createUemClient,
  type ExchangeRequest,
  type OperatingSystem,
  type UemClient,
  type UemClientLimits,
  type UemTransport,
} from '@uemkit/uem-client';
import { nodeTransport, TlsContexts } from '@uemkit/uem-client/node';
import { AdminApi } from '../packages/device-emulator/src/admin/admin-api.ts';
import { AdminHttp } from '../packages/device-emulator/src/admin/admin-http.ts';
import type { Connection as ServerConnection } from '../packages/device-emulator/src/admin/connection-file.ts';
import { DerivedKeyStore } from '../packages/device-emulator/src/fleet/derived-key-store.ts';
import { SharedClock } from '../packages/device-emulator/src/fleet/shared-clock.ts';
import { SeededDraw } from '../packages/device-emulator/src/plan/seeded-draw.ts';
import type { PemIdentity } from './bare/certificates.ts';
import type { Connection } from './lab-process.ts';

/** Shared by all devices of the process, as in a fleet. */
const CRYPTO = nodeCrypto();
const ENTROPY = nodeEntropy();
const DRAW = new SeededDraw(CRYPTO, 'bench');

/** The least operating system: everything succeeds, nothing is kept. */
const operatingSystem: OperatingSystem = {
  pushService: 'fcm',
  deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Bench', clientVersion: '1.0' }),
  configure: () => Promise.resolve({ status: 'completed' }),
  execute: () => Promise.resolve({ status: 'done' }),
  deactivated: () => Promise.resolve(),
};

/** What the devices of one bench process share. */
export interface Surroundings {
  readonly clock: SharedClock;
  readonly contexts: TlsContexts;
  readonly limits: Partial<UemClientLimits>;
}

export function surroundings(limits: Partial<UemClientLimits> = {}): Surroundings {
  return { clock: new SharedClock(systemClock()), contexts: new TlsContexts(), limits };
}

export interface BenchDeviceOptions {
  readonly index: number;
  readonly store: Store;
  readonly crypto?: CryptoProvider;
  readonly entropy?: Entropy;
  readonly wrap?: (transport: UemTransport) => UemTransport;
  /** Gives access keys to apps. */
  readonly apps?: AppEndpoint;
}

/** One device: the real client library on its Node transport. */
export function benchDevice(
  { clock, contexts, limits }: Surroundings,
  { index, store, crypto = CRYPTO, entropy = ENTROPY, wrap = (transport) => transport, apps }: BenchDeviceOptions,
): UemClient {
  const keyStore = new DerivedKeyStore({ crypto, draw: crypto === CRYPTO ? DRAW : new SeededDraw(crypto, 'bench'), index });
  const transport = wrap(nodeTransport({ keyStore, contexts }));
  return createUemClient({ crypto, clock, entropy, store, keyStore, operatingSystem, transport, limits, apps });
}

/** Adds users and gives the contents of their QR codes. */
export async function qrCodes(connection: Connection, prefix: string, count: number): Promise<readonly string[]> {
  const http = new AdminHttp(connection as ServerConnection);
  const admin = new AdminApi({ http, clock: systemClock(), entropy: nodeEntropy() });
  const contents: string[] = new Array(count);
  await inParallel(count, 8, async (index) => {
    const { guid } = await admin.createUser(`${prefix}-${index}@example.com`);
    contents[index] = await admin.makeQrCode(guid, undefined);
  });
  await http.close();
  return contents;
}

/** Runs `work` for 0 … count-1, `width` at a time. */
export async function inParallel(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}

/** Resolves when `client` says `name`. */
export function once(client: UemClient, name: 'idle' | 'pushopen'): Promise<void> {
  return new Promise((resolve) => client.addEventListener(name, () => resolve(), { once: true }));
}

/** What a client without our code needs for the same poll: the same bytes, to the same listener, as the same device. */
export interface PollMaterial extends PemIdentity {
  /** `host:port`. */
  readonly address: string;
  /** Base64 of the poll frame. */
  readonly frame: string;
}

/** Notes the last request over mutual TLS that goes through a transport. */
export function observePolls(index: number): { readonly wrap: (transport: UemTransport) => UemTransport; material(): Promise<PollMaterial> } {
  let last: ExchangeRequest | undefined;
  return {
    wrap: (transport) => ({
      exchange(request) {
        if (request.identity !== undefined) last = request;
        return transport.exchange(request);
      },
      openPush: (request) => transport.openPush(request),
      release: () => transport.release(),
      close: () => transport.close(),
    }),
    async material() {
      if (last?.identity === undefined) throw new Error('no poll was seen');
      const { identity, address, frame } = last;
      const crypto = nodeCrypto();
      const keys = new DerivedKeyStore({ crypto, draw: new SeededDraw(crypto, 'bench'), index });
      const cert = identity.certificates.map((der) => new X509Certificate(der).toString()).join('');
      return { address, cert, key: await keys.tlsKey(identity.keyId), frame: Buffer.from(frame).toString('base64') };
    },
  };
}
