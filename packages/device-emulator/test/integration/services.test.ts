import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fileDeviceKey,
  listenForServices,
  type NodeDynamicsRuntime,
  openContainerStorage,
  openDynamicsRuntime,
  serviceSockets,
  tlsNocTransport,
  uemClientSocket,
} from '@uemkit/dynamics-sdk/node';
import { type IncomingMessage, type InterAppServices, interAppServices, ServicesError } from '@uemkit/dynamics-sdk/services';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { toHex } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import { createUemClient, type OperatingSystem, softwareKeyStore, trustOfPem } from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { listenForApps, nodeTransport } from '@uemkit/uem-client/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const PASSWORD = 'correct horse 7';
const SERVICE = { serviceId: 'com.example.print', version: '1.0.0.0' };
const idOf = (name: string): string => `android:com.example.${name}:${'ab'.repeat(32)}`;
const operatingSystem: OperatingSystem = {
  deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Example Tablet', clientVersion: '1.0' }),
  configure: async () => ({ status: 'completed' }),
  execute: async () => ({ status: 'done' }),
  deactivated: async () => {},
};

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let lab: LabServer;
let folder: string;
let made = 0;
const ends: (() => Promise<unknown>)[] = [];
const users = new Map<string, string>();
const applications = new Map<string, string>();
/** What the operating system says of an app that connects to a service. */
let seen = idOf('mail');

/** A device with its UEM Client, from which apps get their keys. */
class Device {
  readonly #user: string;
  readonly #folder: string;
  #client: ReturnType<typeof createUemClient> | undefined;

  constructor(user: string) {
    this.#user = user;
    this.#folder = join(folder, `device-${made++}`);
  }

  async activate(): Promise<this> {
    const store = memoryStore();
    const keyStore = softwareKeyStore({ ...ports, store });
    const apps = appEndpoint({ platformId: idOf('uem'), mayAsk: () => true });
    const client = createUemClient({ ...ports, store, keyStore, transport: nodeTransport({ keyStore }), operatingSystem, apps });
    await client.open();
    await client.activate({ kind: 'qr', content: (await lab.admin.createQrCode(users.get(this.#user) as string)).content });
    ends.push(() => client.close());
    this.#client = client;
    return this;
  }

  /** Installs an app, which listens for others when it offers something. */
  async install(name: string): Promise<App> {
    const place = join(this.#folder, `${name}-${made++}`);
    const store = openContainerStorage({ directory: join(place, 'state') });
    const clientPath = join(place, 'c', 'uem.sock');
    const listener = await listenForApps({ client: this.#client as never, path: clientPath, identity: { identify: async () => idOf(name) } });
    const services = interAppServices({ connect: serviceSockets(({ address }) => join(folder, 's', `${address}.s`)) });
    const runtime = await openDynamicsRuntime({
      ...ports,
      app: { appId: `com.example.${name}`, version: '1.0.0.0', platform: 'android 15' },
      noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
      transport: tlsNocTransport(),
      store,
      openStorage: () => openContainerStorage({ directory: join(place, 'container') }),
      deviceKey: fileDeviceKey(join(place, 'device.key'), ports),
      passwordCost: { N: 16, r: 1, p: 1 },
      uemClient: uemClientSocket({ path: clientPath, platformIds: { app: idOf(name), uemClient: idOf('uem') } }),
      services,
    });
    ends.push(() => runtime.close().then(() => store.close()));
    expect(await runtime.authorize({ password: PASSWORD })).toMatchObject({ state: 'authorized' });
    await listener.close();
    const path = join(folder, 's', `${toHex(runtime.instanceId)}.s`);
    const open = await listenForServices({ services, path, identify: async () => seen });
    ends.push(() => open.close());
    return { runtime, services, path, instanceId: toHex(runtime.instanceId) };
  }
}

interface App {
  readonly runtime: NodeDynamicsRuntime;
  readonly services: InterAppServices;
  readonly path: string;
  readonly instanceId: string;
}

/** Asks UEM until it answers: a link of a new app is good a moment after its activation. */
async function update({ runtime }: App): Promise<readonly string[]> {
  return vi.waitFor(async () => (await runtime.update()).changed, { timeout: 20_000, interval: 50 });
}

const send = ({ services }: App, to: App, more: object = {}) => services.sendTo({ address: to.instanceId }, { ...SERVICE, method: 'print', ...more });
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: { readonly code: string }) => error.code,
  );

let mail: App;
let print: App;
const heard: IncomingMessage[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'svc-'));
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 } });
  for (const name of ['ada', 'bob']) users.set(name, (await lab.admin.createUser({ username: `${name}@example.com`, email: `${name}@example.com` })).guid);
  for (const name of ['mail', 'print']) {
    const application = { applicationId: `com.example.${name}`, name, version: '1.0.0.0', platforms: ['ANDROID' as const], platformIds: [idOf(name)] };
    const { guid } = await lab.admin.createApplication({ ...application, ...(name === 'print' ? { services: [SERVICE] } : {}) });
    applications.set(name, guid);
    for (const user of users.values()) await lab.admin.assign({ kind: 'user', id: user }, { kind: 'application', id: guid }, 'OPTIONAL');
  }
  const device = await new Device('ada').activate();
  print = await device.install('print');
  mail = await device.install('mail');
  print.services.provide({ ...SERVICE, methods: ['print'] }, (message) => {
    heard.push(message);
    if (message.params === 'no paper') throw new ServicesError('GDServicesErrorCustom', 'no paper', { details: { tray: 2 } });
    message.replyTo({ params: { got: message.params ?? null }, attachments: message.attachments });
  });
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
  await lab.close();
  await rm(folder, { recursive: true });
});

describe('two apps of one user on one device, over a local socket', () => {
  it('hear of each other from UEM by `servicesupdate`, and exchange request and reply', async () => {
    const updates: string[] = [];
    for (const name of ['servicesupdate', 'policyupdate'] as const) mail.runtime.addEventListener(name, () => void updates.push(name));
    await update(mail);
    await update(print);
    await vi.waitFor(() => expect(mail.services.getServiceProvidersFor(SERVICE.serviceId, SERVICE.version)).toHaveLength(1), { timeout: 30_000 });
    expect(updates).toEqual(['servicesupdate']);
    expect(mail.services.getServiceProvidersFor(SERVICE.serviceId)).toMatchObject([
      { address: print.instanceId, applicationId: 'com.example.print', name: 'print' },
    ]);
    // Keys are nothing for app code.
    expect(mail.runtime.getApplicationPolicy()).toEqual({});
    const bytes = ports.entropy.randomBytes(1_000_000);
    const reply = await send(mail, print, { params: { copies: 2 }, attachments: [{ name: 'a.pdf', bytes }] });
    expect([reply.params, reply.attachments[0]?.bytes.every((byte, index) => byte === bytes[index])]).toEqual([{ got: { copies: 2 } }, true]);
    expect(heard.at(-1)?.from).toMatchObject({ applicationId: 'com.example.mail', address: mail.instanceId });
  });

  it('and typed errors', async () => {
    await expect(send(mail, print, { params: 'no paper' })).rejects.toMatchObject({ code: 'GDServicesErrorCustom', message: 'no paper', details: { tray: 2 } });
    expect(await failure(send(mail, print, { method: 'burn' }))).toBe('GDServicesErrorMethodNotFound');
    expect(await failure(send(mail, print, { version: '2.0' }))).toBe('GDServicesErrorServiceVersionNotFound');
    expect(await failure(send(mail, print, { params: 'x'.repeat(50_000) }))).toBe('GDServicesErrorInvalidParams');
  });

  it('not when another package connects, whatever it knows', async () => {
    seen = idOf('evil');
    const before = heard.length;
    expect([await failure(send(mail, print)), heard.length - before]).toEqual(['ERR_PEER_ALERT', 0]);
    seen = idOf('mail');
    expect(await failure(send(mail, print))).toBe('answered');
  });

  it('not with bytes that are none', async () => {
    const socket = connect(print.path);
    socket.write(Buffer.alloc(64, 0x41));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(await failure(send(mail, print))).toBe('answered');
  });

  it('not with apps of another user, though UEM knows both and the socket is there', async () => {
    const other = await (await new Device('bob').activate()).install('mail');
    await update(other);
    expect(other.services.getServiceProviders()).toEqual([]);
    expect(await failure(send(other, print))).toBe('GDServicesErrorApplicationNotFound');
  });

  it('not with apps on another device of the same user', async () => {
    const other = await (await new Device('ada').activate()).install('mail');
    await update(other);
    expect(other.services.getServiceProviders()).toEqual([]);
  });

  it('not while the other app is blocked; again when it is not', async () => {
    await print.runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'Not now' });
    expect(await failure(send(mail, print))).toBe('ERR_REJECTED_BUSY');
    await print.runtime.executeUnblock('audit');
    expect(await failure(send(mail, print))).toBe('answered');
    await mail.runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'Not now' });
    expect(await failure(send(mail, print))).toBe('ERR_APP_LOCKED');
    await mail.runtime.executeUnblock('audit');
  });

  it('not once the console has blocked one of them, which both hear; and again when it has not', async () => {
    const ada = users.get('ada') as string;
    // What an app hears may also come with a question of its own, or with one whose end was lost.
    const hears = () => new Promise<void>((resolve) => mail.runtime.addEventListener('servicesupdate', () => resolve(), { once: true }));
    const without = hears();
    await lab.admin.commandDynamicsApp(ada, print.instanceId, { type: 'BLOCK_APPLICATION', title: 'x', body: 'y', actionId: 'z' });
    await update(mail);
    await without;
    expect(await failure(send(mail, print))).toBe('GDServicesErrorApplicationNotFound');
    await update(print);
    expect(print.runtime.state).toBe('locked');
    const withIt = hears();
    await lab.admin.commandDynamicsApp(ada, print.instanceId, { type: 'UNBLOCK_APPLICATION', actionId: 'z' });
    await update(print);
    expect(print.runtime.state).toBe('authorized');
    await update(mail);
    await withIt;
    expect(await failure(send(mail, print))).toBe('answered');
  });

  it('not when the app that offers does not listen, and not when it is wiped', async () => {
    await print.runtime.wipe();
    expect(await failure(send(mail, print))).toBe('ERR_PEER_ALERT');
    await rm(print.path);
    expect(await failure(send(mail, print))).toBe('GDServicesErrorApplicationNotFound');
  });
});
