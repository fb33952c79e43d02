import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuthorizeResult, type NocRequest, openDynamicsRuntime } from '@uemkit/dynamics-sdk';
import { fileDeviceKey, openContainerStorage, tlsNocTransport, uemClientSocket } from '@uemkit/dynamics-sdk/node';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { keySchedule, ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import { createUemClient, type OperatingSystem, softwareKeyStore, trustOfPem, type UemClient } from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { type AppListener, listenForApps, nodeTransport } from '@uemkit/uem-client/node';
import { afterAll, beforeAll, expect, it } from 'vitest';

const USER = 'alice@example.com';
const APP_ID = 'com.example.mail';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const signer = ports.crypto.sha256(new TextEncoder().encode('vendor'));
const CLIENT_ID = keySchedule.platformId('android', 'com.example.uem', signer);
const MAIL_ID = keySchedule.platformId('android', 'com.example.mail', signer);

const operatingSystem: OperatingSystem = {
  deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Example Tablet', clientVersion: '1.0' }),
  configure: async () => ({ status: 'completed' }),
  execute: async () => ({ status: 'done' }),
  deactivated: async () => {},
};

let lab: LabServer;
let folder: string;
let client: UemClient;
let listener: AppListener;
/** What the operating system says of the app that has connected. */
let seen = MAIL_ID;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'app-activation-'));
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 } });
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  const mail = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'], platformIds: [MAIL_ID] });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: mail.guid }, 'OPTIONAL');
  const store = memoryStore();
  const keyStore = softwareKeyStore({ ...ports, store });
  const apps = appEndpoint({ platformId: CLIENT_ID, mayAsk: () => true });
  client = createUemClient({ ...ports, store, keyStore, transport: nodeTransport({ keyStore }), operatingSystem, apps });
  await client.open();
  await client.activate({ kind: 'qr', content: (await lab.admin.createQrCode(guid)).content });
  listener = await listenForApps({ client, path: join(folder, 'apps', 'uem.sock'), identity: { identify: async () => seen } });
});

afterAll(async () => {
  await listener.close();
  await client.close();
  await lab.close();
  await rm(folder, { recursive: true });
});

/** An app without a typed key; what it says the two apps are. */
async function install(
  name: string,
  platformIds = { app: MAIL_ID, uemClient: CLIENT_ID },
  path = join(folder, 'apps', 'uem.sock'),
  transport = tlsNocTransport(),
) {
  const steps: string[] = [];
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 15' },
    noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
    transport,
    uemClient: uemClientSocket({ path, platformIds }),
    store: openContainerStorage({ directory: join(folder, name, 'state') }),
    openStorage: () => openContainerStorage({ directory: join(folder, name, 'container') }),
    deviceKey: fileDeviceKey(join(folder, name, 'device.key'), ports),
    trace: ({ step }) => void steps.push(step),
  });
  return { runtime, steps, authorize: (): Promise<AuthorizeResult> => runtime.authorize({ password: 'correct horse 7' }) };
}

it('an app activates itself with a key of the UEM Client, and nobody types anything (F3.3 to F3.11)', async () => {
  const { runtime, steps, authorize } = await install('mail');
  expect(await authorize()).toMatchObject({ state: 'authorized', code: 'GDErrorNone', keyConsumed: true });
  expect(runtime.getApplicationConfig()).toMatchObject({ userId: USER });
  expect(steps).toEqual(['F3.3', 'F3.3', 'F3.3', 'F3.3', 'F3.6', 'F3.7', 'F3.8', 'F3.9', 'F3.10', 'F3.11', 'F3.11', 'F3.11', 'F3.11']);
  await runtime.close();
});

it('an app without a UEM Client, or of another package, is not activated, and tries again later', async () => {
  const alone = await install('alone', undefined, join(folder, 'nobody.sock'));
  expect(await alone.authorize()).toMatchObject({
    state: 'notAuthorized',
    code: 'GDErrorActivationFailed',
    keyConsumed: false,
    error: { code: 'ERR_TRANSPORT_CONNECT', step: 'F3.3' },
  });
  await alone.runtime.close();

  seen = keySchedule.platformId('android', 'com.example.evil', signer);
  const posing = await install('posing', { app: seen, uemClient: CLIENT_ID });
  expect(await posing.authorize()).toMatchObject({ state: 'notAuthorized', code: 'GDErrorActivationFailed', error: { code: 'ERR_PEER_ALERT', step: 'F3.6' } });
  await posing.runtime.close();
  seen = MAIL_ID;
  const honest = await install('honest');
  expect(await honest.authorize()).toMatchObject({ state: 'authorized' });
  await honest.runtime.close();
});

it('an app goes on with the key that it was given, and asks for another one only when that is refused', async () => {
  const whole = tlsNocTransport();
  let isCut = true;
  const transport = { openNoc: (request: NocRequest) => (isCut ? Promise.reject(new ProtocolError('ERR_TRANSPORT_CONNECT', 'cut')) : whole.openNoc(request)) };
  const { runtime, steps, authorize } = await install('again', undefined, undefined, transport);
  const [asking, said] = [['F3.3', 'F3.3', 'F3.3', 'F3.3', 'F3.6'], () => steps.splice(0)];
  expect(await authorize()).toMatchObject({ code: 'GDErrorActivationFailed', keyConsumed: false, error: { code: 'ERR_TRANSPORT_CONNECT', step: 'F3.7' } });
  expect(said()).toEqual(asking);
  isCut = false;
  const { guid } = lab.admin.userByName(USER) as { readonly guid: string };
  for (const { keyId } of lab.admin.accessKeys(guid)) await lab.admin.revokeAccessKey(guid, keyId);
  await expect.poll(() => lab.journal.entries().some(({ role, request }) => role === 'noc' && request === 'nocWithdrawKey')).toBe(true);
  expect(await authorize()).toMatchObject({ code: 'GDErrorActivationFailed', error: { code: 'ERR_REJECTED_CREDENTIALS', step: 'F3.8' } });
  expect(said()).toEqual(['F3.7', 'F3.8']);
  expect(await authorize()).toMatchObject({ state: 'authorized', keyConsumed: true });
  expect(said().slice(0, 7)).toEqual([...asking, 'F3.7', 'F3.8']);
  await runtime.close();
});
