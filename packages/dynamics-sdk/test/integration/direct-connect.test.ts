import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import type { Clock } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { LIMITS } from '@uemkit/protocol/wire';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NocTransport, TypedCredentials } from '../../src/index.ts';
import { type NodeDynamicsRuntime, openDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { CHEAP, memoryDeviceKey, PASSWORD } from '../support/device.ts';
import { memoryStorage } from '../support/memory-storage.ts';
import { serverCertificates } from '../support/server-certificates.ts';

const USER = 'ada@example.com';
const APP_ID = 'com.example.mail';
const CONTENT = randomBytes(1_048_576);
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const real = tlsNocTransport();

/** Timers of 30 s that run at the lab: those of handshakes. */
const waiting = new Set<() => void>();
/** A Proxy asks UEM about the app of a session that stands after so long: timers of the lab. */
const AGAIN_MS = 15_000;
const asking = new Set<() => void>();
const clock: Clock = {
  ...ports.clock,
  setTimer(delayMs, callback) {
    const cancel = ports.clock.setTimer(delayMs, callback);
    if (delayMs === LIMITS.handshakeMs) waiting.add(callback);
    if (delayMs === AGAIN_MS) asking.add(callback);
    return () => {
      waiting.delete(callback);
      asking.delete(callback);
      cancel();
    };
  },
};

/** Of the apps. Their first question to UEM, about a second after they begin, goes through the NOC: links are counted here, however slow the machine is. */
const appClock: Clock = {
  ...ports.clock,
  setTimer: (delayMs, callback) => (delayMs >= 500 && delayMs <= 2_000 ? () => {} : ports.clock.setTimer(delayMs, callback)),
};

let lab: LabServer;
let proxyId: string;
let web: Server;
let port: number;
let root: Uint8Array;
let applicationGuid: string;
let newKey: () => Promise<string>;

beforeAll(async () => {
  web = createServer(async (request, response) => {
    const sum = createHash('sha256');
    for await (const part of request) sum.update(part);
    response.end(request.method === 'POST' ? sum.digest('hex') : CONTENT);
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  port = (web.address() as AddressInfo).port;
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, connectivityNode: true, clock });
  proxyId = lab.connectivityNode?.proxyId ?? '';
  root = new Uint8Array(Buffer.from(lab.connection.ca.replaceAll(/-----.*?-----|\s/g, ''), 'base64'));
  await lab.connectivityNode?.ready;
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  ({ guid: applicationGuid } = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] }));
  const { profileId } = await lab.admin.createConfigurationProfile({
    kind: 'dynamics-connectivity',
    name: 'Office',
    content: {
      additionalServers: [
        { server: '127.0.0.1', route: 'PROXY', cluster: 'straight', ports: [port, 9] },
        { server: 'localhost', route: 'PROXY', ports: [port] },
      ],
      proxyClusters: [{ name: 'straight', directConnect: true, proxies: [{ id: proxyId }] }],
    },
  });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: applicationGuid }, 'OPTIONAL');
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
  newKey = async () => (await lab.admin.createAccessKey(guid)).accessKey;
});

afterAll(async () => {
  await lab?.close();
  web?.close();
  web?.closeAllConnections();
});

async function activated(transport: NocTransport = real, credentials?: TypedCredentials): Promise<NodeDynamicsRuntime> {
  const runtime = await openDynamicsRuntime({
    ...ports,
    clock: appClock,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
    noc: { address: lab.connection.noc, trust: { roots: [root], spkiPins: [] } },
    transport,
    store: memoryStorage(),
    openStorage: () => memoryStorage(),
    deviceKey: memoryDeviceKey('direct'),
    passwordCost: CHEAP,
  });
  const result = await runtime.authorize({ password: PASSWORD, credentials: credentials ?? { userId: USER, accessKey: await newKey() } });
  expect(result).toMatchObject({ state: 'authorized' });
  return runtime;
}

type OpenLink = NonNullable<NocTransport['openLink']>;
type OpenDirect = NonNullable<NocTransport['openDirect']>;
const openDirect: OpenDirect = (request) => (real.openDirect as OpenDirect)(request);

/** Links to the NOC, by address. */
function counted(links: string[]): OpenLink {
  return (request) => {
    links.push(request.address);
    return (real.openLink as OpenLink)(request);
  };
}

const told = (service: string): string[] =>
  lab.journal
    .entries()
    .filter((entry) => entry.service === service)
    .map(({ request, answer }) => `${request} ${answer}`);

describe('Direct Connect (F11)', () => {
  it('carries requests to the Proxy itself, both ways, and none through the NOC', async () => {
    const links: string[] = [];
    const runtime = await activated({ ...real, openLink: counted(links) });
    const url = `http://127.0.0.1:${port}/`;
    expect(Buffer.from(await (await runtime.fetch(url)).arrayBuffer()).equals(CONTENT)).toBe(true);
    expect(await (await runtime.fetch(url, { method: 'POST', body: CONTENT })).text()).toBe(createHash('sha256').update(CONTENT).digest('hex'));
    // Who has proved himself is not cut off when the time for that is over.
    for (const late of waiting) late();
    expect(told('dc').filter((line) => line.startsWith('session'))).toEqual(['session established']);
    await expect(runtime.connect({ host: '127.0.0.1', port: 9 })).rejects.toMatchObject({ code: 'ERR_CONNECTION_TARGET', step: 'F11.4' });
    expect(links).toEqual([]);
    expect(told('px')).toEqual([]);
    expect(told('dc')).toEqual(expect.arrayContaining(['session established', 'streamOpen opened', 'streamOpen unreachable']));
    expect(told('dc').filter((line) => line === 'session established')).toHaveLength(1);
    await runtime.close();
  });

  it('stands beside the way through NOC and Proxy, which another rule names', async () => {
    const links: string[] = [];
    const runtime = await activated({ ...real, openLink: counted(links) });
    const page = await runtime.fetch(`http://localhost:${port}/`);
    expect(Buffer.from(await page.arrayBuffer()).equals(CONTENT)).toBe(true);
    expect(links).toEqual([lab.connection.noc]);
    expect(told('px')).toContain('streamOpen opened');
    await runtime.close();
  });

  it.each(['binding', 'serverKeyHash'] as const)('is refused when app and Proxy do not see the same TLS connection: %s', async (what) => {
    const runtime = await activated({
      ...real,
      async openDirect(request) {
        const channel = await openDirect(request);
        return {
          ...channel,
          ...(what === 'binding' ? { binding: { kind: 'tls-exporter', value: new Uint8Array(32) } } : { serverKeyHash: new Uint8Array(32) }),
        };
      },
    });
    await expect(runtime.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ERR_CONNECTION_PROXY', step: 'F11.3' });
    await runtime.close();
  });

  it('is not tried without a channel binding, and never replaced by the NOC', async () => {
    const links: string[] = [];
    const runtime = await activated({
      ...real,
      openLink: counted(links),
      async openDirect(request) {
        return { ...(await openDirect(request)), binding: { kind: 'none' } };
      },
    });
    await expect(runtime.connect({ host: '127.0.0.1', port })).rejects.toThrow('needs a channel binding');
    await runtime.close();
    const without = { openNoc: real.openNoc };
    const page = await activated({ ...without, openLink: counted(links) });
    await expect(page.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ERR_CONNECTION_DENIED' });
    await page.close();
    expect(links).toEqual([]);
  });

  it('believes only the certificate of the Proxy: its root, its key, its role', async () => {
    let asked: Parameters<OpenDirect>[0] | undefined;
    const runtime = await activated({
      ...real,
      async openDirect(request) {
        asked = request;
        return openDirect(request);
      },
    });
    await (await runtime.fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    await runtime.close();
    const request = asked as NonNullable<typeof asked>;
    expect(request.trust.spkiPins).toHaveLength(1);
    const dial = (change: Partial<typeof request>): Promise<unknown> => openDirect({ ...request, signal: new AbortController().signal, ...change });
    await expect(dial({ trust: { ...request.trust, spkiPins: [new Uint8Array(32)] } })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await expect(dial({ trust: { roots: [], spkiPins: [] } })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await expect(dial({ trust: { roots: 'platform', spkiPins: [] } })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    const certificates = await serverCertificates();
    const posing = createTlsServer({ ...(await certificates.issue('localhost')), ALPNProtocols: ['uemkit-dc/1'] }).listen(0, 'localhost');
    await once(posing, 'listening');
    const ownRoot = new Uint8Array(Buffer.from(certificates.rootPem.replaceAll(/-----.*?-----|\s/g, ''), 'base64'));
    const address = `localhost:${(posing.address() as AddressInfo).port}`;
    await expect(dial({ address, trust: { roots: [ownRoot], spkiPins: [] } })).rejects.toThrow('role connectivity-node');
    posing.close();
    await expect(dial({ address: lab.connection.noc, trust: { roots: [root], spkiPins: [] } })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });
});

describe('a session of Direct Connect ends with its app', () => {
  let echo: TcpServer;
  /** Connections of the Proxy to the server behind the firewall. */
  const served = new Set<Socket>();
  let guid: string;
  let echoPort: number;

  beforeAll(async () => {
    echo = createTcpServer((socket) => {
      served.add(socket);
      socket.once('close', () => served.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    echoPort = (echo.address() as AddressInfo).port;
    const cluster = { name: 'straight', directConnect: true, proxies: [{ id: proxyId }] };
    const content = { additionalServers: [{ server: '127.0.0.1', route: 'PROXY', cluster: 'straight', ports: [echoPort] }], proxyClusters: [cluster] };
    profileId = (await lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Echo', rank: 1, content })).profileId;
  });
  let profileId: string;
  afterAll(() => void echo?.close());
  afterEach(() => lab.faults.clear());

  let made = 0;
  /** An app of a user of its own, and its open stream through the Proxy. */
  async function connected(): Promise<{ readonly runtime: NodeDynamicsRuntime; readonly stream: Duplex }> {
    const name = `user-${++made}@example.com`;
    ({ guid } = await lab.admin.createUser({ username: name, email: name }));
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: applicationGuid }, 'OPTIONAL');
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
    const runtime = await activated(real, { userId: name, accessKey: (await lab.admin.createAccessKey(guid)).accessKey });
    const stream = await runtime.connect({ host: '127.0.0.1', port: echoPort });
    stream.on('error', () => undefined);
    await echoes(stream);
    return { runtime, stream };
  }
  const closed = (stream: Duplex): Promise<void> => new Promise((resolve) => void stream.once('close', resolve));
  async function echoes(stream: Duplex): Promise<void> {
    stream.write('x');
    expect(String((await once(stream, 'data'))[0])).toBe('x');
  }
  /** Time for the Proxy to ask UEM again. */
  const later = (): void => {
    for (const ask of [...asking]) ask();
  };
  const ends = (): string[] => told('dc').filter((line) => /^session (closed|broken)/.test(line));

  it.each<[string, (runtime: NodeDynamicsRuntime) => Promise<void>]>([
    ['wiped', (runtime) => runtime.wipe()],
    ['closed', (runtime) => runtime.close()],
  ])('when it is %s: at once, at both ends, and at the server', async (_how, end) => {
    const before = ends().length;
    const { runtime, stream } = await connected();
    expect(served.size).toBe(1);
    const broken = closed(stream);
    await end(runtime);
    await broken;
    await expect.poll(() => served.size).toBe(0);
    await expect.poll(() => ends().length).toBe(before + 1);
    await runtime.close();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['its user is deleted', () => lab.admin.deleteUser(guid)],
    ['it is not assigned any more', () => lab.admin.unassign({ kind: 'user', id: guid }, { kind: 'application', id: applicationGuid })],
  ])('when %s: the Proxy asks UEM, and no NOC has to say it', async (_what, end) => {
    const { runtime, stream } = await connected();
    const other = await connected();
    const [mine] = [guid];
    later();
    await echoes(stream);
    const broken = closed(other.stream);
    await end();
    expect(mine).toBe(guid);
    await echoes(other.stream);
    later();
    await broken;
    expect(ends().at(-1)).toBe('session broken');
    await expect.poll(() => served.size).toBe(1);
    await echoes(stream);
    await runtime.close();
    await other.runtime.close();
    await expect.poll(() => served.size).toBe(0);
  });

  it('and not when UEM is away', async () => {
    const { runtime, stream } = await connected();
    lab.faults.add({ kind: 'drop', role: 'uem', service: 'proxies' });
    await lab.admin.deleteUser(guid);
    const asks = asking.size;
    later();
    await expect.poll(() => asking.size).toBe(asks);
    await echoes(stream);
    lab.faults.clear();
    const broken = closed(stream);
    later();
    await broken;
    await runtime.close();
  });
});
