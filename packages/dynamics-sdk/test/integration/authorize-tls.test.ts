import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { webSocketNocTransport } from '../../src/browser/index.ts';
import { type DynamicsRuntime, type NocTransport, type NocTrust, openDynamicsRuntime } from '../../src/index.ts';
import { fileDeviceKey, openContainerStorage, tlsNocTransport } from '../../src/node/index.ts';
import { CHEAP, PASSWORD } from '../support/device.ts';
import { APP_ID, keysOf, USER } from '../support/lab-app.ts';

let lab: LabServer;
let key: () => Promise<string>;
let root: Uint8Array;

beforeAll(async () => {
  lab = await startLabServer();
  key = await keysOf(lab.admin);
  root = new Uint8Array(Buffer.from(lab.connection.ca.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
});
afterAll(() => lab.close());

async function app({
  trust = { roots: [root], spkiPins: [] },
  address = lab.connection.noc,
  transport = tlsNocTransport(),
}: {
  trust?: NocTrust;
  address?: string;
  transport?: NocTransport;
} = {}): Promise<DynamicsRuntime> {
  const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  return openDynamicsRuntime({
    ...ports,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'linux' },
    noc: { address, trust },
    transport,
    store: openContainerStorage({ directory: join(folder, 'state') }),
    openStorage: () => openContainerStorage({ directory: join(folder, 'container') }),
    deviceKey: fileDeviceKey(join(folder, 'device.key'), ports),
    passwordCost: CHEAP,
  });
}

const authorize = async (runtime: DynamicsRuntime) => runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: await key() } });

describe('authorize over real listeners', () => {
  it('activates over TLS 1.3', async () => {
    const runtime = await app();
    expect(await authorize(runtime)).toMatchObject({ state: 'authorized', keyConsumed: true });
    await runtime.wipe();
    expect(runtime.state).toBe('wiped');
    expect(await authorize(runtime)).toMatchObject({ state: 'authorized' });
    await runtime.close();
  });

  it('activates over the WebSocket of the platform', async () => {
    class Trusting extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { ca: lab.connection.ca });
      }
    }
    const transport = webSocketNocTransport({ webSocket: Trusting as never, clock: systemClock() });
    const refused = await app({ transport });
    expect(await authorize(refused)).toMatchObject({ number: -603, error: { code: 'ERR_TRANSPORT_TLS' } });
    const runtime = await app({ transport, trust: { roots: 'platform', spkiPins: [] } });
    expect(await authorize(runtime)).toMatchObject({ state: 'authorized' });
    await runtime.close();
  });

  it('talks to nobody but the NOC of its trust', async () => {
    const wrong = async (parts: Parameters<typeof app>[0]): Promise<unknown> => {
      const runtime = await app(parts);
      const { error } = await authorize(runtime);
      await runtime.close();
      return [error?.code, error?.step];
    };
    const TLS = ['ERR_TRANSPORT_TLS', 'F3.7'];
    expect(await wrong({ trust: { roots: 'platform', spkiPins: [] } })).toEqual(TLS);
    expect(await wrong({ trust: { roots: [root], spkiPins: [new Uint8Array(32)] } })).toEqual(TLS);
    expect(await wrong({ trust: { roots: [], spkiPins: [] } })).toEqual(TLS);
    // Another server of the same root, on the same host.
    expect(await wrong({ address: lab.connection.devices })).toEqual(TLS);
    expect(await wrong({ address: '127.0.0.1:1' })).toEqual(['ERR_TRANSPORT_CONNECT', 'F3.7']);
  });
});
