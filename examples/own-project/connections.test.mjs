import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { fileDeviceKey, openContainerStorage, openDynamicsRuntime } from '@uemkit/dynamics-sdk/node';
import { startLab } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';

/** Stands for the network between app and company: bare TCP to this machine. */
const way = {
  async open({ port }, { signal }) {
    const socket = connect({ host: '127.0.0.1', port, signal });
    await once(socket, 'connect');
    return { ...Duplex.toWeb(socket), closed: finished(socket), destroy: (error) => socket.destroy(error) };
  },
};

test('an app reads the page that its connectivity profile allows, and no other', async (t) => {
  const wiki = createServer((_request, response) => response.end('behind the firewall')).listen(0, '127.0.0.1');
  t.after(() => wiki.close());
  await once(wiki, 'listening');
  const { port } = wiki.address();

  const lab = await startLab();
  t.after(() => lab.close()); // also after a failure: what is open keeps node --test from ending
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com', email: 'ada@example.com' });
  const mail = await lab.admin.createApplication({ applicationId: 'com.example.mail', name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  const content = { allowedDomains: [{ domain: 'example.com', route: 'DIRECT', ports: [port] }], defaultRoute: 'DENY' };
  const profile = await lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: mail.guid }, 'OPTIONAL');
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profile.profileId });
  const { accessKey } = await lab.admin.createAccessKey(guid);

  const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  const store = openContainerStorage({ directory: join(folder, 'state') });
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: 'com.example.mail', version: '1.0.0.0', platform: 'android 16' },
    noc: { address: lab.connection.noc, trust: lab.trust },
    transport: lab.transport('app'),
    store,
    openStorage: () => openContainerStorage({ directory: join(folder, 'container') }),
    deviceKey: fileDeviceKey(join(folder, 'device.key'), ports),
    ways: { direct: way, noc: () => way },
  });
  t.after(() => runtime.close().then(() => store.close()));
  await runtime.authorize({ password: 'correct horse 7', credentials: { userId: 'ada@example.com', accessKey } });

  const page = await runtime.fetch(`http://wiki.example.com:${port}/`);
  assert.equal(await page.text(), 'behind the firewall');
  await assert.rejects(runtime.fetch('http://elsewhere.net/'), { code: 'ERR_CONNECTION_DENIED' });
  await runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'No network now' });
  await assert.rejects(runtime.connect({ host: 'wiki.example.com', port }), { code: 'ERR_APP_LOCKED' });
});
