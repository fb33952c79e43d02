import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileDeviceKey, type NodeDynamicsRuntime, openContainerStorage, openDynamicsRuntime, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import type { Clock } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AdminApi } from '../../src/admin/admin-api.ts';
import { AdminHttp, type AdminRequest } from '../../src/admin/admin-http.ts';
import { LabProcesses, type RoleProcess } from './lab-processes.ts';

/**
 * Two Connectivity Nodes of one lab, each a process, as NOC and UEM are: what becomes of an app when they are killed, or silent (F10.3, F10.4, F11.2 to F11.4; docs/protocol/04, 4.6, and
 * docs/protocol/12).
 */
const USER = 'alice@example.com';
const APP_ID = 'com.example.wiki';
/** Of this file alone: a role that was killed finds its ports again. */
const HOST = '127.0.0.12';
/** A machine that is gone without a word: 10 s of silence, then a ping without an answer for 5 s (docs/protocol/12, 12.5). */
const SILENT_MS = 15_000;
/** Until a session stands, or the next Proxy is asked (12.1). */
const BEGIN_MS = 12_000;
/** How long a Proxy that was not there comes last (04, 4.6). */
const HELD_BACK_MS = 30_000;
/** What a busy machine may add. */
const LATE_MS = 5_000;
const SECOND = 'connectivity-node-second';
const FIRST = 'connectivity-node';

const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
let aheadMs = 0;
/** Of the app. Timers run as they do; what it measures can be put forward. */
const clock: Clock = { ...ports.clock, monotonicMs: () => ports.clock.monotonicMs() + aheadMs };

/** Each host is in a cluster with both Proxies: through the NOC, and by Direct Connect. */
const WAYS = {
  noc: { host: '127.0.0.1', service: 'px', flow: 'F10' },
  direct: { host: 'localhost', service: 'dc', flow: 'F11' },
} as const;
type Way = keyof typeof WAYS;
const ALL = Object.keys(WAYS) as readonly Way[];

let folder: string;
let lab: LabProcesses;
let http: AdminHttp;
let web: Server;
let port: number;
/** Answers that have begun. */
const begun: ServerResponse[] = [];
const begin = (response: ServerResponse): void => {
  begun.push(response);
  response.write('first');
};
let runtime: NodeDynamicsRuntime;
let noc: RoleProcess;
let first: RoleProcess;
let second: RoleProcess;
const directPorts: Record<string, string> = {};

/** A port that a process finds again. */
async function freePort(): Promise<string> {
  const server = createTcpServer().listen(0, HOST);
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(free);
}

/** Resolves when the node is registered with UEM and stands at the NOC. */
async function startNode(name: string): Promise<RoleProcess> {
  directPorts[name] ??= await freePort();
  const node = lab.start(name, '--direct-port', directPorts[name] as string);
  const before = stood(node);
  await node.ready;
  // A hook needs it, too.
  await vi.waitFor(() => expect(stood(node).map((count, at) => count > (before[at] as number))).toEqual([true, true]), { timeout: 30_000 });
  return node;
}
const stood = (node: RoleProcess): readonly number[] => [node.count('noc', 'connection', 'open'), node.count('proxies', 'registerProxy', 'acknowledgement')];

async function makeUser(): Promise<string> {
  const ask = (method: AdminRequest['method'], at: string, noun?: AdminRequest['noun'], body?: unknown): Promise<unknown> =>
    http.request({ method, path: http.api(at), noun, body });
  const made = async (at: string, noun: AdminRequest['noun'], body: unknown): Promise<string> =>
    ((await ask('POST', at, noun, body)) as { readonly guid: string }).guid;
  const { guid } = await new AdminApi({ http, clock: ports.clock, entropy: ports.entropy }).createUser(USER);
  const app = await made('/applications', 'application', { applicationId: APP_ID, name: 'Wiki', version: '1.0.0.0', platforms: ['ANDROID'] });
  await ask('PUT', `/users/${guid}/applications/${app}`, undefined, { disposition: 'OPTIONAL' });
  const proxies = [
    { id: lab.proxyId(FIRST), priority: 1 },
    { id: lab.proxyId(SECOND), priority: 2 },
  ];
  const content = {
    additionalServers: ALL.map((way) => ({ server: WAYS[way].host, route: 'PROXY', cluster: way, ports: [port] })),
    proxyClusters: [
      { name: 'noc', proxies },
      { name: 'direct', directConnect: true, proxies },
    ],
  };
  const profile = await made('/profiles', 'profile', { kind: 'dynamics-connectivity', name: 'Company', content });
  await ask('PUT', `/users/${guid}/profiles/${profile}`);
  return ((await ask('POST', `/users/${guid}/accessKeys`, 'accesskey', {})) as { readonly accessKey: string }).accessKey;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'failover-'));
  web = createServer((request, response) => {
    // A connection for each request: who carries it is decided anew.
    response.setHeader('connection', 'close');
    if (request.url === '/waits') begin(response);
    else response.end('whole');
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  port = (web.address() as AddressInfo).port;
  lab = new LabProcesses(folder, HOST);
  const uem = lab.start('uem');
  noc = lab.start('noc');
  await Promise.all([uem.ready, noc.ready]);
  http = new AdminHttp(lab.connection);
  [first, second] = await Promise.all([startNode(FIRST), startNode(SECOND)]);
  const accessKey = await makeUser();
  runtime = await openDynamicsRuntime({
    ...ports,
    clock,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
    noc: { address: lab.connection.noc as string, trust: trustOfPem(lab.connection.ca) },
    transport: tlsNocTransport(),
    store: openContainerStorage({ directory: join(folder, 'app', 'state') }),
    openStorage: () => openContainerStorage({ directory: join(folder, 'app', 'container') }),
    deviceKey: fileDeviceKey(join(folder, 'app', 'device.key'), ports),
    passwordCost: { N: 16, r: 1, p: 1 },
  });
  runtime.addEventListener('stage', ({ detail }) => void stages.push(detail.stage));
  expect(await runtime.authorize({ password: 'correct horse 7', credentials: { userId: USER, accessKey } })).toMatchObject({ state: 'authorized' });
});
/** What `authorize` has done: nothing here has it do anything again. */
const stages: string[] = [];

afterAll(async () => {
  await runtime?.close();
  await http?.close();
  await lab?.close();
  web?.close();
  web?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** Requests that each node has carried. */
const carried = (way: Way): readonly number[] => [first, second].map((node) => node.count(WAYS[way].service, 'streamOpen', 'opened'));

/** Asks once; nothing is tried again here. @returns which node has carried it */
async function asked(way: Way): Promise<'first' | 'second'> {
  const before = carried(way);
  const response = await runtime.fetch(`http://${WAYS[way].host}:${port}/`);
  expect(await response.text()).toBe('whole');
  const which = (): readonly number[] => carried(way).map((count, at) => count - (before[at] as number));
  await expect.poll(which).toContain(1);
  const [byFirst, bySecond] = which();
  expect(Number(byFirst) + Number(bySecond)).toBe(1);
  return byFirst === 1 ? 'first' : 'second';
}

/** A request whose answer has begun. `failed`: how its body ends. */
async function running(way: Way): Promise<{ readonly by: 'first' | 'second'; failed(): Promise<unknown> }> {
  const before = carried(way);
  const body = (await runtime.fetch(`http://${WAYS[way].host}:${port}/waits`)).body?.getReader();
  await body?.read();
  await expect.poll(() => carried(way)).not.toEqual(before);
  const read = body?.read().then(
    () => 'more came',
    (error: { readonly cause?: unknown }) => error.cause,
  );
  return { by: carried(way)[0] === before[0] ? 'second' : 'first', failed: async () => read };
}

const refused = (way: Way): Promise<unknown> =>
  runtime.connect({ host: WAYS[way].host, port }).then(
    (socket) => {
      socket.destroy();
      return undefined;
    },
    (error: unknown) => error,
  );

/** How long it took, in milliseconds. */
async function timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
  const fromMs = ports.clock.monotonicMs();
  const done = await work;
  return [done, ports.clock.monotonicMs() - fromMs];
}

/** Long enough for a Proxy that was not there to be asked first again. */
const later = (): void => {
  aheadMs += HELD_BACK_MS + 1;
};

describe('a cluster of two Proxies', () => {
  it.each(ALL)('%s: the first one is killed while a request runs: that one fails with its step, and the next one goes through the second', async (way) => {
    const { flow } = WAYS[way];
    const request = await running(way);
    expect(request.by).toBe('first');
    await first.kill();
    const [failure, tookMs] = await timed(request.failed());
    expect(failure).toMatchObject({ code: 'ERR_CONNECTION_LOST', step: `${flow}.4` });
    expect(tookMs).toBeLessThan(LATE_MS);
    const [by, nextMs] = await timed(asked(way));
    expect(by).toBe('second');
    expect(nextMs).toBeLessThan(LATE_MS);

    // The first one is back. For a while it comes last, and then first again.
    first = await startNode(FIRST);
    expect(await asked(way)).toBe('second');
    later();
    expect(await asked(way)).toBe('first');
  });

  it('the first one is silent: running requests fail within 15 s, and those that wait for it go through the second', async () => {
    const requests = await Promise.all(ALL.map(running));
    expect(requests.map(({ by }) => by)).toEqual(['first', 'first']);
    const stoodBefore = stood(first)[0] as number;
    first.signal('SIGSTOP');
    try {
      const before = ALL.map(carried);
      const waiting = ALL.map((way) => timed(runtime.fetch(`http://${WAYS[way].host}:${port}/`).then((response) => response.text())));
      for (const [at, { failed }] of requests.entries()) {
        const [failure, tookMs] = await timed(failed());
        expect(failure).toMatchObject({ code: 'ERR_CONNECTION_LOST', step: `${WAYS[ALL[at] as Way].flow}.4`, cause: { code: 'ERR_PEER_TIMEOUT' } });
        expect(tookMs).toBeLessThan(SILENT_MS + LATE_MS);
      }
      // They were on the session that stood, asked the second Proxy when that had ended, and nobody asked again for them.
      for (const [text, tookMs] of await Promise.all(waiting)) expect([text, tookMs < SILENT_MS + BEGIN_MS]).toEqual(['whole', true]);
      await expect.poll(() => ALL.map(carried)).toEqual(before.map(([byFirst, bySecond]) => [byFirst, Number(bySecond) + 1]));
      for (const way of ALL) expect((await timed(asked(way)))[1]).toBeLessThan(LATE_MS);
      // It is first again, and still silent: the next Proxy is asked when no session stands in time.
      later();
      const again = await Promise.all(ALL.map((way) => timed(runtime.fetch(`http://${WAYS[way].host}:${port}/`).then((response) => response.text()))));
      for (const [text, tookMs] of again) expect([text, tookMs < BEGIN_MS + LATE_MS]).toEqual(['whole', true]);
    } finally {
      first.signal('SIGCONT');
    }
    await expect.poll(() => stood(first)[0]).toBeGreaterThan(stoodBefore);
  });

  it('both are gone: the app is told so at once, and is served again when one is back', async () => {
    await Promise.all([first.kill(), second.kill()]);
    for (const [way, step] of [
      ['noc', 'F10.3'],
      ['direct', 'F11.2'],
    ] as const) {
      // Until the app has noticed, what goes over a session that stood is lost.
      await expect.poll(() => refused(way)).toMatchObject({ code: 'ERR_CONNECTION_PROXY', step });
      const [failure, tookMs] = await timed(refused(way));
      expect(failure).toMatchObject({ code: 'ERR_CONNECTION_PROXY', step });
      expect(tookMs).toBeLessThan(LATE_MS);
      expect(runtime.state).toBe('authorized');
    }
    second = await startNode(SECOND);
    for (const way of ALL) expect(await asked(way)).toBe('second');
    first = await startNode(FIRST);
    later();
    for (const way of ALL) expect(await asked(way)).toBe('first');
  });

  it('the NOC is killed: what passes through it fails, no other way is taken, and Direct Connect goes on', async () => {
    const through = await running('noc');
    const straight = await running('direct');
    const ended = (): number => first.count('noc', 'connection', 'closed');
    const endedBefore = ended();
    await noc.kill();
    // The node notices at once, and not only by its ping.
    const [, noticedMs] = await timed(expect.poll(ended).toBeGreaterThan(endedBefore));
    expect(noticedMs).toBeLessThan(LATE_MS);
    expect(await through.failed()).toMatchObject({ code: 'ERR_CONNECTION_LOST', step: 'F10.4' });
    expect(await refused('noc')).toMatchObject({ code: 'ERR_CONNECTION_NOC', step: 'F10.2' });
    expect(await asked('direct')).toBe('first');
    const before = stood(first)[0] as number;
    noc = lab.start('noc');
    await noc.ready;
    await expect.poll(() => stood(first)[0]).toBeGreaterThan(before);
    const served = carried('noc');
    await expect.poll(() => refused('noc')).toBeUndefined();
    await expect.poll(() => carried('noc')).not.toEqual(served);
    later();
    expect(await asked('noc')).toBe('first');
    // The request by Direct Connect was there all the time.
    begun.at(-1)?.end(' and last');
    for (const response of begun) response.end();
    expect(await straight.failed()).toBe('more came');
  });

  it('and all that without a new activation', () => {
    expect(stages.filter((stage) => stage.endsWith('Activation'))).toEqual(['infrastructureActivation', 'enterpriseActivation']);
  });
});
