import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { containerVault, DEFAULT_PASSWORD_POLICY } from '@uemkit/dynamics-sdk';
import { fileDeviceKey, openContainerStorage } from '@uemkit/dynamics-sdk/node';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';

test('an app keeps values and files that nobody reads without its password, and a wipe leaves nothing', async () => {
  const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  const storage = openContainerStorage({ directory: join(folder, 'container') });
  const deviceKey = fileDeviceKey(join(folder, 'device.key'), ports); // a hardware key where there is one
  const vault = containerVault({ ...ports, storage, deviceKey });

  const { container } = await vault.create({ password: 'correct horse 7', policy: DEFAULT_PASSWORD_POLICY });
  await container.values.put('settings/theme', new TextEncoder().encode('dark'));
  await container.files.write('reports/2026.txt', new TextEncoder().encode('nobody else reads this'));
  await container.close(); // keys leave the memory; the idle lock of an app does this

  assert.deepEqual(await vault.open('wrong horse 7'), { kind: 'wrong', triesLeft: 9 });
  const opened = await vault.open('correct horse 7');
  assert.equal(opened.kind, 'open');
  assert.equal(new TextDecoder().decode(await opened.container.values.get('settings/theme')), 'dark');
  const parts = [];
  for await (const part of opened.container.files.read('reports/2026.txt')) parts.push(part);
  assert.equal(Buffer.concat(parts).toString(), 'nobody else reads this');

  await vault.wipe(); // keys first: old copies of the folder do not open either
});
