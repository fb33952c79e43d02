import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  fileDeviceKey,
  listenForServices,
  openContainerStorage,
  openDynamicsRuntime,
  serviceSockets,
  tlsNocTransport,
  uemClientSocket,
} from '@uemkit/dynamics-sdk/node';
import { interAppServices, ServicesError } from '@uemkit/dynamics-sdk/services';
import { startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import { createUemClient, softwareKeyStore, trustOfPem } from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { listenForApps, nodeTransport } from '@uemkit/uem-client/node';

const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const idOf = (name) => `android:com.example.${name}:${'ab'.repeat(32)}`; // package and signer, as the operating system says
const service = { serviceId: 'com.example.print', version: '1.0.0.0' };
const operatingSystem = {
  deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Tablet', clientVersion: '1.0' }),
  configure: async () => ({ status: 'completed' }),
  execute: async () => ({ status: 'done' }),
  deactivated: async () => {},
};

test('an app has another one on its device print, with a file', async (t) => {
  const lab = await startLabServer();
  t.after(() => lab.close()); // also after a failure: what is open keeps node --test from ending
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com', email: 'ada@example.com' });
  for (const name of ['mail', 'print']) {
    const app = { applicationId: `com.example.${name}`, name, version: '1.0.0.0', platforms: ['ANDROID'], platformIds: [idOf(name)] };
    const services = name === 'print' ? [service] : []; // what it offers, by the catalogue of UEM
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: (await lab.admin.createApplication({ ...app, services })).guid }, 'OPTIONAL');
  }

  // The device: its UEM Client gives apps their keys, so UEM knows which apps are on it.
  const folder = await mkdtemp(join(tmpdir(), 'apps-'));
  const store = memoryStore();
  const keyStore = softwareKeyStore({ ...ports, store });
  const apps = appEndpoint({ platformId: idOf('uem'), mayAsk: () => true });
  const client = createUemClient({ ...ports, store, keyStore, transport: nodeTransport({ keyStore }), operatingSystem, apps });
  await client.open();
  t.after(() => client.close());
  await client.activate({ kind: 'qr', content: (await lab.admin.createQrCode(guid)).content });

  const install = async (name, services) => {
    const path = join(folder, name, 'c', 'uem.sock');
    const listener = await listenForApps({ client, path, identity: { identify: async () => idOf(name) } });
    const store = openContainerStorage({ directory: join(folder, name, 'state') });
    const runtime = await openDynamicsRuntime({
      ...ports,
      app: { appId: `com.example.${name}`, version: '1.0.0.0', platform: 'android 16' },
      noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
      transport: tlsNocTransport(),
      store,
      openStorage: () => openContainerStorage({ directory: join(folder, name, 'container') }),
      deviceKey: fileDeviceKey(join(folder, name, 'device.key'), ports),
      uemClient: uemClientSocket({ path, platformIds: { app: idOf(name), uemClient: idOf('uem') } }),
      services,
    });
    t.after(() => runtime.close().then(() => store.close()));
    assert.equal((await runtime.authorize({ password: 'correct horse 7' })).state, 'authorized');
    await listener.close();
    return runtime;
  };
  // Asks UEM now; a new app's way to it is good a moment after its activation.
  const update = async (runtime) => {
    for (;;) {
      try {
        return await runtime.update();
      } catch (error) {
        if (error.retry === 'never') throw error;
        await setTimeout(100);
      }
    }
  };

  // The app that prints.
  const socket = join(folder, 's', 'print.sock');
  const printing = interAppServices();
  printing.provide({ ...service, methods: ['print'] }, (message) => {
    if (message.attachments.length === 0) throw new ServicesError('GDServicesErrorInvalidParams', 'nothing to print');
    message.replyTo({ params: { pages: message.params.copies * 2, for: message.from.applicationId } });
  });
  const print = await install('print', printing);
  const listener = await listenForServices({ services: printing, path: socket, identify: async () => idOf('mail') }); // ask the operating system
  t.after(() => listener.close());

  // The app that asks. UEM tells both of each other when they ask it next.
  const services = interAppServices({ connect: serviceSockets((provider) => join(folder, 's', `${provider.name}.sock`)) });
  const mail = await install('mail', services);
  await update(mail);
  await update(print);
  const [printer] = services.getServiceProvidersFor('com.example.print', '1.0.0.0');
  const request = { ...service, method: 'print', params: { copies: 2 } };
  const { params } = await services.sendTo(printer, { ...request, attachments: [{ name: 'letter.pdf', bytes: new Uint8Array(100_000) }] });
  assert.deepEqual(params, { pages: 4, for: 'com.example.mail' });
  await assert.rejects(services.sendTo(printer, request), { code: 'GDServicesErrorInvalidParams', message: 'nothing to print' });
});
