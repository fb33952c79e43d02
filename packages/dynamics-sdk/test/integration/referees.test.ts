import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import axios from 'axios';
import got, { HTTPError, RequestError } from 'got';
import { Client, InvalidCredentialsError } from 'ldapts';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { lendPort } from '../../../../examples/directory/src/lent-port.ts';
import { PEOPLE, READER, SLAPD, SUFFIX, startSlapd } from '../../../../examples/directory/src/slapd.ts';
import { type NodeDynamicsRuntime, openDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { CHEAP, memoryDeviceKey, PASSWORD } from '../support/device.ts';
import { APP_ID, USER } from '../support/lab-app.ts';
import { memoryStorage } from '../support/memory-storage.ts';
import { type ServerCertificates, serverCertificates } from '../support/server-certificates.ts';

/** Clients that know nothing of the runtime, over real sockets: app, NOC and Proxy on TLS 1.3, and TLS of the app to each server inside. */
const HOST = 'localhost';
const MIB = 1_048_576;
const CONTENT = randomBytes(4 * MIB);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let lab: LabServer;
let certificates: ServerCertificates;
let runtime: NodeDynamicsRuntime;
/** `https://` of the web server. */
let site: string;
let mails: string[];
let smtpPort: number;
let ldapPort: number;
const closers: (() => unknown)[] = [];

it('has slapd as a referee (required in CI)', () => {
  if (process.env['CI'] !== undefined) expect(SLAPD).toBeDefined();
});
if (SLAPD === undefined) process.emitWarning('SKIPPED: the test of ldapts needs Debian package slapd');

async function startWeb(): Promise<number> {
  const server = createServer(await certificates.issue(HOST), async (request, response) => {
    const { method, url = '/', headers } = request;
    if (url === '/missing') return void response.writeHead(404).end('no such page');
    if (url === '/content') return void response.end(CONTENT);
    const body = Buffer.concat(await request.toArray());
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, agent: headers['user-agent'] ?? '', sha256: sha256(body), bytes: body.length }));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => (String(data) === 'bye' ? socket.close(4_001, 'as asked') : socket.send(data, { binary: isBinary })));
  });
  return listening(server);
}

async function startMail(): Promise<number> {
  mails = [];
  const smtp = new SMTPServer({
    ...(await certificates.issue(HOST)),
    allowInsecureAuth: false,
    onAuth: ({ username, password }, _session, done) => (password === 'swordfish' ? done(null, { user: username }) : done(new Error('wrong password'))),
    onData: (stream, { secure }, done) =>
      void stream.toArray().then((parts) => {
        mails.push(`${secure ? 'over TLS' : 'in clear'}\n${Buffer.concat(parts)}`);
        done();
      }, done),
  });
  return listening(smtp.server as HttpServer);
}

async function listening(server: Pick<HttpServer, 'listen' | 'address' | 'close' | 'once'>): Promise<number> {
  await once(server.listen(0, '127.0.0.1') as HttpServer, 'listening');
  closers.push(() => {
    server.close();
    if ('closeAllConnections' in server) (server as HttpServer).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  certificates = await serverCertificates();
  const webPort = await startWeb();
  smtpPort = await startMail();
  const slapd = SLAPD === undefined ? undefined : await startSlapd(await certificates.issue(HOST));
  if (slapd !== undefined) closers.push(() => slapd.close());
  ldapPort = slapd?.port ?? 1;
  site = `https://${HOST}:${webPort}`;
  lab = await startLabServer({ connectivityNode: true });
  closers.push(() => lab.close());
  const { guid } = await lab.admin.createUser({ username: USER, email: USER });
  const { guid: app } = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  const additionalServers = [{ server: HOST, route: 'PROXY', ports: [webPort, smtpPort, ldapPort] }];
  const content = { additionalServers, defaultRoute: 'DENY' };
  const { profileId } = await lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content });
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: app }, 'OPTIONAL');
  await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
  const { accessKey } = await lab.admin.createAccessKey(guid);
  runtime = await openDynamicsRuntime({
    ...{ crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() },
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
    noc: {
      address: lab.connection.noc,
      trust: { roots: [new Uint8Array(Buffer.from(lab.connection.ca.replace(/-----[^-]+-----|\s/g, ''), 'base64'))], spkiPins: [] },
    },
    transport: tlsNocTransport(),
    store: memoryStorage(),
    openStorage: () => memoryStorage(),
    deviceKey: memoryDeviceKey('referees'),
    passwordCost: CHEAP,
    tls: { ca: certificates.rootPem },
  });
  closers.push(() => runtime.close());
  expect(await runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey } })).toMatchObject({ state: 'authorized' });
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** Connections that the Proxy has opened for the app, through the NOC. */
const opened = (): number => lab.journal.entries().filter(({ service, answer }) => service === 'px' && answer === 'opened').length;

describe('clients of others through NOC and Proxy', () => {
  let before: number;
  beforeEach(() => {
    // Connections that wait for another request are none of the next test.
    runtime.httpsAgent.destroy();
    before = opened();
  });
  // What went another way has not been a test.
  afterEach(() => expect(opened()).toBeGreaterThan(before));

  it('got: JSON, streams both ways, errors with their codes', async () => {
    const client = got.extend({ agent: { https: runtime.httpsAgent }, retry: { limit: 0 } });
    expect(await client.get(`${site}/`).json()).toMatchObject({ method: 'GET', agent: 'got (https://github.com/sindresorhus/got)' });
    expect(await client.post(`${site}/`, { json: { words: 'holidays' } }).json()).toMatchObject({ method: 'POST', bytes: 20 });
    const sum = createHash('sha256');
    await pipeline(client.stream(`${site}/content`), sum);
    expect(sum.digest('hex')).toBe(sha256(CONTENT));
    const upload = client.post(`${site}/`, { body: Readable.from([CONTENT.subarray(0, MIB), CONTENT.subarray(MIB)]) });
    expect(await upload.json()).toMatchObject({ bytes: CONTENT.length, sha256: sha256(CONTENT) });
    await expect(client.get(`${site}/missing`)).rejects.toBeInstanceOf(HTTPError);
    const denied = await client.get('https://payroll.example.com/').catch((error) => error);
    expect(denied).toBeInstanceOf(RequestError);
    expect(denied).toMatchObject({ code: 'ERR_CONNECTION_DENIED', message: expect.stringContaining('payroll.example.com:443') });
  });

  it('axios: JSON up and down, and a body as bytes', async () => {
    const client = axios.create({ httpsAgent: runtime.httpsAgent, proxy: false });
    expect((await client.post(`${site}/`, { words: 'holidays' })).data).toMatchObject({ method: 'POST', bytes: 20 });
    const { data } = await client.get(`${site}/content`, { responseType: 'arraybuffer' });
    expect(sha256(data)).toBe(sha256(CONTENT));
    await expect(client.get(`${site}/missing`)).rejects.toMatchObject({ response: { status: 404 } });
  });

  it('ws: text and bytes both ways, ping, and the code of the close', async () => {
    const socket = new WebSocket(site.replace('https', 'wss'), { agent: runtime.httpsAgent });
    await once(socket, 'open');
    for (const sent of [Buffer.from('Grüße'), CONTENT.subarray(0, MIB)]) {
      socket.send(sent);
      const [heard] = await once(socket, 'message');
      expect(sha256(heard)).toBe(sha256(sent));
    }
    socket.ping('are you there');
    expect(String((await once(socket, 'pong'))[0])).toBe('are you there');
    socket.send('bye');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4_001, 'as asked']);
  });

  it('nodemailer: a pool of connections, each with STARTTLS and log-in inside, and a server that it does not believe', async () => {
    const dial = (done: (error: Error | null, socket?: { readonly connection: Socket }) => void): void =>
      void runtime.connect({ host: HOST, port: smtpPort }).then(
        (connection) => done(null, { connection }),
        (error) => done(error),
      );
    const login = { host: HOST, port: smtpPort, requireTLS: true, auth: { user: 'ada', pass: 'swordfish' } };
    const mailer = (ca: string) =>
      createTransport({ ...login, tls: { ca }, pool: true, maxConnections: 3, getSocket: (_options: unknown, done: Parameters<typeof dial>[0]) => dial(done) });
    const believed = mailer(certificates.rootPem);
    const numbers = [1, 2, 3, 4, 5, 6];
    const attachments = [{ filename: 'floor-plan', content: CONTENT.subarray(0, MIB) }];
    await Promise.all(
      numbers.map((number) => believed.sendMail({ from: 'ada@example.com', to: 'bob@example.com', subject: `Number ${number}`, text: 'Hello', attachments })),
    );
    believed.close();
    expect(mails.map((mail) => /Subject: (.*)\r/.exec(mail)?.[1]).sort()).toEqual(numbers.map((number) => `Number ${number}`));
    expect(mails.every((mail) => mail.startsWith('over TLS') && mail.length > MIB)).toBe(true);
    const stranger = mailer((await serverCertificates()).rootPem);
    await expect(stranger.sendMail({ from: 'ada@example.com', to: 'bob@example.com', text: 'Hello' })).rejects.toMatchObject({ code: 'ETLS' });
    stranger.close();
    expect(mails).toHaveLength(numbers.length);
  });

  it.skipIf(SLAPD === undefined)('ldapts: bind, search and pages at a real slapd, over TLS', async () => {
    const connected = async (ca: string): Promise<Client> => {
      const port = await lendPort(await runtime.connect({ host: HOST, port: ldapPort }));
      return new Client({ url: `ldaps://127.0.0.1:${port}`, tlsOptions: { ca, servername: HOST }, timeout: 30_000 });
    };
    const client = await connected(certificates.rootPem);
    await client.bind(READER.dn, READER.password);
    const { searchEntries } = await client.search(SUFFIX, { filter: '(mail=p7@example.com)', attributes: ['cn'] });
    expect(searchEntries).toMatchObject([{ cn: 'Person 7' }]);
    const all = await client.search(SUFFIX, { filter: '(objectClass=inetOrgPerson)', attributes: ['uid'], paged: { pageSize: 100 } });
    expect(all.searchEntries).toHaveLength(PEOPLE);
    await client.unbind();
    await expect((await connected(certificates.rootPem)).bind(READER.dn, 'wrong')).rejects.toBeInstanceOf(InvalidCredentialsError);
    const elsewhere = await serverCertificates();
    await expect((await connected(elsewhere.rootPem)).bind(READER.dn, READER.password)).rejects.toMatchObject({ code: 'CERT_SIGNATURE_FAILURE' });
  });
});
