import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, type LabServer, startLab, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, memoryLink, seededEntropy } from '@uemkit/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appEndpoint } from '../../src/apps/index.ts';
import { listenForApps, nodeTransport } from '../../src/node/index.ts';
import { appLink, askingApp, CHAT_ID, CLIENT_ID, EVIL_ID, MAIL_APP, MAIL_ID } from '../support/asking-app.ts';
import { type LabDevice, labDevice } from '../support/lab-device.ts';

const USER = 'alice@example.com';
const crypto = nodeCrypto();
/** Every app may ask: what stands here is what UEM says. */
const apps = appEndpoint({ platformId: CLIENT_ID, mayAsk: () => true });

async function withApps({ admin }: Pick<Lab, 'admin'>): Promise<string> {
  const { guid } = await admin.createUser({ username: USER });
  const mail = await admin.createApplication({ applicationId: MAIL_APP, name: 'Mail', version: '1', platforms: ['ANDROID'], platformIds: [MAIL_ID] });
  await admin.createApplication({ applicationId: 'com.example.chat', name: 'Chat', version: '1', platforms: ['ANDROID'], platformIds: [CHAT_ID] });
  await admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: mail.guid }, 'OPTIONAL');
  return (await admin.createQrCode(guid)).content;
}

describe('access keys of a lab in virtual time (F3.3 to F3.6)', () => {
  let clock: FakeClock;
  let lab: Lab;
  let device: LabDevice;
  let connections = 0;

  beforeEach(async () => {
    clock = fakeClock(Date.UTC(2026, 0, 15));
    lab = await startLab({ clock, crypto, entropy: seededEntropy('lab'), cost: { N: 16_384, r: 8, p: 1 } });
    device = labDevice({ clock, crypto, apps, transport: () => lab.transport() });
    await device.client.open();
    const content = await withApps(lab);
    await clock.hold(device.client.activate({ kind: 'qr', content }));
  });

  afterEach(async () => {
    await device.client.close();
    await lab.close();
  });

  /** How app and client ended; two apps of one seed ask with one nonce. */
  async function asks({ platformId = MAIL_ID, appId = MAIL_APP, seed = `app ${connections}` } = {}): Promise<string[]> {
    const link = memoryLink({ clock, entropy: seededEntropy(`link ${connections++}`) });
    const outcome = device.client.acceptApp(link.responder, platformId).then(
      () => 'done',
      ({ code, step }: { code: string; step: string }) => `${code} ${step}`,
    );
    const app = askingApp({ clock, entropy: seededEntropy(seed), link: link.initiator, platformId, appId });
    await clock.advance(40_000);
    return [await app.outcome, await outcome];
  }

  it('are for the app of the catalogue that is assigned to the user', async () => {
    expect(await asks()).toEqual(['done', 'done']);
    expect(
      lab.journal
        .entries()
        .filter(({ step }) => step === 'F3.5')
        .map(({ request }) => request),
    ).toContain('accessKeyForward');
  });

  it.each<[string, Parameters<typeof asks>[0]]>([
    ['the package of the app under another signature', { platformId: EVIL_ID }],
    ['an app that says it is another one', { platformId: CHAT_ID }],
    ['an app that is not assigned', { platformId: CHAT_ID, appId: 'com.example.chat' }],
  ])('are not for %s', async (_what, app) => {
    expect(await asks(app)).toEqual(['ERR_PEER_ALERT', 'ERR_PEER_ALERT F3.5']);
    expect(await asks()).toEqual(['done', 'done']);
  });

  it('come once for a nonce', async () => {
    expect(await asks({ seed: 'same' })).toEqual(['done', 'done']);
    expect(await asks({ seed: 'same' })).toEqual(['ERR_PEER_ALERT', 'ERR_PEER_ALERT F3.5']);
  });

  it('come when UEM can be reached again', async () => {
    lab.faults.add({ kind: 'drop', service: 'device' });
    expect((await asks())[0]).toBe('ERR_REJECTED_BUSY');
    expect(device.client.state).toBe('active');
    lab.faults.clear();
    expect(await asks()).toEqual(['done', 'done']);
  });

  it('come no more for a device that was removed, which learns it', async () => {
    device.client.start();
    await clock.settle();
    await lab.admin.removeDevice(device.client.deviceId as string);
    expect((await asks())[0]).toMatch(/^ERR_(PEER_ALERT|TRANSPORT_CLOSED)$/);
    expect(['revoked', 'unknown']).toContain(device.client.state);
  });
});

describe('access keys over real sockets', () => {
  let lab: LabServer;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'app-keys-'));
    lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 } });
  });

  afterEach(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
  });

  it('go from UEM over mutual TLS and a Unix socket to the app', async () => {
    const clock = systemClock();
    const device = labDevice({ clock, crypto, apps, transport: (keyStore) => nodeTransport({ keyStore }) });
    await device.client.open();
    await device.client.activate({ kind: 'qr', content: await withApps(lab) });
    const path = join(folder, 'apps', 'uem.sock');
    const listener = await listenForApps({ client: device.client, path, identity: { identify: async () => MAIL_ID } });
    const socket = connect(path);
    const app = askingApp({ clock, entropy: nodeEntropy(), link: appLink(socket) });
    expect(await app.outcome).toBe('done');
    expect(await app.record()).toMatchObject({ userId: USER, device: { deviceId: device.client.deviceId } });
    socket.destroy();
    await listener.close();
    await device.client.close();
  });
});
