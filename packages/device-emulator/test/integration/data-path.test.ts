import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ByteStream, type DynamicsRuntime, type NocTransport, openDynamicsRuntime } from '@uemkit/dynamics-sdk';
import { fileDeviceKey, openContainerStorage, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import type { Clock } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';

const USER = 'alice@example.com';
const APP_ID = 'com.example.wiki';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };

/** Timers of the app. */
const running = new Set<() => void>();
const clock: Clock = {
  ...ports.clock,
  setTimer(delayMs, callback) {
    const cancel = ports.clock.setTimer(delayMs, () => {
      running.delete(cancel);
      callback();
    });
    running.add(cancel);
    return () => {
      running.delete(cancel);
      cancel();
    };
  },
};

let lab: LabServer;
let folder: string;
let runtime: DynamicsRuntime;
let newKey: () => Promise<string>;
let echo: Server;
let port: number;
const MUCH_MIB = sized(16, 64);
/** More than all buffers on the way hold. */
const ENDLESS = 64 * 1_048_576;
/** Reads nothing. To a server that has read a lot the kernel gives a buffer of up to 32 MiB. */
const mute = createServer({ pauseOnConnect: true }, (socket) => {
  socket.on('error', () => {});
  // Who reads nothing does not read that it is over either.
  unreadSockets.push(socket);
});
const unreadSockets: Socket[] = [];
/** How much the fountain has got rid of. */
let poured = 0;
/** Says more than anybody reads. */
const fountain = createServer((socket) => {
  const piece = randomBytes(65_536);
  const pour = (): void => {
    while (!socket.destroyed && socket.bytesWritten < ENDLESS && socket.write(piece));
    poured = socket.bytesWritten;
  };
  socket.on('error', () => {}).on('drain', pour);
  pour();
});
/** Nobody listens there. */
let closedPort: number;
let profileId: string;
/** What the app and the NOC say to each other inside their TLS: all that the NOC can see. */
const seen: Uint8Array[] = [];

const portOf = (server: Server): number => (server.address() as { readonly port: number }).port;

const profile = () => ({
  kind: 'dynamics-connectivity' as const,
  rank: 1,
  name: 'intranet',
  content: {
    additionalServers: [
      { server: '127.0.0.1', route: 'PROXY', ports: [port, closedPort, portOf(mute), portOf(fountain)] },
      { server: 'localhost', route: 'DIRECT', ports: [port] },
    ],
  },
});

/** TLS to the NOC, and a copy of every byte inside it. */
function tapped(): NocTransport {
  const tls = tlsNocTransport();
  return {
    openNoc: (request) => tls.openNoc(request),
    async openLink(request) {
      const keep = (bytes: Uint8Array): void => void seen.push(bytes.slice());
      const channel = await (tls.openLink as NonNullable<NocTransport['openLink']>)({
        ...request,
        onBytes(bytes) {
          if (seen.length < 10_000) keep(bytes);
          request.onBytes(bytes);
        },
      });
      return {
        ...channel,
        send(bytes) {
          if (seen.length < 10_000) keep(bytes);
          return channel.send(bytes);
        },
      };
    },
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-path-'));
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await Promise.all([echo, mute, fountain].map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  port = portOf(echo);
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, connectivityNode: true });
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  const wiki = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Wiki', version: '1.0.0.0', platforms: ['ANDROID'] });
  const user = { kind: 'user', id: guid } as const;
  await lab.admin.assign(user, { kind: 'application', id: wiki.guid }, 'OPTIONAL');
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  closedPort = portOf(closed);
  await new Promise((resolve) => closed.close(resolve));
  ({ profileId } = await lab.admin.createConfigurationProfile(profile()));
  await lab.admin.assign(user, { kind: 'profile', id: profileId });
  newKey = async () => (await lab.admin.createAccessKey(guid)).accessKey;
  runtime = await openApp('app');
});

async function openApp(name: string): Promise<DynamicsRuntime> {
  const opened = await openDynamicsRuntime({
    ...ports,
    clock,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 15' },
    noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
    transport: tapped(),
    store: openContainerStorage({ directory: join(folder, name, 'state') }),
    openStorage: () => openContainerStorage({ directory: join(folder, name, 'container') }),
    deviceKey: fileDeviceKey(join(folder, name, 'device.key'), ports),
  });
  const result = await opened.authorize({ password: 'correct horse 7', credentials: { userId: USER, accessKey: await newKey() } });
  expect(result).toMatchObject({ state: 'authorized' });
  return opened;
}

afterAll(async () => {
  await runtime?.close();
  await lab?.close();
  for (const socket of unreadSockets) socket.destroy();
  await Promise.all([echo, mute, fountain].map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(folder, { recursive: true });
});

async function sha256(readable: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

/** Seeds, so that what was sent is compared and not only counted. */
function* pieces(totalBytes: number, seed: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < totalBytes; at += seed.length) yield seed.subarray(0, totalBytes - at);
}

async function exchange(stream: ByteStream, totalBytes: number): Promise<{ readonly sent: string; readonly read: string }> {
  const seed = randomBytes(65_536);
  const sent = createHash('sha256');
  const writing = async (): Promise<void> => {
    const writer = stream.writable.getWriter();
    for (const piece of pieces(totalBytes, seed)) {
      sent.update(piece);
      await writer.write(piece.slice());
    }
    await writer.close();
  };
  const [read] = await Promise.all([sha256(stream.readable), writing()]);
  return { sent: sent.digest('hex'), read };
}

const target = (): { readonly host: string; readonly port: number } => ({ host: '127.0.0.1', port });

/** Tries until the way stands again; told of each failure. */
async function connectedAgain(failed: (code: unknown) => void = () => {}): Promise<ByteStream> {
  const streams: ByteStream[] = [];
  const attempt = async (): Promise<number> => {
    try {
      if (streams.length === 0) streams.push(await runtime.connect(target()));
    } catch (error) {
      failed((error as { readonly code?: unknown }).code);
    }
    return streams.length;
  };
  await expect.poll(attempt, { interval: 50, timeout: 20_000 }).toBe(1);
  return streams[0] as ByteStream;
}

it(`an activated app reaches a server behind the firewall through NOC and Proxy: ${MUCH_MIB} MiB there and back are the same bytes (F10)`, async () => {
  const stream = await runtime.connect(target());
  const { sent, read } = await exchange(stream, MUCH_MIB * 1_048_576);
  expect(read).toBe(sent);
  await stream.closed;
}, 60_000);

/** Asks again and again until a figure stays what it is. */
async function atRest(figure: () => number): Promise<number> {
  let before = -1;
  const isStill = (): boolean => {
    const now = figure();
    const still = now > 0 && now === before;
    before = now;
    return still;
  };
  await expect.poll(isStill, { interval: 300 }).toBe(true);
  return before;
}

it('many streams share one link; one that nobody reads stops no other one, and what waits for it is bounded, both ways', async () => {
  // Sessions of the Proxy alone: a second after it began an app asks UEM, over a link of its own.
  const sessions = (): number =>
    lab.journal.entries().filter((entry) => entry.role === 'connectivity-node' && entry.request === 'session' && entry.answer === 'established').length;
  const [unread, reader] = await Promise.all([mute, fountain].map((server) => runtime.connect({ host: '127.0.0.1', port: portOf(server) })));
  const writer = (unread as ByteStream).writable.getWriter();
  let written = 0;
  let isOver = false;
  const pump = async (): Promise<void> => {
    for (const piece of pieces(ENDLESS, randomBytes(65_536))) {
      if (isOver) return;
      await writer.write(piece);
      written += piece.length;
    }
  };
  const pumping = pump().catch(() => {});
  const others = await Promise.all(Array.from({ length: 8 }, () => runtime.connect(target())));
  for (const { sent, read } of await Promise.all(others.map((stream) => exchange(stream, 1_048_576)))) expect(read).toBe(sent);
  // The windows and the buffers of the kernel are full, and nothing else is.
  expect(await atRest(() => written)).toBeLessThan(16 * 1_048_576);
  expect(await atRest(() => poured)).toBeLessThan(ENDLESS / 2);
  isOver = true;
  for (const stream of [unread, reader]) (stream as ByteStream).destroy();
  await pumping;
  expect(sessions()).toBe(1);
}, 60_000);

it('more streams than a session has go through another session', async () => {
  const streams = await Promise.all(Array.from({ length: 65 }, () => runtime.connect(target())));
  for (const { sent, read } of await Promise.all(streams.map((stream) => exchange(stream, 1_000)))) expect(read).toBe(sent);
}, 60_000);

it('a NOC that goes away breaks the stream with a typed error; a new one comes when it is back', async () => {
  const stream = await runtime.connect(target());
  const reader = stream.readable.getReader();
  const reading = reader.read();
  await lab.restart('noc');
  await expect(reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', step: 'F10.4' });
  await expect(stream.closed).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  // Until the node has come back its Proxy is not there: an answer, and no other way is tried.
  const failures: unknown[] = [];
  const next = await connectedAgain((code) => void failures.push(code));
  for (const code of failures) expect(['ERR_CONNECTION_PROXY', 'ERR_CONNECTION_LOST']).toContain(code);
  const { sent, read } = await exchange(next, 100_000);
  expect(read).toBe(sent);
}, 40_000);

it('without a Proxy the NOC connects where the tenant allows it, and nowhere else (F10.3b)', async () => {
  const stream = await runtime.connect({ host: 'localhost', port });
  const { sent, read } = await exchange(stream, 4 * 1_048_576);
  expect(read).toBe(sent);
  await expect(runtime.connect({ host: 'public.example', port: 443 })).rejects.toMatchObject({ code: 'ERR_CONNECTION_DENIED', step: 'F10.3' });
});

it('a target is refused here by policy, at the Proxy when it does not listen, and at the Proxy when policy is another one by now', async () => {
  await expect(runtime.connect({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ code: 'ERR_CONNECTION_DENIED', step: undefined });
  await expect(runtime.connect({ host: '127.0.0.1', port: closedPort })).rejects.toMatchObject({ code: 'ERR_CONNECTION_TARGET', step: 'F10.4' });
  // The app goes by the policy of its activation, and the Proxy by that of today; it asks with each session.
  await lab.admin.updateConfigurationProfile(profileId, { ...profile(), content: { additionalServers: [] } });
  await lab.restart('connectivity-node');
  let refusal: unknown;
  const refused = async (): Promise<string | undefined> => {
    refusal = await runtime.connect(target()).then(
      () => undefined,
      (error: unknown) => error,
    );
    return (refusal as { readonly code?: string } | undefined)?.code;
  };
  await expect.poll(refused, { interval: 50, timeout: 20_000 }).toBe('ERR_CONNECTION_DENIED');
  expect(refusal).toMatchObject({ step: 'F10.4' });
  await lab.admin.updateConfigurationProfile(profileId, profile());
}, 40_000);

it('what passes the NOC holds neither content nor names of servers', async () => {
  await lab.restart('connectivity-node');
  await expect.poll(() => lab.connectivityNode?.connected, { timeout: 20_000 }).toBe(true);
  seen.length = 0;
  await lab.restart('noc');
  const secretText = Buffer.from(`content-${randomBytes(16).toString('hex')}`);
  const stream = await connectedAgain();
  const writer = stream.writable.getWriter();
  await writer.write(Buffer.from(secretText));
  await writer.close();
  const read: Uint8Array[] = [];
  for await (const chunk of stream.readable as unknown as AsyncIterable<Uint8Array>) read.push(chunk);
  expect(Buffer.concat(read)).toEqual(secretText);
  // The tap stands where the NOC stands: behind its TLS, so it sees what the NOC sees.
  const passed = Buffer.concat(seen);
  expect(passed.length).toBeGreaterThan(secretText.length);
  expect(passed.includes(secretText)).toBe(false);
  expect(passed.includes('127.0.0.1')).toBe(false);
  expect(passed.includes(String(port))).toBe(false);
  expect(passed.includes(Buffer.from(lab.connectivityNode?.proxyId ?? ''))).toBe(true);
}, 60_000);

it('a runtime that is closed leaves no timer, which would keep its process alive', async () => {
  const before = new Set(running);
  const own = (): number => [...running].filter((timer) => !before.has(timer)).length;
  const other = await openApp('other');
  const stream = await other.connect(target());
  const { sent, read } = await exchange(stream, 1_000);
  expect(read).toBe(sent);
  await stream.closed;
  // Its session is kept for the next stream.
  expect(own()).toBeGreaterThan(0);
  // One that ends with the runtime keeps none either.
  const open = await other.connect(target());
  await other.close();
  await expect(open.closed).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  expect(own()).toBe(0);
});

it('a Proxy that is gone is told apart from a NOC that is gone', async () => {
  lab.connectivityNode?.close();
  const code = async (): Promise<unknown> =>
    runtime.connect(target()).then(
      () => 'connected',
      (error: { readonly code: string }) => error.code,
    );
  await expect.poll(code, { interval: 50, timeout: 10_000 }).toBe('ERR_CONNECTION_PROXY');
}, 20_000);
