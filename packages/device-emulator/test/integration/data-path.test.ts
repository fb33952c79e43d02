import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ByteStream, type DynamicsRuntime, openDynamicsRuntime } from '@uemkit/dynamics-sdk';
import { fileDeviceKey, openContainerStorage, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { afterAll, beforeAll, expect, it } from 'vitest';

const USER = 'alice@example.com';
const APP_ID = 'com.example.wiki';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };

let lab: LabServer;
let folder: string;
let runtime: DynamicsRuntime;
let echo: Server;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-path-'));
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  port = (echo.address() as { readonly port: number }).port;
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, connectivityNode: true });
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  const wiki = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Wiki', version: '1.0.0.0', platforms: ['ANDROID'] });
  const user = { kind: 'user', id: guid } as const;
  await lab.admin.assign(user, { kind: 'application', id: wiki.guid }, 'OPTIONAL');
  const { profileId } = await lab.admin.createConfigurationProfile({
    kind: 'dynamics-connectivity',
    rank: 1,
    name: 'intranet',
    content: { additionalServers: [{ server: '127.0.0.1', route: 'PROXY', ports: [port] }] },
  });
  await lab.admin.assign(user, { kind: 'profile', id: profileId });
  const { accessKey } = await lab.admin.createAccessKey(guid);
  runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 15' },
    noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
    transport: tlsNocTransport(),
    store: openContainerStorage({ directory: join(folder, 'state') }),
    openStorage: () => openContainerStorage({ directory: join(folder, 'container') }),
    deviceKey: fileDeviceKey(join(folder, 'device.key'), ports),
  });
  const result = await runtime.authorize({ password: 'correct horse 7', credentials: { userId: USER, accessKey } });
  expect(result).toMatchObject({ state: 'authorized' });
});

afterAll(async () => {
  await runtime?.close();
  await lab?.close();
  await new Promise((resolve) => echo.close(resolve));
  await rm(folder, { recursive: true });
});

async function sha256(readable: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

async function write({ writable }: ByteStream, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  for (let at = 0; at < bytes.length; at += 65_536) await writer.write(bytes.subarray(at, at + 65_536));
  await writer.close();
}

it('an activated app reaches a server behind the firewall through NOC and Proxy, and gets every byte back (F10)', async () => {
  const bytes = randomBytes(1_048_576);
  const stream = await runtime.connect({ host: '127.0.0.1', port });
  const [read] = await Promise.all([sha256(stream.readable), write(stream, bytes)]);
  expect(read).toBe(createHash('sha256').update(bytes).digest('hex'));
  await stream.closed;
});
