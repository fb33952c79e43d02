import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { activationDelegate } from '@uemkit/dynamics-sdk';
import { fileDeviceKey, listenForSiblings, openContainerStorage, openDynamicsRuntime, siblingSocket, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';

const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const signer = 'ab'.repeat(32); // SHA-256 of the certificate that both apps are signed with
const idOf = (name) => `android:com.example.${name}:${signer}`;

test('an app is activated by another one on its device, and its user only says yes', async (t) => {
  const lab = await startLabServer();
  t.after(() => lab.close()); // also after a failure: what is open keeps node --test from ending
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com', email: 'ada@example.com' });
  for (const name of ['mail', 'chat']) {
    const app = { applicationId: `com.example.${name}`, name, version: '1.0.0.0', platforms: ['ANDROID'], platformIds: [idOf(name)] };
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: (await lab.admin.createApplication(app)).guid }, 'OPTIONAL');
  }
  const content = { activationDelegates: ['com.example.mail'] };
  const profile = await lab.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Delegates', content });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profile.profileId });
  const { accessKey } = await lab.admin.createAccessKey(guid);

  const folder = await mkdtemp(join(tmpdir(), 'apps-'));
  const open = async (name, more) => {
    const store = openContainerStorage({ directory: join(folder, name, 'state') });
    const runtime = await openDynamicsRuntime({
      ...ports,
      app: { appId: `com.example.${name}`, version: '1.0.0.0', platform: 'android 16' },
      noc: { address: lab.connection.noc, trust: { roots: [new Uint8Array(new X509Certificate(lab.connection.ca).raw)], spkiPins: [] } },
      transport: tlsNocTransport(),
      store,
      openStorage: () => openContainerStorage({ directory: join(folder, name, 'container') }),
      deviceKey: fileDeviceKey(join(folder, name, 'device.key'), ports),
      ...more,
    });
    t.after(() => runtime.close().then(() => store.close()));
    return runtime;
  };

  // The app that is there already: it listens, and asks its user each time.
  const asked = [];
  const consent = (app) => asked.push(app.appId) > 0;
  const mail = await open('mail', { delegate: activationDelegate({ platformId: idOf('mail'), signers: [signer], consent }) });
  await mail.authorize({ password: 'correct horse 7', credentials: { userId: 'ada@example.com', accessKey } });
  const path = join(folder, 'sockets', 'mail.sock');
  const listener = await listenForSiblings({ runtime: mail, path, identify: async () => idOf('chat') }); // ask the operating system
  t.after(() => listener.close());

  // The new one: nobody types anything.
  const links = [siblingSocket({ path, platformId: idOf('mail') })];
  const chat = await open('chat', { siblings: { platformId: idOf('chat'), signers: [signer], links } });
  let result = await chat.authorize({ password: 'another horse 8' });
  // UEM or NOC may not be there at once; nothing is lost by asking again.
  while (result.error?.retry === 'backoff') {
    await setTimeout(100);
    result = await chat.authorize({ password: 'another horse 8' });
  }
  assert.deepEqual([result.state, asked.includes('com.example.chat')], ['authorized', true]);
});
