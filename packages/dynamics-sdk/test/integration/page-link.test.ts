import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { openDynamicsRuntime, type PageDynamicsRuntime, webSocketNocTransport } from '../../src/browser/index.ts';
import { MAX_UNREAD_BYTES } from '../../src/connections/noc-way.ts';
import { CHEAP, memoryDeviceKey, PASSWORD } from '../support/device.ts';
import { APP_ID, USER } from '../support/lab-app.ts';
import { memoryStorage } from '../support/memory-storage.ts';

/** What Chromium shows of an app in a page (`test/browser`), and what only two labs show: policy of both ends about links without channel binding. */
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const COST = { N: 16_384, r: 8, p: 1 };

let web: Server;
let port: number;
let flood: ReturnType<typeof createTcpServer>;
const flooded = new Set<Socket>();
const open: PageDynamicsRuntime[] = [];

beforeAll(async () => {
  web = createServer((_request, response) => response.end('behind the firewall')).listen(0, '127.0.0.1');
  flood = createTcpServer((socket) => {
    flooded.add(socket);
    socket.on('error', () => {}).once('close', () => flooded.delete(socket));
    const more = (): void => void socket.write(Buffer.alloc(65_536), (error) => (error == null ? more() : undefined));
    more();
  }).listen(0, '127.0.0.1');
  await Promise.all([once(web, 'listening'), once(flood, 'listening')]);
  port = (web.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});
afterAll(() => {
  web?.close();
  web?.closeAllConnections();
  flood?.close();
  for (const socket of flooded) socket.destroy();
});

async function labOf(allowUnboundLinks: boolean): Promise<{ lab: LabServer; key: () => Promise<string> }> {
  const lab = await startLabServer({ cost: COST, connectivityNode: true, allowUnboundLinks });
  await lab.connectivityNode?.ready;
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  const { guid: app } = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  const { profileId } = await lab.admin.createConfigurationProfile({
    kind: 'dynamics-connectivity',
    name: 'Office',
    content: {
      additionalServers: [
        { server: '127.0.0.1', route: 'PROXY', ports: [port] },
        { server: 'localhost', route: 'DIRECT', ports: [port, (flood.address() as AddressInfo).port] },
      ],
    },
  });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: app }, 'OPTIONAL');
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
  return { lab, key: async () => (await lab.admin.createAccessKey(guid)).accessKey };
}

async function app({ lab, key }: Awaited<ReturnType<typeof labOf>>, allowUnboundLink?: boolean): Promise<PageDynamicsRuntime> {
  class Trusting extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { ca: lab.connection.ca });
    }
  }
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'web' },
    noc: { address: lab.connection.noc, trust: { roots: 'platform', spkiPins: [] } },
    transport: webSocketNocTransport({ webSocket: Trusting as never, clock: ports.clock }),
    allowUnboundLink,
    store: memoryStorage(),
    openStorage: async () => memoryStorage(),
    deviceKey: memoryDeviceKey('page'),
    passwordCost: CHEAP,
  });
  open.push(runtime);
  const result = await runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey: await key() } });
  expect(result).toMatchObject({ state: 'authorized' });
  return runtime;
}

describe('a link without channel binding', () => {
  let allowing: Awaited<ReturnType<typeof labOf>>;
  beforeAll(async () => {
    allowing = await labOf(true);
  });
  afterAll(() => allowing?.lab.close());

  it('is there when both ends allow it, and says what it is', async () => {
    const runtime = await app(allowing, true);
    const links: string[] = [];
    runtime.addEventListener('link', ({ detail }) => void links.push(detail.binding));
    expect(await (await runtime.fetch(`http://127.0.0.1:${port}/`)).text()).toBe('behind the firewall');
    // A second after it began an app asks UEM, over a link of its own.
    expect([...new Set(links)]).toEqual(['none']);
  });

  it('is not there when the app does not allow it, whatever the NOC says', async () => {
    const runtime = await app(allowing);
    await expect(runtime.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'ERR_CONNECTION_LINK', step: 'F10.2' });
  });

  it('is not there when the NOC does not allow it, whatever the app says', async () => {
    const strict = await labOf(false);
    try {
      const runtime = await app(strict, true);
      await expect(runtime.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'ERR_CONNECTION_NOC', step: 'F10.2' });
      const reasons = strict.lab.journal.entries().map(({ reason }) => reason);
      expect(reasons).toContain('links without channel binding are not allowed here');
    } finally {
      await strict.lab.close();
    }
  });

  it('carries no request in clear without a Proxy, but a connection that protects itself', async () => {
    const runtime = await app(allowing, true);
    await expect(runtime.fetch(`http://localhost:${port}/`)).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNSUPPORTED' });
    const stream = await runtime.connect({ host: 'localhost', port });
    const writer = stream.writable.getWriter();
    await writer.write(new TextEncoder().encode('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'));
    let text = '';
    for await (const part of stream.readable as unknown as AsyncIterable<Uint8Array>) text += Buffer.from(part).toString('latin1');
    expect(text).toContain('behind the firewall');
  });

  it('ends when more comes than is read, since nothing can pause it', async () => {
    const runtime = await app(allowing, true);
    const stream = await runtime.connect({ host: 'localhost', port: (flood.address() as AddressInfo).port });
    await expect(stream.closed).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', cause: { code: 'ERR_REJECTED_BUSY' } });
    await expect(stream.readable.getReader().read()).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
    await expect.poll(() => flooded.size, { timeout: 10_000 }).toBe(0);
    expect(MAX_UNREAD_BYTES).toBeGreaterThan(1_048_576);
  });
});
