import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ByteStream, type DynamicsRuntime, openDynamicsRuntime } from '@uemkit/dynamics-sdk';
import { fileDeviceKey, openContainerStorage, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { afterEach, beforeEach, expect, it } from 'vitest';

const APP_ID = 'com.example.wiki';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const wait = { interval: 20, timeout: 20_000 };

let lab: LabServer;
let folder: string;
let echo: Server;
let port: number;
let applicationGuid: string;
const runtimes: DynamicsRuntime[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ended-links-'));
  echo = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  port = (echo.address() as { readonly port: number }).port;
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, connectivityNode: true });
  await expect.poll(() => lab.connectivityNode?.connected, wait).toBe(true);
  const wiki = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Wiki', version: '1.0.0.0', platforms: ['ANDROID'] });
  applicationGuid = wiki.guid;
});

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  await lab.close();
  await new Promise((resolve) => echo.close(resolve));
  await rm(folder, { recursive: true });
});

/** A user with an activated app whose stream to a server behind the firewall is open. */
async function connected(userId: string): Promise<{ readonly guid: string; readonly runtime: DynamicsRuntime; readonly stream: ByteStream }> {
  const { guid } = await lab.admin.createUser({ username: userId, email: userId });
  const user = { kind: 'user', id: guid } as const;
  await lab.admin.assign(user, { kind: 'application', id: applicationGuid }, 'OPTIONAL');
  const content = { additionalServers: [{ server: '127.0.0.1', route: 'PROXY', ports: [port] }] };
  const { profileId } = await lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', rank: 1, name: userId, content });
  await lab.admin.assign(user, { kind: 'profile', id: profileId });
  const { accessKey } = await lab.admin.createAccessKey(guid);
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 15' },
    noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
    transport: tlsNocTransport(),
    store: openContainerStorage({ directory: join(folder, userId, 'state') }),
    openStorage: () => openContainerStorage({ directory: join(folder, userId, 'container') }),
    deviceKey: fileDeviceKey(join(folder, userId, 'device.key'), ports),
  });
  runtimes.push(runtime);
  expect(await runtime.authorize({ password: 'correct horse 7', credentials: { userId, accessKey } })).toMatchObject({ state: 'authorized' });
  const stream = await runtime.connect({ host: '127.0.0.1', port });
  await echoes(stream);
  return { guid, runtime, stream };
}

async function echoes(stream: ByteStream): Promise<void> {
  const writer = stream.writable.getWriter();
  await writer.write(Uint8Array.of(7));
  writer.releaseLock();
  const reader = stream.readable.getReader();
  expect([...((await reader.read()).value ?? [])]).toEqual([7]);
  reader.releaseLock();
}

const told = (answer: string): number => lab.journal.entries().filter((entry) => entry.request === 'nocEndLink' && entry.answer === answer).length;

it('a user who is deleted has no link any more: the open stream breaks at once, another is refused, and other users go on (F10.2)', async () => {
  const gone = await connected('gone@example.com');
  const stays = await connected('stays@example.com');
  const broken = expect(gone.stream.closed).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  await lab.admin.deleteUser(gone.guid);
  await broken;
  await expect(gone.runtime.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ERR_CONNECTION_LINK', step: 'F10.2' });
  // No verdict either: what it could not reach says nothing about what it may keep.
  expect(gone.runtime.state).toBe('authorized');
  await echoes(stays.stream);
  expect(told('acknowledgement')).toBe(1);
}, 120_000);

it('an app that is not assigned to its user any more reaches UEM alone, hears that from it, and has no link any more then (F5.4)', async () => {
  const { guid, runtime, stream } = await connected('gone@example.com');
  const broken = expect(stream.closed).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  await lab.admin.unassign({ kind: 'user', id: guid }, { kind: 'application', id: applicationGuid });
  await broken;
  await expect(runtime.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(CONNECTION_DENIED|APP_WIPED)$/) });
  await runtime.update().catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_APP_WIPED' }));
  expect([runtime.state, runtime.code]).toEqual(['wiped', 'GDErrorAppDenied']);
  await expect.poll(() => told('acknowledgement'), wait).toBe(2);
  expect(lab.admin.dynamicsApps(guid)).toEqual([]);
}, 120_000);

it('the NOC is not there then: UEM tells it when it is back, and it remembers over a restart', async () => {
  const { guid, runtime, stream } = await connected('gone@example.com');
  const away = lab.faults.add({ kind: 'drop', role: 'noc', service: 'accessKeys' });
  await lab.admin.deleteUser(guid);
  await echoes(stream);
  const broken = expect(stream.closed).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  lab.faults.remove(away.id);
  await broken;
  await expect.poll(() => told('acknowledgement'), wait).toBe(1);
  await lab.restart('noc');
  await expect(runtime.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ERR_CONNECTION_LINK' });
}, 120_000);
