import { generateKeyPairSync } from 'node:crypto';
import https, { Agent } from 'node:https';
import { connect } from 'node:tls';
import apn from '@parse/node-apn';
import * as wire from '@uemkit/protocol/wire';
import { cert, deleteApp, initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import wns from 'wns';
import WebSocket from 'ws';

import { type LabServer, startLabServer } from '../../src/lab-server.ts';

/*
 * Client libraries of other people against our provider APIs, over sockets: each wakes a device, and each understands our errors. What they dial is a constant
 * in two of them, so their connections are led to the lab's port.
 */
let lab: LabServer;
const devices = new Set<WebSocket>();

beforeAll(async () => {
  lab = await startLabServer();
});
afterAll(() => lab.close());
beforeEach(() => lab.faults.clear());
afterEach(() => {
  for (const device of devices) device.terminate();
  devices.clear();
});

/** A device on its push connection that takes what it gets. */
async function device(
  service: wire.PushServiceName,
  application?: string,
  known?: Uint8Array,
): Promise<{ readonly address: string; readonly token: Uint8Array; readonly wakeUps: readonly wire.WakeUp[]; leave(): Promise<void> }> {
  const { ca, notification } = lab.connection;
  const socket = new WebSocket(`wss://${notification}/uemkit/1/push`, ['uemkit.push.1'], { ca, perMessageDeflate: false });
  devices.add(socket);
  const wakeUps: wire.WakeUp[] = [];
  const token = await new Promise<Uint8Array>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(wire.pushRegister.encode({ service, application, token: known })));
    socket.on('message', (data: Buffer) => {
      const frame = wire.parseFrame(new Uint8Array(data));
      if (frame.name === 'pushRegistered') resolve(wire.pushRegistered.decode(frame).token);
      if (frame.name !== 'wakeUp') return;
      const wakeUp = wire.wakeUp.decode(frame);
      wakeUps.push(wakeUp);
      socket.send(wire.pushAck.encode({ wakeUpId: wakeUp.wakeUpId }));
    });
  });
  const { address = '' } = wire.pushAddressOf(token) ?? {};
  const before = lab.pushConnections;
  return {
    address,
    token,
    wakeUps,
    async leave() {
      socket.terminate();
      await expect.poll(() => lab.pushConnections).toBeLessThan(before);
    },
  };
}

const providersPort = (): number => Number(new URL(lab.providers.origin).port);

/** Leads every connection of a client to the provider listener of the lab. */
function toTheLab(): Agent {
  const agent = new Agent({ keepAlive: false });
  (agent as unknown as { createConnection: (options: object) => unknown }).createConnection = () =>
    connect({ host: '127.0.0.1', port: providersPort(), ca: lab.connection.ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
  return agent;
}

describe('@parse/node-apn', () => {
  const provider = (auth: object): apn.Provider =>
    new apn.Provider({
      ...auth,
      address: '127.0.0.1',
      port: providersPort(),
      ca: lab.connection.ca,
      production: false,
      connectionRetryLimit: 0,
    } as unknown as apn.ProviderOptions);

  const mdm = (): apn.Notification => {
    const notification = new apn.Notification();
    notification.topic = lab.providers.credentials.apns.topic;
    notification.pushType = 'mdm';
    notification.rawPayload = { mdm: 'push magic' };
    notification.expiry = Math.floor(Date.now() / 1_000) + 60;
    return notification;
  };
  const byCertificate = (): apn.Provider => {
    const { key, certificate } = lab.providers.credentials.apns;
    return provider({ key, cert: certificate });
  };
  const send = async (client: apn.Provider, notification: apn.Notification, address: string) => {
    try {
      return await client.send(notification, address);
    } finally {
      await client.shutdown();
    }
  };

  it('wakes a device with the MDM push certificate', async () => {
    const tablet = await device('apns');
    const { sent, failed } = await send(byCertificate(), mdm(), tablet.address);
    expect(failed).toEqual([]);
    expect(sent).toMatchObject([{ device: tablet.address }]);
    expect(tablet.wakeUps).toHaveLength(1);
  });

  it('wakes a device with a provider token, for the topic of an app', async () => {
    const { teamId, keyId, key, topic } = lab.providers.credentials.apnsApp;
    const tablet = await device('apns', topic);
    const notification = new apn.Notification({ aps: { 'content-available': 1 } });
    notification.topic = topic;
    notification.pushType = 'background';
    const { sent, failed } = await send(provider({ token: { key, keyId, teamId } }), notification, tablet.address);
    expect(failed).toEqual([]);
    expect(sent).toHaveLength(1);
    expect(tablet.wakeUps).toHaveLength(1);
  });

  it('reads 410 Unregistered with its time', async () => {
    const tablet = await device('apns');
    lab.faults.add({ kind: 'expire', service: 'provider', pushService: 'apns', count: 1 });
    const { failed } = await send(byCertificate(), mdm(), tablet.address);
    expect(failed).toMatchObject([{ device: tablet.address, status: 410, response: { reason: 'Unregistered', timestamp: expect.any(Number) } }]);
  });

  it.each([
    ['429 of a device that gets too many', { kind: 'throttle' }, 429, 'TooManyRequests'],
    ['503 of an outage', { kind: 'status', status: 503 }, 503, 'ServiceUnavailable'],
    ['403 of a certificate that has run out', { kind: 'expireAccess' }, 403, 'BadCertificate'],
  ] as const)('reads %s', async (_what, fault, status, reason) => {
    const tablet = await device('apns');
    lab.faults.add({ ...fault, service: 'provider', pushService: 'apns' });
    const { failed } = await send(byCertificate(), mdm(), tablet.address);
    expect(failed).toMatchObject([{ status, response: { reason } }]);
    expect(tablet.wakeUps).toEqual([]);
  });

  it('reads that a token belongs to another topic', async () => {
    const tablet = await device('apns', lab.providers.credentials.apnsApp.topic);
    const { failed } = await send(byCertificate(), mdm(), tablet.address);
    expect(failed).toMatchObject([{ status: 400, response: { reason: 'DeviceTokenNotForTopic' } }]);
  });
});

describe('firebase-admin', () => {
  const before = https.globalAgent;
  const app = (name: string, serviceAccount: { readonly projectId: string; readonly clientEmail: string; readonly privateKey: string }) => {
    const httpAgent = toTheLab();
    const made = initializeApp({ credential: cert(serviceAccount, httpAgent), projectId: serviceAccount.projectId, httpAgent }, name);
    return { messaging: getMessaging(made), end: () => deleteApp(made) };
  };
  let client: ReturnType<typeof app>;
  let server: LabServer;

  beforeAll(async () => {
    // A service account with an RSA key, as Google makes them: the library signs with RS256.
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = {
      publicKey: publicKey.export({ format: 'pem', type: 'spki' }) as string,
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    };
    const account = { projectId: 'rsa-project', clientEmail: 'sender@rsa-project.iam.gserviceaccount.com' };
    server = lab;
    // The library asks for access tokens by an agent of its own.
    https.globalAgent = toTheLab();
    lab = await startLabServer({ pushAccounts: { fcm: [{ ...account, keys: [{ keyId: 'rsa-1', publicKey: pem.publicKey }] }] } });
    client = app('referee', { ...account, privateKey: pem.privateKey });
  });
  afterAll(async () => {
    https.globalAgent = before;
    await client.end();
    await lab.close();
    lab = server;
  });

  const message = (token: string) => ({ token, data: { text: 'wake up' }, android: { priority: 'high', ttl: 60_000, collapseKey: 'k' } }) as const;

  it('gets an access token with its service account, and wakes a device', async () => {
    const phone = await device('fcm', 'rsa-project');
    expect(await client.messaging.send(message(phone.address))).toMatch(/^projects\/rsa-project\/messages\/0:\d+%[0-9a-f]+$/);
    expect(phone.wakeUps).toHaveLength(1);
  });

  it('wakes a device that comes later', async () => {
    const phone = await device('fcm', 'rsa-project');
    await phone.leave();
    await client.messaging.send(message(phone.address));
    expect(
      lab.journal
        .entries()
        .filter(({ service }) => service === 'fcm')
        .at(-1)?.answer,
    ).toBe('200 stored');
    expect(phone.wakeUps).toEqual([]);
    const back = await device('fcm', 'rsa-project', phone.token);
    expect(back.address).toBe(phone.address);
    await expect.poll(() => back.wakeUps.length).toBe(1);
  });

  it.each([
    ['UNREGISTERED', { kind: 'expire' }, 'messaging/registration-token-not-registered'],
    ['QUOTA_EXCEEDED', { kind: 'throttle' }, 'messaging/message-rate-exceeded'],
    ['UNAUTHENTICATED', { kind: 'expireAccess' }, 'messaging/third-party-auth-error'],
  ] as const)('reads %s', async (_what, fault, code) => {
    const phone = await device('fcm', 'rsa-project');
    lab.faults.add({ ...fault, service: 'provider', pushService: 'fcm' });
    await expect(client.messaging.send(message(phone.address))).rejects.toMatchObject({ code });
    expect(phone.wakeUps).toEqual([]);
  });

  it('reads SENDER_ID_MISMATCH and INVALID_ARGUMENT', async () => {
    const phone = await device('fcm');
    await expect(client.messaging.send(message(phone.address))).rejects.toMatchObject({ code: 'messaging/mismatched-credential' });
    await expect(client.messaging.send(message('no token'))).rejects.toMatchObject({ code: 'messaging/invalid-argument' });
  });
});

describe('wns', () => {
  const before = https.globalAgent;
  beforeEach(() => {
    https.globalAgent = toTheLab();
  });
  afterEach(() => {
    https.globalAgent = before;
  });

  const send = (channel: string, options: { readonly secret?: string; readonly headers?: Readonly<Record<string, string>> } = {}) => {
    const { packageSid, clientSecret } = lab.providers.credentials.wns;
    return new Promise<{
      readonly statusCode?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly newAccessToken?: string;
      readonly message?: string;
    }>((resolve) => {
      const credentials = { client_id: packageSid, client_secret: options.secret ?? clientSecret, headers: options.headers ?? {} };
      wns.sendRaw(channel, 'wake up', credentials, (error, result) => resolve(error ?? result ?? {}));
    });
  };

  it('gets an access token by client credentials after a 401, and wakes a device', async () => {
    const computer = await device('wns');
    const result = await send(computer.address);
    expect(result).toMatchObject({ statusCode: 200, headers: { 'x-wns-notificationstatus': 'received' }, newAccessToken: expect.stringMatching(/^EgA/) });
    expect(computer.wakeUps).toHaveLength(1);
  });

  it('reads that a channel has expired, is not known, or is throttled', async () => {
    const computer = await device('wns');
    lab.faults.add({ kind: 'throttle', service: 'provider', pushService: 'wns' });
    expect(await send(computer.address)).toMatchObject({
      statusCode: 200,
      headers: { 'x-wns-notificationstatus': 'channelthrottled' },
      message: expect.stringContaining('channelthrottled'),
    });
    lab.faults.clear();
    lab.faults.add({ kind: 'expire', service: 'provider', pushService: 'wns' });
    expect(await send(computer.address)).toMatchObject({ statusCode: 410, message: 'The channel expired.' });
    lab.faults.clear();
    expect(await send(`${computer.address}x`)).toMatchObject({ statusCode: 404 });
    expect(computer.wakeUps).toEqual([]);
  });

  it('reads that a raw notification for a device that is away was dropped', async () => {
    const computer = await device('wns');
    await computer.leave();
    const headers = { 'X-WNS-RequestForStatus': 'true' };
    expect(await send(computer.address, { headers })).toMatchObject({
      headers: { 'x-wns-notificationstatus': 'dropped', 'x-wns-deviceconnectionstatus': 'disconnected' },
    });
  });

  it('reads that its secret is wrong', async () => {
    const computer = await device('wns');
    expect(await send(computer.address, { secret: 'wrong' })).toMatchObject({ statusCode: 400, message: expect.stringContaining('invalid_client') });
  });
});
