import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { toPem } from '../../src/data/pem.ts';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
import { openssl } from '../support/openssl.ts';
import { ask, sendRaw } from '../support/raw-client.ts';

let lab: LabServer;
let device: LabDevice;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uemkit-lab-'));
  lab = await startLabServer();
  const user = await lab.admin.createUser({ username: 'alice' });
  const { content } = await lab.admin.createQrCode(user.guid);
  device = new LabDevice(overHttps(lab.connection));
  expect(await device.activate(qrSecret(content))).toMatchObject({ status: 'activated' });
});
afterAll(async () => {
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

const portOf = (address: string): number => Number(new URL(address.startsWith('https:') ? address : `https://${address}`).port);

describe('as openssl sees it', () => {
  it('an issued certificate is one for clients, under the root of the lab', async () => {
    const ca = join(folder, 'ca.pem');
    const leaf = join(folder, 'device.pem');
    writeFileSync(ca, lab.connection.ca);
    writeFileSync(leaf, toPem('CERTIFICATE', device.certificate));
    expect(await openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', ca, leaf)).toEqual({ ok: true, text: `${leaf}: OK\n` });
    expect((await openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, leaf)).ok).toBe(false);
  });

  it('the device listener gives no answer without a certificate', async () => {
    const { received } = await sendRaw(
      { port: portOf(lab.connection.devices), ca: lab.connection.ca },
      'POST /uemkit/1/device HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
    );
    expect(received).toBe('');
  });
});

describe('over real sockets', () => {
  it('a lab in memory chooses free ports of the loopback address', () => {
    for (const name of ['infrastructure', 'activation', 'devices', 'notification'] as const) expect(lab.connection[name]).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
  });

  it('activation and admin REST each have a listener of their own', async () => {
    const frame = wire.poll.encode({ reason: 'schedule' });
    const { ca, activation, admin, infrastructure } = lab.connection;
    const headers = { 'content-type': 'application/vnd.uemkit.frame' };
    for (const url of [`https://${activation}/uemkit/1/device`, `https://${infrastructure}/uemkit/1/registrations`]) {
      expect((await ask(url, { ca, method: 'POST', headers, body: frame })).status).toBe(404);
    }
    expect((await ask(`${admin}/uemkit/1/activation`, { ca, method: 'POST', headers, body: frame })).status).toBe(401);
  });

  it.each(['infrastructure', 'uem', 'notification', 'noc'] as const)('restarts %s: connections break, state stays', async (role) => {
    const { ca, notification } = lab.connection;
    const socket = new WebSocket(`wss://${notification}/uemkit/1/push`, ['uemkit.push.1'], { ca });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    const registered = new Promise<wire.Frame>((resolve) => socket.once('message', (data: Buffer) => resolve(wire.parseFrame(new Uint8Array(data)))));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(wire.pushRegister.encode({ service: 'fcm' }));
    expect((await registered).name).toBe('pushRegistered');
    await lab.restart(role);
    if (role === 'notification') await closed;
    else socket.terminate();
    expect((await device.poll()).name).toBe('idle');
    expect((await device.discover('alice')).activationAddress).toBe(lab.connection.activation);
  });
});

describe('the end of a lab', () => {
  it('tells devices on push connections, and takes no longer for connections that are open', async () => {
    const other = await startLabServer();
    const { ca, notification } = other.connection;
    const socket = new WebSocket(`wss://${notification}/uemkit/1/push`, ['uemkit.push.1'], { ca });
    const names: (string | undefined)[] = [];
    socket.on('message', (data: Buffer) => void names.push(wire.peekFrameName(new Uint8Array(data))));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(wire.pushRegister.encode({ service: 'fcm' }));
    await expect.poll(() => names).toEqual(['pushRegistered']);
    await other.close();
    expect(await closed).toBe(1000);
    expect(names).toEqual(['pushRegistered', 'pushClose']);
  });
});

describe('bad input', () => {
  it('frames over the limit are 413 at each listener', async () => {
    const { infrastructure, activation, devices, ca } = lab.connection;
    const headers = { 'content-type': 'application/vnd.uemkit.frame' };
    const identity = { key: device.keyPem, cert: toPem('CERTIFICATE', device.certificate) };
    const post = (url: string, bytes: number, tls = {}) => ask(url, { ca, ...tls, method: 'POST', headers, body: new Uint8Array(bytes) });
    expect((await post(`https://${infrastructure}/uemkit/1/discovery`, 17_000)).status).toBe(413);
    expect((await post(`https://${activation}/uemkit/1/activation`, 17_000)).status).toBe(413);
    expect((await post(`https://${devices}/uemkit/1/device`, 66_000, identity)).status).toBe(413);
    expect((await post(`https://${devices}/uemkit/1/device`, 65_000, identity)).status).toBe(400);
  });
});
