import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLab } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import { createUemClient, softwareKeyStore } from '@uemkit/uem-client';

test('a device activates itself, and the lock of the administrator reaches it', async (t) => {
  const ports = { crypto: nodeCrypto(), clock: systemClock(), entropy: nodeEntropy() };
  const lab = await startLab(ports); // a whole server in this process: no socket, no file
  t.after(() => lab.close()); // also after a failure: what is open keeps node --test from ending
  const alice = await lab.admin.createUser({ username: 'alice' });
  const { password } = await lab.admin.setActivationPassword(alice.guid);

  let locked = false;
  const operatingSystem = {
    pushService: 'fcm',
    deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Example Tablet', clientVersion: '1.0' }),
    configure: async () => ({ status: 'completed' }),
    async execute({ type }) {
      if (type !== 'LOCK_DEVICE') return { status: 'failed', message: `${type}: not here` };
      locked = true;
      return { status: 'done' };
    },
    deactivated: async () => {},
  };
  const store = memoryStore();
  const keyStore = softwareKeyStore({ ...ports, store });
  const client = createUemClient({ ...ports, store, keyStore, transport: lab.transport(), operatingSystem });
  const infrastructure = { address: lab.connection.infrastructure, trust: lab.trust };
  await client.open();
  await client.activate({ kind: 'password', userId: 'alice', password, infrastructure });

  const { commandId } = await lab.admin.sendCommand(client.deviceId, { type: 'LOCK_DEVICE' });
  await client.poll(); // with client.start() it would be woken by push

  assert.equal(locked, true);
  assert.equal(lab.admin.command(client.deviceId, commandId).state, 'done');
  await client.close();
});
