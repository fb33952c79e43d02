import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import https, { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import apn from '@parse/node-apn';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { createUemClient, softwareKeyStore, type UemClient } from '@uemkit/uem-client';
import { nodeTransport } from '@uemkit/uem-client/node';
import { cert, deleteApp, initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import wns from 'wns';
import { EmulatedOperatingSystem } from '../../src/operating-systems/emulated-operating-system.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import { SYSTEM_IDS, SYSTEMS } from '../../src/operating-systems/systems.ts';

/*
 * Push clients of other people wake emulated devices: what UEM itself sends is lost on the way, so it is the foreign notification that makes the device ask for its
 * command and carry it out. How each client reads our errors is tested where the provider APIs are (lab-server, push-referees.test.ts).
 */

const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const ACCOUNT = 'sender@example.iam.gserviceaccount.com';
/** Two of the clients dial the real service, whatever they are told: both of their agents lead to the lab. */
const agentBefore = https.globalAgent;

let folder: string;
let lab: LabServer;
let serviceAccountKey: string;
let open: UemClient | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'foreign-push-'));
  // The library signs with RS256, so UEM's project gets a service account with an RSA key beside its own.
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  serviceAccountKey = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const first = await startLabServer({ folder });
  const { projectId } = first.providers.credentials.fcm;
  await first.close();
  lab = await startLabServer({ folder, pushAccounts: { fcm: [{ projectId, clientEmail: ACCOUNT, keys: [{ keyId: 'rsa-1', publicKey: pem }] }] } });
  https.globalAgent = toTheLab();
});
afterEach(() => open?.close());
afterAll(async () => {
  https.globalAgent = agentBefore;
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

function toTheLab(): Agent {
  const agent = new Agent({ keepAlive: false });
  const port = Number(new URL(lab.providers.origin).port);
  (agent as unknown as { createConnection: () => unknown }).createConnection = () =>
    connect({ host: '127.0.0.1', port, ca: lab.connection.ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
  return agent;
}

async function sendByApns(address: string): Promise<void> {
  const { key, certificate, topic } = lab.providers.credentials.apns;
  const port = Number(new URL(lab.providers.origin).port);
  const options = { key, cert: certificate, address: '127.0.0.1', port, ca: lab.connection.ca, production: false, connectionRetryLimit: 0 };
  const provider = new apn.Provider(options as unknown as apn.ProviderOptions);
  const notification = new apn.Notification();
  Object.assign(notification, { topic, pushType: 'mdm', rawPayload: { mdm: 'push magic' }, expiry: Math.floor(Date.now() / 1_000) + 60 });
  try {
    expect((await provider.send(notification, address)).failed).toEqual([]);
  } finally {
    await provider.shutdown();
  }
}

async function sendByFcm(address: string): Promise<void> {
  const { projectId } = lab.providers.credentials.fcm;
  const httpAgent = toTheLab();
  const credential = cert({ projectId, clientEmail: ACCOUNT, privateKey: serviceAccountKey }, httpAgent);
  const app = initializeApp({ credential, projectId, httpAgent }, address);
  try {
    await getMessaging(app).send({ token: address, data: { text: 'wake up' }, android: { priority: 'high', ttl: 60_000 } });
  } finally {
    await deleteApp(app);
  }
}

async function sendByWns(address: string): Promise<void> {
  const { packageSid, clientSecret } = lab.providers.credentials.wns;
  const answer = await new Promise((resolve) =>
    wns.sendRaw(address, 'wake up', { client_id: packageSid, client_secret: clientSecret }, (error, result) => resolve(error ?? result)),
  );
  expect(answer).toMatchObject({ statusCode: 200, headers: { 'x-wns-notificationstatus': 'received' } });
}

const CLIENTS = {
  apns: ['@parse/node-apn', sendByApns],
  fcm: ['firebase-admin', sendByFcm],
  wns: ['wns', sendByWns],
} as const;

const CASES = SYSTEM_IDS.flatMap((system) => {
  const { pushService } = SYSTEMS[system];
  return pushService === 'bb10' ? [] : [[CLIENTS[pushService][0], system, CLIENTS[pushService][1]] as const];
});

it.each(CASES)('%s wakes an emulated device, and it carries out its command: %s', async (_client, system, send) => {
  const { guid } = await lab.admin.createUser({ username: system });
  const { profileId, ...profile } = lab.admin.profile('default');
  const { name, workSpace } = SYSTEMS[system].activationTypes[0] ?? { name: '', workSpace: false };
  await lab.admin.putProfile({ ...profile, profileId, activationType: name, createWorkSpace: workSpace });

  const store = memoryStore();
  const operatingSystem = await EmulatedOperatingSystem.open({
    store,
    clock: ports.clock,
    crypto: ports.crypto,
    factoryState: factoryState(SYSTEMS[system], { serialNumber: `TEST-KEY-${system}` }, () => 0),
  });
  const keyStore = softwareKeyStore({ ...ports, store });
  const client = createUemClient({ ...ports, store, keyStore, operatingSystem, transport: nodeTransport({ keyStore }) });
  open = client;
  await client.open();
  await client.activate({ kind: 'qr', content: (await lab.admin.createQrCode(guid)).content });
  const deviceId = client.deviceId as string;
  const address = (): string | undefined => wire.pushAddressOf(lab.admin.device(deviceId).pushToken ?? new Uint8Array())?.address;
  // At rest: UEM knows its token, and the poll that told it is over.
  const atRest = new Promise<void>((resolve) => client.addEventListener('idle', () => address() !== undefined && resolve()));
  client.start();
  await atRest;

  const lost = lab.faults.add({ kind: 'drop', service: 'wakeUp', count: 1 });
  const { commandId } = await lab.admin.sendCommand(deviceId, { type: 'REQUEST_DEVICE_INFO' });
  await expect.poll(() => lab.faults.list().find(({ id }) => id === lost.id)?.applied).toBe(1);
  expect(lab.admin.command(deviceId, commandId).state).toBe('queued');

  await send(address() as string);
  await expect.poll(() => lab.admin.command(deviceId, commandId).state, { timeout: 20_000 }).toBe('done');
  expect(operatingSystem.state.commandsExecuted).toBeGreaterThan(0);
});
