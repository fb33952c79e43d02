import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { PeerIdentity } from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpServerOptions, listenHttps } from '../../src/node/http-server.ts';
import { LISTENER_KINDS } from '../../src/node/lab-listeners.ts';
import { LISTENER_LIMITS } from '../../src/node/limits.ts';
import type { HttpServer } from '../../src/node/listening.ts';
import { type OpensslPki, opensslPki } from '../support/openssl-pki.ts';
import { ask, sendRaw } from '../support/raw-client.ts';

let pki: OpensslPki;
let server: HttpServer;
let peers: PeerIdentity[];
let refused: string[];
let failures: unknown[];

const start = async (options: Partial<HttpServerOptions> = {}): Promise<HttpServer> => {
  server = await listenHttps({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    tls: { key: pki.server.key, certificate: pki.server.certificate },
    bodyLimit: () => 1_000,
    async handle({ method, path, query, body, peer }) {
      peers.push(peer);
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: `${method} ${path} ${query} ${body.length}` };
    },
    refused: (reason) => refused.push(reason),
    failed: (error) => failures.push(error),
    ...options,
  });
  return server;
};
const mutual = (): Partial<HttpServerOptions> => ({ tls: { key: pki.server.key, certificate: pki.server.certificate, peerRoot: pki.root } });
const url = (path = '/'): string => `https://${server.address}${path}`;

beforeAll(() => {
  pki = opensslPki();
});
afterAll(() => pki.remove());
beforeEach(() => {
  peers = [];
  refused = [];
  failures = [];
});
afterEach(async () => {
  await server.close();
  expect(failures).toEqual([]);
});

describe('a listener', () => {
  it('speaks TLS 1.3 and nothing older, as openssl sees it', async () => {
    await start();
    // The server lives in this process: openssl has to run beside it.
    const run = (version: string): Promise<string> =>
      new Promise((resolve) => {
        const child = execFile('openssl', ['s_client', '-connect', server.address, version, '-brief'], (error, stdout, stderr) =>
          resolve(`${error === null ? 'ok' : 'failed'} ${stdout}${stderr}`),
        );
        child.stdin?.end();
      });
    expect(await run('-tls1_3')).toMatch(/^ok[\s\S]*TLSv1\.3/);
    expect(await run('-tls1_2')).toMatch(/^failed[\s\S]*alert protocol version/);
  });

  it('hands over method, path, query and body', async () => {
    await start();
    const answer = await ask(url('/a/b?c=d&e'), { ca: pki.root, method: 'POST', body: 'hello' });
    expect(answer.body.toString()).toBe('POST /a/b c=d&e 5');
    expect(peers).toMatchObject([{ kind: 'anonymous', source: '127.0.0.1' }]);
  });

  it('holds at most 256 MiB of bodies for peers that nobody knows', () => {
    for (const [name, { mutual, bodyBytes, limits }] of Object.entries(LISTENER_KINDS)) {
      if (!mutual) expect([name, bodyBytes * { ...LISTENER_LIMITS, ...limits }.requestsInWork <= 2 ** 28]).toEqual([name, true]);
    }
  });

  it.each([
    ['an upgrade that is not offered', 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', '404'],
    ['malformed HTTP', 'BOGUS\r\n\r\n', '400'],
  ])('closes after %s, also when the peer keeps its half open', async (_what, request, status) => {
    await start();
    let received = '';
    const gone = await new Promise<boolean>((resolve) => {
      const stay = { port: server.port, host: '127.0.0.1', ca: pki.root, allowHalfOpen: true };
      const socket = connect(stay, () => socket.write(request));
      // What is written to a connection that is gone comes back as an error.
      const knocking = setInterval(() => socket.write('x'), 50);
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
      });
      socket.on('error', () => {
        clearInterval(knocking);
        resolve(true);
      });
    });
    expect(gone).toBe(true);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('answers 413 to a body over the limit, announced or not, and closes', async () => {
    await start();
    for (const headers of [{ 'content-length': '1001' }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await ask(url(), { ca: pki.root, method: 'POST', headers: headers as unknown as Record<string, string>, body: Buffer.alloc(1_001) });
      expect(answer.status).toBe(413);
      expect(answer.headers['connection']).toBe('close');
    }
    expect(peers).toEqual([]);
  });

  it('takes a body of exactly the limit', async () => {
    await start();
    expect((await ask(url(), { ca: pki.root, method: 'POST', body: Buffer.alloc(1_000) })).status).toBe(200);
  });

  it('answers 431 to headers over the limit', async () => {
    await start();
    const { received } = await sendRaw({ port: server.port, ca: pki.root }, `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(received).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('answers 400 to what is not HTTP', async () => {
    await start();
    const { received } = await sendRaw({ port: server.port, ca: pki.root }, 'what is this\r\n\r\n');
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(refused).toHaveLength(1);
  });

  it('answers 500 without a word of the error', async () => {
    await start({
      handle: async () => {
        throw new Error('secret detail');
      },
    });
    const answer = await ask(url(), { ca: pki.root });
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).toBe('');
    expect(failures).toHaveLength(1);
    failures = [];
  });

  it('closes without an answer when the handler says so', async () => {
    await start({ handle: async () => undefined });
    await expect(ask(url(), { ca: pki.root })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('answers 503 when too much is in work', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let entered: () => void = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    await start({
      limits: { requestsInWork: 1 },
      async handle() {
        entered();
        await held;
        return { status: 200 };
      },
    });
    const first = ask(url(), { ca: pki.root });
    await inside;
    const second = await ask(url(), { ca: pki.root });
    expect([second.status, second.headers['retry-after']]).toEqual([503, '1']);
    release();
    expect((await first).status).toBe(200);
  });

  it('has its place free again after a request however it ended', async () => {
    await start({
      limits: { requestsInWork: 1 },
      async handle({ path }) {
        if (path === '/bug') throw new Error('a bug');
        return path === '/lost' ? undefined : { status: 200, headers: path === '/header' ? { bad: 'a\r\nb' } : {} };
      },
    });
    const free = (): Promise<number> => ask(url(), { ca: pki.root }).then(({ status }) => status);
    const half = connect({ port: server.port, host: '127.0.0.1', ca: pki.root }, () =>
      half.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf'),
    );
    half.on('error', () => {});
    await expect.poll(free).toBe(503);
    half.destroy();
    await expect.poll(free).toBe(200);
    expect((await ask(url(), { ca: pki.root, method: 'POST', body: Buffer.alloc(1_001) })).status).toBe(413);
    expect(await free()).toBe(200);
    await expect(ask(url('/lost'), { ca: pki.root })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await free()).toBe(200);
    for (const path of ['/bug', '/header']) expect((await ask(url(path), { ca: pki.root })).status).toBe(500);
    expect(await free()).toBe(200);
    expect(failures).toHaveLength(2);
    failures = [];
  });

  it('refuses upgrades that nobody asked for', async () => {
    await start();
    const { received } = await sendRaw({ port: server.port, ca: pki.root }, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    expect(received).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('breaks all connections and goes on listening', async () => {
    await start();
    const socket: TLSSocket = await new Promise((resolve) => {
      const connected: TLSSocket = connect({ port: server.port, host: '127.0.0.1', ca: pki.root }, () => resolve(connected));
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    server.dropConnections();
    await closed;
    expect((await ask(url(), { ca: pki.root })).status).toBe(200);
  });

  it('says which port is taken', async () => {
    await start();
    const { port } = server;
    const first = server;
    await expect(start({ port })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT', details: { reason: 'EADDRINUSE', port } });
    server = first;
  });

  it('1,000 random byte strings, before and inside TLS, leave it as it was', async () => {
    await start();
    const random = seededEntropy('bytes at a listener');
    const plain = (bytes: Uint8Array): Promise<void> =>
      new Promise((resolve) => {
        const socket = connectTcp(server.port, '127.0.0.1', () => socket.end(bytes));
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.resume();
      });
    const inside = (bytes: Uint8Array): Promise<void> =>
      new Promise((resolve) => {
        const socket: TLSSocket = connect({ port: server.port, host: '127.0.0.1', ca: pki.root }, () => socket.end(bytes));
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.resume();
      });
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => (index === 0 ? inside : plain)(random.randomBytes(1 + random.below(300)))));
    }
    expect(peers).toEqual([]);
    expect((await ask(url(), { ca: pki.root })).status).toBe(200);
  });
});

describe('a listener for certificates', () => {
  it('gives no answer without a certificate', async () => {
    await start(mutual());
    const { received } = await sendRaw({ port: server.port, ca: pki.root }, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(received).toBe('');
    expect(peers).toEqual([]);
    expect(refused).toEqual(['no certificate of a trusted root']);
  });

  it.each([
    ['valid', undefined],
    ['expired', { startDate: '20200101000000Z', endDate: '20200201000000Z' }],
  ])('gives no answer to a certificate of another root that is %s', async (_what, dates) => {
    await start(mutual());
    const { key, certificate: cert } = pki.issueElsewhere('mallory', dates);
    const { received } = await sendRaw({ port: server.port, ca: pki.root, key, cert }, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(received).toBe('');
    expect(peers).toEqual([]);
  });

  it('hands over the certificate of the peer, the same object for every request of a connection', async () => {
    await start(mutual());
    const { key, certificate: cert } = pki.issue('device-1');
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: pki.root, key, cert });
    const once = (): Promise<void> =>
      new Promise(
        (resolve, reject) =>
          void request(url(), { agent }, (answer) => answer.resume().on('end', resolve))
            .on('error', reject)
            .end(),
      );
    await once();
    await once();
    agent.destroy();
    expect(peers[0]).toBe(peers[1]);
    expect(peers[0]).toMatchObject({ kind: 'certificate', certificate: new Uint8Array(new X509Certificate(cert).raw) });
  });

  it.each([
    ['expired', '20200101000000Z', '20200201000000Z'],
    ['not valid yet', '20990101000000Z', '20990201000000Z'],
  ])('lets a certificate of its root through that is %s: time is for the role to judge', async (_what, startDate, endDate) => {
    await start(mutual());
    const { key, certificate: cert } = pki.issue('device-2', { startDate, endDate });
    expect((await ask(url(), { ca: pki.root, key, cert })).status).toBe(200);
    expect(peers).toMatchObject([{ kind: 'certificate' }]);
  });

  it('knows the peer on a resumed TLS session, too', async () => {
    await start(mutual());
    const { key, certificate: cert } = pki.issue('device-3');
    let session: Buffer | undefined;
    const talk = (): Promise<boolean> =>
      new Promise((resolve, reject) => {
        const socket: TLSSocket = connect(
          { port: server.port, host: '127.0.0.1', ca: pki.root, key, cert, ...(session === undefined ? {} : { session }) },
          () => {
            socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
          },
        );
        let reused = false;
        socket.on('session', (ticket) => {
          session = ticket;
        });
        socket.on('data', () => {
          reused = socket.isSessionReused();
          socket.end();
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(reused));
      });
    expect(await talk()).toBe(false);
    expect(await talk()).toBe(true);
    expect(peers).toHaveLength(2);
    expect(peers[1]).toEqual(peers[0]);
  });
});
