import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileDeviceKey, openContainerStorage, openDynamicsRuntime } from '@uemkit/dynamics-sdk/node';
import { startLab } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';

test('an app activates itself with a typed access key, and opens its container', async (t) => {
  const lab = await startLab();
  t.after(() => lab.close()); // also after a failure: what is open keeps node --test from ending
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com', email: 'ada@example.com' });
  const mail = await lab.admin.createApplication({ applicationId: 'com.example.mail', name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: mail.guid }, 'OPTIONAL');
  const { accessKey } = await lab.admin.createAccessKey(guid); // mailed to the user otherwise

  const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  const store = openContainerStorage({ directory: join(folder, 'state') }); // beside the container
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: 'com.example.mail', version: '1.0.0.0', platform: 'android 16' },
    noc: { address: lab.connection.noc, trust: lab.trust },
    transport: lab.transport('app'), // tlsNocTransport() of ./node towards a NOC that listens
    store,
    openStorage: () => openContainerStorage({ directory: join(folder, 'container') }),
    deviceKey: fileDeviceKey(join(folder, 'device.key'), ports), // a hardware key where there is one
  });
  t.after(() => runtime.close().then(() => store.close()));
  runtime.addEventListener('statechange', ({ detail }) => console.log(detail.state, detail.code));

  const result = await runtime.authorize({ password: 'correct horse 7', credentials: { userId: 'ada@example.com', accessKey } });
  assert.deepEqual([result.state, result.code, result.number], ['authorized', 'GDErrorNone', 0]);
  assert.equal(runtime.getApplicationConfig().userId, 'ada@example.com');
  await runtime.container.values.put('draft', new TextEncoder().encode('nobody else reads this'));
});
