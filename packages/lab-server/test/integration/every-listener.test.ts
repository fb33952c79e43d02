import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { proxySessionInitiator, secret } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { LISTENERS, type ListenerName } from '../../src/data/lab-addresses.ts';
import { toPem } from '../../src/data/pem.ts';
import { type RoleFile, type RoleFiles, readRoleFiles } from '../../src/data/role-file.ts';
import { type LabServer, makeLab, startLabServer } from '../../src/lab-server.ts';
import { openSmtpSink } from '../../src/mail/smtp-sink.ts';
import { providerClient } from '../../src/node/provider-client.ts';
import { type RoleServer, startRoleServer } from '../../src/role-server.ts';
import { listInbox } from '../../src/state/inbox.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { basic } from '../support/admin-lab.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
import { pageApp, rawApp } from '../support/noc-client.ts';
import { openssl } from '../support/openssl.ts';
import { Pipelined } from '../support/pipelined.ts';
import { ask } from '../support/raw-client.ts';

/** Byte strings for each listener. */
const COUNT = sized(800, 10_000);
/** Requests that are on their way at once. */
const BATCH = 25;
/** Of them, how many come in place of TLS, and how many in place of HTTP inside TLS; each needs a connection of its own. */
const IN_PLACE_OF_TLS = 50;
const IN_PLACE_OF_HTTP = 25;
/** At the NOC: strings in place of frames of the TLS stream, which end it; the others come as messages of WebSockets. */
const IN_PLACE_OF_FRAMES = 250;
const FRAME = { 'content-type': 'application/vnd.uemkit.frame' };

let folder: string;
let files: RoleFiles;
let lab: LabServer;
/** Have the links of the roles, which a lab in one process does without. */
let alone: readonly RoleServer[];
let device: LabDevice;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'every-listener-'));
  lab = await startLabServer({ folder: join(folder, 'lab'), connectivityNode: true });
  files = readRoleFiles(join(folder, 'lab')) as RoleFiles;
  const ports = { clock: systemClock(), crypto: nodeCrypto(), entropy: nodeEntropy() };
  const other = await makeLab({ folder: join(folder, 'other') }, ports);
  alone = await Promise.all((['infrastructure', 'noc', 'uem'] as const).map((role) => startRoleServer({ file: other[role], folder: join(folder, role) })));
  const shown = ({ root, key, certificate }: RoleFile): Peer => ({ ca: root, key, cert: certificate });
  linkPeers = { infrastructureLink: shown(other.uem), nocLink: shown(other.uem), uemLink: shown(other.noc), nodes: shown(other['connectivity-node']) };
  const user = await lab.admin.createUser({ username: 'alice' });
  const { content } = await lab.admin.createQrCode(user.guid);
  device = new LabDevice(overHttps(lab.connection));
  expect(await device.activate(qrSecret(content))).toMatchObject({ status: 'activated' });
});
afterAll(async () => {
  await Promise.all([lab, ...alone].map((one) => one.close()));
  rmSync(folder, { recursive: true, force: true });
});

interface Peer {
  readonly ca: string;
  readonly key?: string;
  readonly cert?: string;
}
let linkPeers: Readonly<Partial<Record<ListenerName, Peer>>>;

const portOf = (name: ListenerName): number =>
  linkPeers[name] === undefined
    ? files.uem.place.ports[name]
    : Number(
        alone
          .flatMap(({ addresses }) => addresses[name] ?? [])[0]
          ?.split(':')
          .at(-1),
      );

/** Who knocks: a listener with mutual TLS shows its HTTP to nobody else. */
function peerOf(name: ListenerName): Peer {
  const { ca } = lab.connection;
  const linkPeer = linkPeers[name];
  if (linkPeer !== undefined) return linkPeer;
  return name === 'devices' ? { ca, key: device.keyPem, cert: toPem('CERTIFICATE', device.certificate) } : { ca };
}

type Judge = (status: number, body: Uint8Array) => void;

/** No frame, or a frame that is refused; never the answer to something that was understood. */
const refusedFrame: Judge = (status, body) => {
  if (status === 400) return;
  expect(status).toBe(200);
  expect(wire.peekFrameName(body)).toBe('alert');
};
const is =
  (...expected: readonly number[]): Judge =>
  (status) =>
    expect(expected).toContain(status);

interface Target {
  readonly paths: readonly string[];
  readonly headers: () => Readonly<Record<string, string>>;
  readonly judge: Judge;
}

/** What reads the bodies at each listener, and what it may say to them. */
const TARGETS: Readonly<Record<Exclude<ListenerName, 'providers' | 'noc' | 'nodes'>, Target>> = {
  infrastructure: { paths: ['/uemkit/1/discovery'], headers: () => FRAME, judge: refusedFrame },
  infrastructureLink: { paths: ['/uemkit/1/registrations', '/uemkit/1/notifications'], headers: () => FRAME, judge: refusedFrame },
  activation: { paths: ['/uemkit/1/activation'], headers: () => FRAME, judge: refusedFrame },
  devices: { paths: ['/uemkit/1/device'], headers: () => FRAME, judge: refusedFrame },
  signedDevices: { paths: ['/uemkit/1/device'], headers: () => ({ ...FRAME, ...randomSignature() }), judge: is(401) },
  admin: {
    paths: ['/TENANT/api/v1/users', '/TENANT/api/v1/deviceGroups', '/lab/v1/faults'],
    headers: () => ({ ...basic(lab.connection.administrator.username, lab.connection.administrator.password), 'content-type': 'application/json' }),
    judge: is(400),
  },
  nocLink: { paths: ['/uemkit/1/accessKeys', '/uemkit/1/tenants'], headers: () => FRAME, judge: refusedFrame },
  uemLink: { paths: ['/uemkit/1/setUp', '/uemkit/1/envelopes', '/uemkit/1/proxies'], headers: () => FRAME, judge: refusedFrame },
  // To text in UTF-8 the answer is that the token is not valid: there is none.
  proxyServices: {
    paths: ['/verifyGDAuthToken', '/', '/GNP1.0?method=notify', '/GNP1.0?method=checkToken'],
    headers: () => ({}),
    judge: is(200, 400, 404, 405),
  },
  // Frames come on WebSockets there; they have a test of their own below.
  notification: { paths: ['/uemkit/1/push'], headers: () => FRAME, judge: is(404) },
};

const random = seededEntropy('random bytes at every listener');
const FRAME_TYPES = Object.values(wire.FRAME_TYPES);

/** Two of three look like frames at first sight, so that the parts behind the header get their share. */
function bytes(round: number): Uint8Array {
  const body = random.randomBytes(1 + random.below(120));
  if (round % 3 !== 0 && body.length >= 8) body.set([1, FRAME_TYPES[round % FRAME_TYPES.length] as number, 0, 0, 0, 0, 0, body.length - 8]);
  return body;
}

const base64 = (length: number): string => Buffer.from(random.randomBytes(length)).toString('base64');
function randomSignature(): Readonly<Record<string, string>> {
  return {
    'signature-input': `sig=${base64(30)}`,
    signature: `sig=:${base64(64)}:`,
    'client-cert': `:${base64(90)}:`,
    'content-digest': `sha-256=:${base64(32)}:`,
  };
}

/** Bytes where TLS belongs, or where HTTP belongs; resolves when the listener has let go of the connection. */
function inPlace(of: 'TLS' | 'HTTP', name: ListenerName): Promise<void> {
  const sent = random.randomBytes(1 + random.below(300));
  return new Promise((resolve) => {
    const options = { port: portOf(name), host: '127.0.0.1' };
    const socket = of === 'TLS' ? connectTcp(options, () => socket.end(sent)) : connectTls({ ...options, ...peerOf(name) }, () => socket.end(sent));
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
  });
}

async function knock(name: ListenerName): Promise<void> {
  for (let sent = 0; sent < IN_PLACE_OF_TLS; sent += 25) await Promise.all(Array.from({ length: 25 }, () => inPlace('TLS', name)));
  for (let sent = 0; sent < IN_PLACE_OF_HTTP; sent += 25) await Promise.all(Array.from({ length: 25 }, () => inPlace('HTTP', name)));
}

/** Bounds a hang; each takes some seconds on a machine at rest. */
const PATIENCE_MS = 120_000;
const REST = COUNT - IN_PLACE_OF_TLS - IN_PLACE_OF_HTTP;

describe('TLS', () => {
  it.each(LISTENERS)('of %s is 1.3 only, with a certificate of the lab', async (name) => {
    const ca = join(folder, `${name}.pem`);
    writeFileSync(ca, peerOf(name).ca);
    const connect = `127.0.0.1:${portOf(name)}`;
    const modern = await openssl('s_client', '-connect', connect, '-tls1_3', '-CAfile', ca, '-verify_return_error', '-verify_ip', '127.0.0.1', '-brief');
    expect(modern.text).toMatch(/TLSv1\.3[\s\S]*Verification: OK/);
    const old = await openssl('s_client', '-connect', connect, '-no_tls1_3', '-brief');
    expect(old.ok).toBe(false);
    expect(old.text).toMatch(/alert protocol version/);
  });
});

describe(`${COUNT} random byte strings leave a listener as it was`, { timeout: PATIENCE_MS }, () => {
  it.each(LISTENERS.filter((name): name is keyof typeof TARGETS => name !== 'providers' && name !== 'noc' && name !== 'nodes'))('%s', async (name) => {
    const { paths, headers, judge } = TARGETS[name];
    await knock(name);
    const connection = new Pipelined({ port: portOf(name), ...peerOf(name) });
    for (let round = 0; round < REST; round += BATCH) {
      const path = paths[(round / BATCH) % paths.length]?.replace('TENANT', lab.connection.tenantId) as string;
      const bodies = Array.from({ length: BATCH }, (_, index) => bytes(round + index));
      for (const { status, body } of await connection.post(path, headers(), bodies)) judge(status, body);
    }
    connection.close();
    await asBefore();
  });

  it('nodes', async () => {
    await knock('nodes');
    await asBefore();
  });

  it('noc', async () => {
    await knock('noc');
    const { noc, ca } = lab.connection;
    const raw = async (round: number): Promise<void> => {
      const app = await rawApp(portOf('noc'), ca);
      app.socket.end(bytes(round));
      for (let answer = await app.next(); answer !== undefined; answer = await app.next()) expect(answer.name).toBe('alert');
    };
    for (let round = 0; round < IN_PLACE_OF_FRAMES; round += BATCH) await Promise.all(Array.from({ length: BATCH }, (_, index) => raw(round + index)));
    // Each message has its answer; a connection ends behind so and so many.
    const pages = async (from: number, count: number): Promise<void> => {
      let app = await pageApp(noc, ca);
      for (let round = from; round < from + count; round++) {
        app.send(bytes(round));
        let answer = await app.next();
        if (answer === undefined) {
          app = await pageApp(noc, ca);
          app.send(bytes(round));
          answer = await app.next();
        }
        expect(answer?.name).toBe('alert');
      }
      app.close();
    };
    const each = Math.ceil((REST - IN_PLACE_OF_FRAMES) / BATCH);
    await Promise.all(Array.from({ length: BATCH }, (_, index) => pages(index * each, each)));
    await asBefore();
  });

  it('Direct Connect of the Connectivity Node (F11.2)', async () => {
    await lab.connectivityNode?.ready;
    const [proxy] = lab.admin.proxies();
    const place = { host: '127.0.0.1', port: proxy?.port as number };
    const straight = { ...place, ca: lab.connection.ca, ALPNProtocols: ['uemkit-dc/1'] };
    /** What came back until the listener let go of the connection, which has all of its strings then, or has cut it off before. */
    const talk = (socket: Socket, ready: string, from: number, count: number): Promise<Buffer> =>
      new Promise((resolve) => {
        const answers: Buffer[] = [];
        socket.once(ready, () => {
          for (let round = from; round < from + count; round++) socket.write(bytes(round));
          socket.end();
        });
        socket.on('data', (chunk: Buffer) => answers.push(chunk)).on('error', () => {});
        socket.once('close', () => resolve(Buffer.concat(answers)));
      });
    const [perConnection, atOnce] = [40, 10];
    for (let from = 0; from < COUNT; from += atOnce * perConnection) {
      const many = Array.from({ length: atOnce }, (_, index) => {
        const first = from + index * perConnection;
        // Each fifth speaks no TLS at all.
        return index % 5 === 0 ? talk(connectTcp(place), 'connect', first, perConnection) : talk(connectTls(straight), 'secureConnect', first, perConnection);
      });
      const answers = await Promise.all(many);
      for (const [index, answer] of answers.entries())
        if (index % 5 !== 0 && answer.length > 0) expect(wire.peekFrameName(new Uint8Array(answer))).toBe('alert');
    }
    const told = lab.journal.entries().filter(({ service }) => service === 'dc');
    // Each was told of, and ended without a session.
    expect(new Set(told.map(({ request, answer }) => `${request} ${answer}`))).toEqual(new Set(['session broken', 'connection closed']));
    expect((await stranger(straight)).name).toBe('alert');
    await asBefore();
  });

  it('providers', async () => {
    await knock('providers');
    const { origin, credentials } = lab.providers;
    const { key, certificate: cert } = credentials.apns;
    const session = connectHttp2(origin, { ca: lab.connection.ca, key, cert });
    const paths = [`/3/device/${'a'.repeat(64)}`, `/v1/projects/${credentials.fcm.projectId}/messages:send`, '/token', '/accesstoken.srf', '/bb10/1/pushes'];
    const post = (path: string, body: Uint8Array): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':method': 'POST', ':path': path });
        stream.once('response', (answer) => resolve(Number(answer[':status'])));
        stream.once('error', reject);
        stream.resume().end(body);
      });
    for (let round = 0; round < REST; round += BATCH) {
      const many = Array.from({ length: BATCH }, (_, index) => post(paths[(round + index) % paths.length] as string, bytes(round + index)));
      for (const status of await Promise.all(many)) expect([400, 401, 403, 404]).toContain(status);
    }
    session.destroy();
    await asBefore();
  });

  it('the mail host of the lab', async () => {
    const store = new MemoryStore();
    const sink = await openSmtpSink({ clock: systemClock(), entropy: nodeEntropy(), store });
    const { port, username: user, password: pass } = sink.settings;
    const lines = 25;
    const talk = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = connectTcp({ port, host: '127.0.0.1' });
        // Who speaks before the host is sent away before anything is read.
        socket.once('data', () =>
          socket.end(Buffer.concat(Array.from({ length: lines }, (_, round) => Buffer.concat([bytes(round * 3), Buffer.from('\r\n')])))),
        );
        socket.on('error', () => {}).on('close', () => resolve());
        socket.resume();
      });
    for (let sent = 0; sent < COUNT; sent += lines * 16) await Promise.all(Array.from({ length: 16 }, talk));
    expect(store.read((view) => listInbox(view, { limit: 1 }))).toEqual([]);
    const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, auth: { user, pass: pass as string } });
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'hello' });
    expect(store.read((view) => listInbox(view, { limit: 2 }))).toHaveLength(1);
    await sink.close();
  });
});

/** An honest M1 of Direct Connect, of an app that UEM does not know: UEM is asked, and the answer comes. */
async function stranger(straight: { readonly port: number; readonly ca: string; readonly ALPNProtocols: string[] }): Promise<wire.Frame> {
  const crypto = nodeCrypto();
  const [proxy] = lab.admin.proxies() as readonly [ReturnType<LabServer['admin']['proxies']>[number]];
  const binding = { kind: 'tls-exporter', value: new Uint8Array(32) } as const;
  const instanceId = new Uint8Array(16);
  const machine = proxySessionInitiator({
    ...{
      crypto,
      entropy: nodeEntropy(),
      sessionKeyId: new Uint8Array(16),
      psk: secret<'psk'>(new Uint8Array(32).fill(1)),
      responderStaticKey: proxy.keyExchangeKey,
    },
    binding: {
      name: 'dc',
      prologue: {
        tenantId: lab.connection.tenantId,
        proxyId: proxy.proxyId,
        instanceId,
        keyExchangeKey: proxy.keyExchangeKey,
        binding,
        serverKeyHash: binding.value,
      },
    },
  });
  const app = await rawApp(straight.port, straight.ca, { alpn: straight.ALPNProtocols });
  for (const effect of machine.handle({ type: 'start' }, 0)) if (effect.type === 'send') app.send(effect.frame);
  const answer = await app.next();
  app.close();
  return answer as wire.Frame;
}

/** Everything answers as ever, nothing came of the bytes, and none of them met a bug. */
async function asBefore(): Promise<void> {
  const { ca, admin, tenantId, notification } = lab.connection;
  expect((await device.poll()).name).toBe('idle');
  expect((await device.discover('alice')).activationAddress).toBe(lab.connection.activation);
  expect((await ask(`${admin}/${tenantId}/api/v1/util/ping`, { ca })).status).toBe(200);
  expect([...lab.admin.devices()].map(({ deviceId }) => deviceId)).toEqual([device.deviceId]);
  expect([[...lab.admin.users()].length, lab.faults.list(), lab.pushConnections]).toEqual([1, [], 0]);
  const app = await rawApp(portOf('noc'), ca);
  app.send(wire.nocVerify.encode({ userId: 'alice', accessKeyHash: new Uint8Array(32), appId: 'a', instanceId: new Uint8Array(16) }));
  expect(wire.alert.decode((await app.next()) as wire.Frame)).toEqual({ code: 'authFailed' });
  app.close();
  const { key, certificate } = lab.providers.credentials.apns;
  const sender = providerClient({ origin: lab.providers.origin, root: ca, key, certificate });
  const unknown = { method: 'POST', target: `/3/device/${'a'.repeat(64)}`, headers: {}, body: '{"mdm":"x"}', certificate: true } as const;
  expect(await sender.request(unknown)).toMatchObject({ status: 400, body: '{"reason":"BadDeviceToken"}' });
  sender.close();
  const socket = new WebSocket(`wss://${notification}/uemkit/1/push`, ['uemkit.push.1'], { ca });
  const registered = new Promise<wire.Frame>((resolve) => socket.once('message', (data: Buffer) => resolve(wire.parseFrame(new Uint8Array(data)))));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(wire.pushRegister.encode({ service: 'fcm' }));
  expect((await registered).name).toBe('pushRegistered');
  socket.close();
  await expect.poll(() => lab.pushConnections).toBe(0);
  for (const { journal } of [lab, ...alone]) expect(journal.entries().filter(({ answer }) => answer === '500')).toEqual([]);
}
