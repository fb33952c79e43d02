/** An app outside the company: activates itself, does its tasks and stays until its standard input ends. `app.ts CONFIG` (`AppConfig` as JSON). */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileDeviceKey, openContainerStorage, openDynamicsRuntime, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import type { CryptoProvider } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { APP_ID, type AppConfig, type AppLine, type AppTask, USER_ID } from './app-config.ts';
import { seededBytes } from './seeded-bytes.ts';

const { folder, noc, ca, accessKey, tasks } = JSON.parse(process.argv[2] ?? '') as AppConfig;
const say = (line: AppLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const keys: string[] = [];
/** The first page, for who searches memory. */
const held: Uint8Array[] = [];
const provider = nodeCrypto();
const crypto: CryptoProvider = Object.assign(Object.create(provider), {
  gcm(key: Uint8Array) {
    keys.push(Buffer.from(key).toString('hex'));
    return provider.gcm(key);
  },
});
const ports = { crypto, entropy: nodeEntropy(), clock: systemClock() };
const store = openContainerStorage({ directory: join(folder, 'state') });
const runtime = await openDynamicsRuntime({
  ...ports,
  app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
  noc: { address: noc, trust: trustOfPem(ca) },
  transport: tlsNocTransport(),
  store,
  openStorage: () => openContainerStorage({ directory: join(folder, 'container') }),
  deviceKey: fileDeviceKey(join(folder, 'device.key'), ports),
});
const credentials = accessKey === undefined ? {} : { credentials: { userId: USER_ID, accessKey } };
const result = await runtime.authorize({ password: 'correct horse 7', ...credentials });
if (result.state !== 'authorized') throw new Error(`the app is not authorized: ${result.code} ${result.error?.message ?? ''}`);

for (const task of tasks) await carryOut(task);
say({ event: 'idle', keys });
await lines.next();
await runtime.close();
await store.close();

async function carryOut(task: AppTask): Promise<void> {
  if (task.kind === 'write') {
    const body = ReadableStream.from(seededBytes(task.seed, task.lengthBytes));
    const { status } = await runtime.fetch(task.url, { method: 'PUT', body, duplex: 'half' });
    return say({ event: 'done', status, sha256: '', lengthBytes: task.lengthBytes });
  }
  const response = await runtime.fetch(task.url);
  const hash = createHash('sha256');
  let lengthBytes = 0;
  for await (const piece of response.body ?? []) {
    if (lengthBytes === 0 && task.kind === 'pause') {
      say({ event: 'paused' });
      await lines.next();
    }
    if (held.length === 0) held.push(piece);
    hash.update(piece);
    lengthBytes += piece.length;
  }
  say({ event: 'done', status: response.status, sha256: hash.digest('hex'), lengthBytes });
}
