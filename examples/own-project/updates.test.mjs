import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileDeviceKey, openContainerStorage, openDynamicsRuntime } from '@uemkit/dynamics-sdk/node';
import { startLab } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';

test('an app hears of another policy, is locked by an administrator, and its user opens it with the unlock key', async (t) => {
  const lab = await startLab();
  t.after(() => lab.close()); // also after a failure: what is open keeps node --test from ending
  const { guid } = await lab.admin.createUser({ username: 'ada@example.com', email: 'ada@example.com' });
  const user = { kind: 'user', id: guid };
  const mail = await lab.admin.createApplication({ applicationId: 'com.example.mail', name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  await lab.admin.assign(user, { kind: 'application', id: mail.guid }, 'OPTIONAL');
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
  });
  t.after(() => runtime.close().then(() => store.close()));
  const heard = [];
  for (const name of ['policyupdate', 'statechange']) runtime.addEventListener(name, ({ detail }) => heard.push(detail.code ?? name));
  await runtime.authorize({ password: 'correct horse 7', credentials: { userId: 'ada@example.com', accessKey } });
  await runtime.update(); // it asks by itself, too; a test need not wait for that

  // Another policy: the event, and the snapshot behind it.
  const profile = await lab.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Strict', content: { idleLockMinutes: 5 } });
  await lab.admin.assign(user, { kind: 'profile', id: profile.profileId });
  assert.deepEqual((await runtime.update()).changed, ['policy']);
  assert.equal(runtime.getApplicationPolicy().dynamics.idleLockMinutes, 5);

  // The phone is lost: the administrator locks the app, and sees that it is locked.
  const [{ app }] = lab.admin.dynamicsApps(guid);
  await lab.admin.commandDynamicsApp(guid, app.instanceId, { type: 'LOCK_APPLICATION' });
  await runtime.update();
  assert.deepEqual([runtime.state, runtime.code, runtime.container], ['locked', 'GDErrorRemoteLockout', undefined]);
  assert.equal(lab.admin.dynamicsApp(guid, app.instanceId).isCarriedOut, true);

  // It is found again: the help desk tells its user the unlock key.
  const unlockKey = await lab.admin.unlockKeyOfDynamicsApp(guid, app.instanceId);
  assert.equal((await runtime.recover(unlockKey, 'another horse 8')).state, 'authorized');
  assert.deepEqual(heard, ['policyupdate', 'GDErrorNone', 'policyupdate', 'GDErrorRemoteLockout', 'GDErrorNone']);
});
