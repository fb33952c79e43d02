import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { toPem } from '../../src/data/pem.ts';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
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
beforeEach(() => lab.faults.clear());

const portOf = (address: string): number => Number(new URL(address.startsWith('https:') ? address : `https://${address}`).port);

function openssl(...args: string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  return new Promise((resolve) => {
    const child = execFile('openssl', args, (error, stdout, stderr) => resolve({ ok: error === null, text: stdout + stderr }));
    child.stdin?.end();
  });
}

describe('as openssl sees it', () => {
  it.each(['infrastructure', 'activation', 'devices', 'admin', 'notification'] as const)(
    '%s speaks TLS 1.3 only, with a certificate of the lab',
    async (name) => {
      const ca = join(folder, 'ca.pem');
      writeFileSync(ca, lab.connection.ca);
      const connect = `127.0.0.1:${portOf(lab.connection[name])}`;
      const modern = await openssl('s_client', '-connect', connect, '-tls1_3', '-CAfile', ca, '-verify_return_error', '-verify_ip', '127.0.0.1', '-brief');
      expect(modern.text).toMatch(/TLSv1\.3[\s\S]*Verification: OK/);
      const old = await openssl('s_client', '-connect', connect, '-no_tls1_3', '-brief');
      expect(old.ok).toBe(false);
      expect(old.text).toMatch(/alert protocol version/);
    },
  );

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

  it('applies faults: lost, late, 5xx', async () => {
    lab.faults.add({ kind: 'drop', service: 'device', count: 1 });
    await expect(device.poll()).rejects.toMatchObject({ code: 'ECONNRESET' });
    lab.faults.add({ kind: 'status', status: 502, service: 'device', count: 1 });
    await expect(device.poll()).rejects.toThrow('HTTP status 502');
    lab.faults.add({ kind: 'delay', delayMs: 20, service: 'device', count: 1 });
    expect((await device.poll()).name).toBe('idle');
    lab.faults.add({ kind: 'status', status: 503, service: 'admin', count: 1 });
    const { ca, admin, tenantId } = lab.connection;
    expect((await ask(`${admin}/${tenantId}/api/v1/util/ping`, { ca })).status).toBe(503);
    expect((await ask(`${admin}/${tenantId}/api/v1/util/ping`, { ca })).status).toBe(200);
  });

  it.each(['infrastructure', 'uem', 'notification'] as const)('restarts %s: connections break, state stays', async (role) => {
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
  /** Posts over kept connections; the status of each answer. */
  const poster = (address: string, service: string, identity: { key?: string; cert?: string } = {}) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: lab.connection.ca, ...identity });
    const post = (body: Uint8Array): Promise<{ readonly status: number; readonly frame: Uint8Array }> =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/vnd.uemkit.frame', 'content-length': body.length };
        const sent = request(`https://${address}/uemkit/1/${service}`, { agent, method: 'POST', headers }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, frame: new Uint8Array(Buffer.concat(chunks)) }));
        });
        sent.on('error', reject);
        sent.end(body);
      });
    return { post, end: () => agent.destroy() };
  };

  it('10,000 random byte strings as frames: each is 400 or an alert, and everything works as before', async () => {
    const { infrastructure, activation, devices } = lab.connection;
    const identity = { key: device.keyPem, cert: toPem('CERTIFICATE', device.certificate) };
    const posters = [poster(infrastructure, 'discovery'), poster(activation, 'activation'), poster(devices, 'device', identity)] as const;
    const random = seededEntropy('random frames over HTTPS');
    const types = Object.values(wire.FRAME_TYPES);
    const bytes = (round: number): Uint8Array => {
      const body = random.randomBytes(random.below(120));
      // Two of three look like frames at first sight, so that the parts behind the header get their share.
      if (round % 3 !== 0 && body.length >= 8) body.set([1, types[round % types.length] as number, 0, 0, 0, 0, 0, body.length - 8]);
      return body;
    };
    for (let round = 0; round < 10_000; round += 25) {
      const answers = await Promise.all(Array.from({ length: 25 }, (_, index) => posters[(round + index) % 3]?.post(bytes(round + index))));
      for (const answer of answers) {
        if (answer?.status === 400) continue;
        expect(answer?.status).toBe(200);
        expect(wire.peekFrameName(answer?.frame ?? new Uint8Array())).toBe('alert');
      }
    }
    for (const { end } of posters) end();
    expect((await device.poll()).name).toBe('idle');
    expect([...lab.admin.devices()].map(({ deviceId }) => deviceId)).toEqual([device.deviceId]);
    expect([...lab.admin.users()]).toHaveLength(1);
  });

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
