import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import axios from 'axios';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { fetch as undiciFetch } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { type ConnectedApp, connectedApp } from '../support/connected-app.ts';
import { serverCertificates } from '../support/server-certificates.ts';

const HOST = 'wiki.example.com';
const MIB = 1_048_576;
const MUCH_MIB = sized(24, 64);

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listening(server: Server | TcpServer): Promise<number> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener): Promise<number> => listening(createServer(listener));

async function authorized(seed: string, tls = {}): Promise<ConnectedApp> {
  const app = await connectedApp(seed, tls);
  closers.push(() => app.runtime.close());
  await app.authorize();
  return app;
}

/** A server with TLS of a company, and an app that trusts that company. */
async function secureServer(listener: RequestListener, name = HOST): Promise<{ readonly port: number; readonly ca: string; readonly server: Server }> {
  const certificates = await serverCertificates();
  const server = createTlsServer(await certificates.issue(name), listener);
  return { port: await listening(server), ca: certificates.rootPem, server };
}

const text: RequestListener = (_request, response) => void response.end('behind the firewall');

describe('fetch of the runtime', () => {
  it('reads a page over TLS inside of the connection, and refuses another certificate', async () => {
    const { port, ca } = await secureServer(text);
    const app = await authorized('fetch tls', { ca });
    const page = await app.runtime.fetch(`https://${HOST}:${port}/`);
    expect([page.status, await page.text()]).toEqual([200, 'behind the firewall']);
    expect(app.way.asked).toEqual([`${HOST}:${port}`]);
    // Another name than the one of the certificate, and an authority that the app does not trust.
    await expect(app.runtime.fetch(`https://other.example.com:${port}/`)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    const stranger = await authorized('stranger');
    await expect(stranger.runtime.fetch(`https://${HOST}:${port}/`)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });

  it('gives up on a server that does not answer TLS, or closes within it', async () => {
    const silent = await listening(createTcpServer(() => {}));
    const rude = await listening(createTcpServer((socket) => socket.once('data', () => socket.end())));
    const app = await authorized('no tls');
    const failing = app.runtime.fetch(`https://${HOST}:${silent}/`);
    failing.catch(() => {});
    await expect.poll(() => app.way.counted.sent).toBeGreaterThan(0);
    await app.clock.advance(30_001);
    await expect(failing).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
    await expect(app.runtime.fetch(`https://${HOST}:${rude}/`)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    await expect.poll(() => app.way.sockets.size).toBe(0);
  });

  it('takes requests of the platform and of undici, with bodies', async () => {
    const port = await http(async (request, response) => {
      const body = await Readable.from(request).toArray();
      response.end(`${request.method} ${request.headers['x-part']} ${Buffer.concat(body)}`);
    });
    const app = await authorized('fetch requests');
    const url = `http://${HOST}:${port}/`;
    const request = new Request(url, { method: 'PUT', headers: { 'x-part': '7' }, body: 'content' });
    expect(await (await app.runtime.fetch(request)).text()).toBe('PUT 7 content');
    expect(await (await app.runtime.fetch(new URL(url), { method: 'POST', body: 'more' })).text()).toBe('POST undefined more');
  });

  it('keeps cookies in the container: through redirects, over a restart, for their host, and not for others', async () => {
    const seen: (string | undefined)[] = [];
    const port = await http((request, response) => {
      seen.push(request.headers.cookie);
      if (request.url === '/login')
        response.writeHead(302, { location: '/home', 'set-cookie': ['kept=1; Max-Age=1000', 'session=2', `long=${'x'.repeat(4_096)}`] });
      response.end();
    });
    const app = await authorized('cookies');
    await app.runtime.fetch(`http://${HOST}:${port}/login`);
    await app.runtime.fetch(`http://other.example.com:${port}/`);
    await app.runtime.fetch(`http://${HOST}:${port}/`, { credentials: 'omit' });
    await app.runtime.fetch(`http://${HOST}:${port}/`, { headers: { Cookie: 'own=3' } });
    expect(seen).toEqual([undefined, 'kept=1; session=2', undefined, undefined, 'own=3; kept=1; session=2']);
    await app.runtime.close();
    seen.length = 0;
    const again = await app.restart();
    closers.push(() => again.runtime.close());
    await again.runtime.fetch(`http://${HOST}:${port}/`);
    expect(seen).toEqual(['kept=1']);
  });

  it('rejects with what is wrong', async () => {
    const app = await connectedApp('fetch errors');
    closers.push(() => app.runtime.close());
    const port = await http(text);
    await expect(app.runtime.fetch(`http://${HOST}:${port}/`)).rejects.toMatchObject({ code: 'ERR_APP_NOT_AUTHORIZED' });
    await app.authorize();
    await expect(app.runtime.fetch(`http://denied.example.com:${port}/`)).rejects.toMatchObject({ code: 'ERR_CONNECTION_DENIED' });
    await expect(app.runtime.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'ERR_CONNECTION_DENIED' });
    expect(app.way.asked).toEqual([]);
    const gone = createTcpServer();
    const nobody = await listening(gone);
    gone.close();
    await once(gone, 'close');
    await expect(app.runtime.fetch(`http://${HOST}:${nobody}/`)).rejects.toMatchObject({ code: 'ERR_CONNECTION_TARGET' });
    await expect(app.runtime.fetch(`http://${HOST}:${port}/`, { signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more');
  });

  it('fails a running body when the way breaks, and when the caller gives up', async () => {
    let closed = 0;
    const port = await http((_request, response) => {
      response.write('first');
      response.once('close', () => {
        closed += 1;
      });
    });
    const app = await authorized('fetch broken');
    const body = (await app.runtime.fetch(`http://${HOST}:${port}/`)).body?.getReader();
    await body?.read();
    app.way.breakAll();
    await expect(body?.read()).rejects.toMatchObject({ cause: { code: 'ERR_CONNECTION_LOST' } });
    const abort = new AbortController();
    const other = (await app.runtime.fetch(`http://${HOST}:${port}/`, { signal: abort.signal })).body?.getReader();
    await other?.read();
    abort.abort(new Error('enough'));
    await expect(other?.read()).rejects.toThrow('enough');
    await expect.poll(() => closed).toBe(2);
  });

  it('ends what runs, and starts nothing, while the app is blocked and once it is wiped', async () => {
    const port = await http((request, response) => (request.url === '/slow' ? void response.write('first') : void response.end('quick')));
    const app = await authorized('fetch locked');
    const url = `http://${HOST}:${port}`;
    const body = (await app.runtime.fetch(`${url}/slow`)).body?.getReader();
    await body?.read();
    const socket = await app.runtime.connect({ host: HOST, port });
    const ended = once(socket, 'close').catch((error) => error);
    const failed = once(socket, 'error');
    await app.runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'closed' });
    await expect(body?.read()).rejects.toMatchObject({ cause: { code: 'ERR_APP_LOCKED' } });
    expect((await failed)[0]).toMatchObject({ code: 'ERR_APP_LOCKED' });
    await ended;
    await expect(app.runtime.fetch(url)).rejects.toMatchObject({ code: 'ERR_APP_LOCKED' });
    await expect(app.runtime.connect({ host: HOST, port })).rejects.toMatchObject({ code: 'ERR_APP_LOCKED' });
    await app.runtime.executeUnblock('audit');
    expect(await (await app.runtime.fetch(url)).text()).toBe('quick');
    await app.runtime.wipe();
    await expect(app.runtime.fetch(url)).rejects.toMatchObject({ code: 'ERR_APP_WIPED' });
    await expect.poll(() => app.way.sockets.size).toBe(0);
  });
});

describe('the dispatcher and the agents', () => {
  it('carry undici, axios and ws, over TLS too', async () => {
    const { port, ca, server } = await secureServer((request, response) => {
      response.write(`hello ${request.headers['user-agent']?.split('/')[0]}`);
      if (request.url !== '/slow') response.end();
    });
    const sockets = new WebSocketServer({ server });
    closers.push(() => sockets.close());
    sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
    const { runtime } = await authorized('clients', { ca });
    const url = `https://${HOST}:${port}/`;
    expect(await (await undiciFetch(url, { dispatcher: runtime.dispatcher })).text()).toBe('hello undici');
    expect((await axios.get(url, { httpsAgent: runtime.httpsAgent, proxy: false })).data).toBe('hello axios');
    await expect(axios.get(`https://other.example.com:${port}/`, { httpsAgent: runtime.httpsAgent, proxy: false })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
    });

    const socket = new WebSocket(`wss://${HOST}:${port}/`, { agent: runtime.httpsAgent });
    await once(socket, 'open');
    const sent = randomBytes(MIB);
    socket.send(sent);
    const [echoed] = await once(socket, 'message');
    expect(Buffer.compare(echoed, sent)).toBe(0);
    const body = (await runtime.fetch(`${url}slow`)).body?.getReader();
    await body?.read();
    const gone = once(socket, 'close');
    await runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'closed' });
    expect((await gone)[0]).toBe(1_006);
    await expect(body?.read()).rejects.toMatchObject({ cause: { code: 'ERR_APP_LOCKED' } });
    await expect(axios.get(url, { httpsAgent: runtime.httpsAgent, proxy: false })).rejects.toMatchObject({ code: 'ERR_APP_LOCKED' });
  });

  it('carry plain HTTP through an agent, and the fetch that Node comes with', async () => {
    const port = await http(text);
    const { runtime } = await authorized('plain');
    expect((await axios.get(`http://${HOST}:${port}/`, { httpAgent: runtime.httpAgent, proxy: false })).data).toBe('behind the firewall');
    const options = { dispatcher: runtime.dispatcher } as unknown as RequestInit;
    expect(await (await fetch(`http://${HOST}:${port}/`, options)).text()).toBe('behind the firewall');
  });
});

describe('connect', () => {
  it('is a socket that tls.connect takes, half-closes and times out', async () => {
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      const parts: Buffer[] = [];
      socket.on('data', (part) => void parts.push(part));
      socket.on('end', () => socket.end(`heard ${Buffer.concat(parts)}`));
    });
    const port = await listening(server);
    const app = await authorized('half-close');
    const socket = await app.runtime.connect({ host: HOST, port });
    socket.end('all');
    expect(String(Buffer.concat(await socket.toArray()))).toBe('heard all');
    await expect.poll(() => app.way.sockets.size).toBe(0);

    const idle = await app.runtime.connect({ host: HOST, port });
    const timedOut = once(idle, 'timeout');
    idle.setTimeout(5_000);
    await app.clock.advance(5_001);
    await timedOut;
    idle.destroy();
    await expect.poll(() => app.way.sockets.size).toBe(0);

    const { port: secure, ca } = await secureServer(text);
    const inside = connectTls({ socket: await app.runtime.connect({ host: HOST, port: secure }), servername: HOST, ca });
    await once(inside, 'secureConnect');
    inside.end(`GET / HTTP/1.1\r\nhost: ${HOST}\r\nconnection: close\r\n\r\n`);
    expect(String(Buffer.concat(await inside.toArray()))).toContain('behind the firewall');
    await expect(app.runtime.connect({ host: HOST, port }, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');

    const left = await app.runtime.connect({ host: HOST, port });
    const failed = once(left, 'error');
    await app.runtime.close();
    expect((await failed)[0]).toMatchObject({ code: 'ERR_USAGE_STATE' });
    await expect(app.runtime.connect({ host: HOST, port })).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });

  it('carries a mail of nodemailer', async () => {
    const mails: string[] = [];
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, _session, done) =>
        void stream.toArray().then((parts) => {
          mails.push(String(Buffer.concat(parts)));
          done();
        }, done),
    });
    const port = await listening(smtp.server);
    const app = await authorized('mail');
    const connection = await app.runtime.connect({ host: 'smtp.example.com', port });
    const mailer = createTransport({ host: 'smtp.example.com', port, connection, ignoreTLS: true });
    await mailer.sendMail({ from: 'ada@example.com', to: 'bob@example.com', subject: 'Hello', text: 'over the connection of the app' });
    mailer.close();
    expect(mails).toEqual([expect.stringContaining('over the connection of the app')]);
  });

  it(`carries ${MUCH_MIB} MiB up and down, and holds no more than a little of it while the reader pauses`, async () => {
    const content = randomBytes(MUCH_MIB * MIB);
    const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const port = await http(async (request: IncomingMessage, response: ServerResponse) => {
      if (request.method === 'GET') return void response.end(content);
      const sum = createHash('sha256');
      for await (const part of request) sum.update(part);
      response.end(sum.digest('hex'));
    });
    const app = await authorized('large');
    const url = `http://${HOST}:${port}/`;
    const download = await app.runtime.fetch(url);
    const reader = (download.body as ReadableStream<Uint8Array>).getReader();
    const sum = createHash('sha256');
    let read = 0;
    let most = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      read += value.length;
      sum.update(value);
      most = Math.max(most, app.way.counted.received - read);
      // The rest of the process has its turn, so that whatever reads ahead does.
      if (read % (8 * MIB) < value.length) for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    }
    expect([read, sum.digest('hex')]).toEqual([MUCH_MIB * MIB, hash(content)]);
    expect(most).toBeLessThan(MIB);

    let pulled = 0;
    let ahead = 0;
    const upload = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (pulled === content.length) return controller.close();
          controller.enqueue(content.subarray(pulled, pulled + 65_536));
          pulled += 65_536;
          ahead = Math.max(ahead, pulled - app.way.counted.sent);
        },
      },
      { highWaterMark: 0 },
    );
    expect(await (await app.runtime.fetch(url, { method: 'POST', body: upload, duplex: 'half' })).text()).toBe(hash(content));
    expect(ahead).toBeLessThan(MIB);
  });
});
