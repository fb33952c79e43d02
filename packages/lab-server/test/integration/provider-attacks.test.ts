import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeRole, makeRoot } from '../../src/data/lab-certificates.ts';
import { privateKeyPem, toPem } from '../../src/data/pem.ts';
import { makePushIdentities } from '../../src/data/push-identities.ts';
import { createRingJournal } from '../../src/journal/journal.ts';
import type { HttpServer } from '../../src/node/listening.ts';
import { listenProviders } from '../../src/node/provider-server.ts';
import { createNotificationRole, type NotificationRole } from '../../src/roles/notification/notification.ts';
import type { ProviderRequest } from '../../src/roles/notification/providers/provider.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { sendRaw } from '../support/raw-client.ts';

const clock = systemClock();
const maker = { crypto: nodeCrypto(), entropy: nodeEntropy(), nowMs: clock.nowMs() };
const root = makeRoot(maker, 'Root of the attacked lab');
const ca = toPem('CERTIFICATE', root.certificate);
const { accounts, credentials } = makePushIdentities(maker, root, '00000000-0000-4000-8000-000000000000');
const PLACES = 8;

let role: NotificationRole;
let server: HttpServer;
let failures: unknown[];
let refused: string[];
let handled: string[];
let headers: ProviderRequest['headers'];
const sessions = new Set<ClientHttp2Session>();

beforeAll(async () => {
  const { crypto, entropy } = maker;
  role = await createNotificationRole({
    ...{ clock, crypto, entropy, store: new MemoryStore(), journal: createRingJournal(), accounts, root: root.certificate, origin: 'https://push.test:443' },
  });
  const identity = makeRole(maker, root, 'notification', ['127.0.0.1']);
  server = await listenProviders({
    ...{
      host: '127.0.0.1',
      port: 0,
      root: ca,
      key: privateKeyPem(identity.scalar, identity.publicKey),
      certificate: toPem('CERTIFICATE', identity.certificate),
    },
    limits: { headersMs: 300, requestMs: 300, keepAliveMs: 400, streamStallMs: 300, requestsInWork: PLACES },
    handle(request) {
      handled.push(`${request.method} ${request.target}`);
      headers = request.headers;
      return role.providers.handle(request, undefined);
    },
    refuse: async (request, why, reason) => role.providers.refuse(request, why, reason),
    refused: (reason) => refused.push(reason),
    failed: (error) => failures.push(error),
  });
});
afterAll(async () => {
  role.close();
  await server.close();
});
beforeEach(() => {
  [failures, refused, handled] = [[], [], []];
});
afterEach(() => {
  for (const session of sessions) session.destroy();
  sessions.clear();
  expect(failures).toEqual([]);
});

/** A connection that writes what it likes; `stays`: it does not close when the server does. */
const raw = (ALPNProtocols: string[], onConnect: (socket: TLSSocket) => void, stays = false): Promise<TLSSocket> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, ca, ALPNProtocols, allowHalfOpen: stays } as never, () => {
      onConnect(socket);
      resolve(socket);
    });
    socket.on('error', () => {}).resume();
  });

const closed = (socket: TLSSocket | ClientHttp2Session | ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => (socket.destroyed ? resolve() : void socket.once('close', () => resolve())));

function session(options: { readonly initialWindowSize?: number } = {}): ClientHttp2Session {
  const made = connectHttp2(`https://127.0.0.1:${server.port}`, { ca, settings: options });
  sessions.add(made);
  return made.on('error', () => {});
}

/** A request whose body is still to come. */
function begun(of: ClientHttp2Session, path = '/bb10/1/pushes'): ClientHttp2Stream {
  return of.request({ ':method': 'POST', ':path': path }, { endStream: false }).on('error', () => {});
}

/** Status of a whole request on a connection of its own: others are served. */
function served(of: ClientHttp2Session = session()): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = of.request({ ':method': 'POST', ':path': '/bb10/1/pushes' });
    stream.once('response', (headers) => resolve(headers[':status'] as number));
    stream.once('error', reject);
    stream.end('{}');
  });
}

describe('HTTP/1.1 at the listener of the provider APIs', () => {
  it.each([
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n'],
    ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'],
    ['chunks that are not the last coding', 'transfer-encoding: chunked, identity\r\n'],
    ['a space before the colon', 'content-length : 2\r\n'],
    ['a length with a sign', 'content-length: +2\r\n'],
    ['a control character in a value', 'x: a\u0000b\r\n'],
    ['a line that goes on', 'x: a\r\n b: c\r\n\u0000'],
    ['no host', undefined],
  ])('with %s is refused, and nothing of it is a request', async (_what, headers) => {
    const head = headers === undefined ? '' : `host: x\r\n${headers}`;
    const hidden = 'GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n';
    const { received } = await sendRaw({ port: server.port, ca, ALPNProtocols: ['http/1.1'] }, `POST /bb10/1/pushes HTTP/1.1\r\n${head}\r\n{}${hidden}`);
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(handled).toEqual([]);
  });

  it.each([
    ['headers', 'POST /bb10/1/pushes HTTP/1.1\r\nhost: x\r\n'],
    ['a body', 'POST /bb10/1/pushes HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'],
    ['another request', 'POST /bb10/1/pushes HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'],
  ])('is closed when %s does not come', async (_what, text) => {
    await closed(await raw(['http/1.1'], (socket) => socket.write(text)));
  });

  it('is cut off when a body has no end', async () => {
    const socket = await raw(['http/1.1'], (socket) => socket.write('POST /bb10/1/pushes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'), true);
    const more = setInterval(() => socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`), 5);
    await closed(socket);
    clearInterval(more);
  });

  it('is cut off after rubbish, also when the peer does not close', async () => {
    const socket = await raw(['http/1.1'], (socket) => socket.write('rubbish\r\n\r\n'), true);
    const more = setInterval(() => socket.write('more'), 5);
    await closed(socket);
    clearInterval(more);
    expect(refused).not.toEqual([]);
  });
});

const frame = (type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array =>
  Uint8Array.of(payload.length >> 16, payload.length >> 8, payload.length, type, flags, 0, 0, 0, stream, ...payload);
const PREFACE = new TextEncoder().encode('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = frame(4, 0, 0, new Uint8Array(0));
/** `:method POST`, `:scheme https`, `:path /`, `:authority x`, by the static table of HPACK. */
const FIELDS = [0x83, 0x87, 0x84, 0x41, 1, 120];
const HEADERS = (flags: number, more: readonly number[] = []): Uint8Array => frame(1, flags, 1, Uint8Array.of(...FIELDS, ...more));

/** Resolves with a frame of this type that the server sends, header and payload, or when it closes. */
function frameOf(socket: TLSSocket, type: number): Promise<Buffer | 'closed'> {
  return new Promise((resolve) => {
    let rest = Buffer.alloc(0);
    socket.once('close', () => resolve('closed'));
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let end = 9; rest.length >= 9; end = 9) {
        end += rest.readUIntBE(0, 3);
        if (rest.length < end) return;
        if (rest[3] === type) resolve(rest.subarray(0, end));
        rest = rest.subarray(end);
      }
    });
  });
}

describe('HTTP/2 at the listener of the provider APIs', () => {
  it.each([
    ['long', 0x4000],
    ['slow', 1],
  ])('ends a stream whose body has no end some time after its answer: %s', async (_what, chunkBytes) => {
    const stream = begun(session());
    const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
    const more = setInterval(() => stream.write('x'.repeat(chunkBytes)), 20);
    expect(await status).toBe(413);
    await closed(stream.resume());
    clearInterval(more);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it('ends a stream whose answer is not read', async () => {
    const stream = session({ initialWindowSize: 0 })
      .request({ ':method': 'POST', ':path': '/bb10/1/pushes' })
      .on('error', () => {});
    stream.end('{}');
    await closed(stream.resume());
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it('serves others while strangers hold all places with bodies that do not come', async () => {
    const strangers = session();
    const held = Array.from({ length: PLACES * 3 }, () => begun(strangers));
    const statuses = held.map((stream) => new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status']))));
    // The oldest have made room, and are told to come again.
    expect(await Promise.all(statuses.slice(0, PLACES))).toEqual(Array.from({ length: PLACES }, () => 503));
    for (let round = 0; round < PLACES * 2; round++) expect(await served()).toBe(401);
  });

  it('outlives thousands of streams that are reset at once (CVE-2023-44487)', async () => {
    for (let round = 0; round < 3; round++) {
      const rapid = session();
      await new Promise((resolve) => rapid.once('connect', resolve));
      for (let index = 0; index < 1_500 && !rapid.destroyed && !rapid.closed; index++) {
        const stream = begun(rapid);
        stream.end('{}');
        stream.close(constants.NGHTTP2_CANCEL);
      }
      expect(await served()).toBe(401);
      rapid.destroy();
    }
    expect(await served()).toBe(401);
  });

  it('outlives connections that break in the middle and right after a request', async () => {
    for (let round = 0; round < 40; round++) {
      const breaking = session();
      await new Promise((resolve) => breaking.once('connect', resolve));
      for (let index = 0; index < 5; index++) {
        const stream = begun(breaking, round % 2 === 0 ? '/bb10/1/pushes' : `/3/device/${'a'.repeat(64)}`);
        if (round % 4 < 2) stream.end('{}');
        else stream.write('{');
      }
      if (round % 3 === 0) await new Promise(setImmediate);
      breaking.destroy();
    }
    expect(await served()).toBe(401);
  });

  it('answers more streams at once than it allows on one connection', async () => {
    const one = session();
    // One after the other in eights: so many places there are.
    for (let round = 0; round < 150; round++) {
      const statuses = await Promise.all(Array.from({ length: PLACES }, () => served(one)));
      expect(new Set(statuses)).toEqual(new Set([401]));
    }
  });

  it.each([
    // A header without indexing, `a: b`, again and again.
    ['headers that go on and on (CONTINUATION flood)', [HEADERS(0), ...Array.from({ length: 200 }, () => frame(9, 0, 1, Uint8Array.of(0, 1, 97, 1, 98)))]],
    ['empty CONTINUATION frames', [HEADERS(0), ...Array.from({ length: 200 }, () => frame(9, 0, 1, new Uint8Array(0)))]],
    ['a frame longer than was allowed', [frame(0, 0, 1, new Uint8Array(20_000))]],
    ['DATA before HEADERS', [frame(0, 1, 1, new Uint8Array(1))]],
    ['a table size over the limit', [HEADERS(5, [0x3f, 0xff, 0xff, 0xff, 0x7f])]],
    ['a window that overflows', [frame(8, 0, 0, Uint8Array.of(0x7f, 0xff, 0xff, 0xff))]],
    ['an increment of 0', [frame(8, 0, 0, new Uint8Array(4))]],
    ['an even stream', [frame(1, 5, 2, Uint8Array.of(...FIELDS))]],
    ['settings that are cut short', [frame(4, 0, 0, new Uint8Array(5))]],
    ['pings without end', Array.from({ length: 20_000 }, () => frame(6, 0, 0, new Uint8Array(8)))],
    ['settings without end', Array.from({ length: 20_000 }, () => SETTINGS)],
  ])('ends the connection on %s', async (_what, frames) => {
    const socket = await raw(['h2'], (socket) => {
      // What the server says stays unread for a moment, so that its answers pile up on its side.
      socket.pause();
      socket.write(Buffer.concat([PREFACE, SETTINGS, ...frames]));
    });
    const goneAway = frameOf(socket.pause(), 7);
    setTimeout(() => socket.resume(), 50);
    await goneAway;
    socket.destroy();
    expect(handled).toEqual([]);
    expect(await served()).toBe(401);
  });

  it('takes a request that is made by hand, so that it is what is wrong below that is not taken', async () => {
    const socket = await raw(['h2'], (socket) => socket.write(Buffer.concat([PREFACE, SETTINGS, HEADERS(5, [0, 1, 97, 1, 98])])));
    expect(await frameOf(socket, 1)).toBeInstanceOf(Buffer);
    expect(handled).toEqual(['POST /']);
    expect(headers).toMatchObject({ a: 'b' });
    socket.destroy();
  });

  it('passes no header on whose value has a line break', async () => {
    const socket = await raw(['h2'], (socket) => socket.write(Buffer.concat([PREFACE, SETTINGS, HEADERS(5, [0, 1, 97, 3, 98, 13, 10])])));
    expect(await frameOf(socket, 1)).toBeInstanceOf(Buffer);
    expect(headers).not.toHaveProperty('a');
    socket.destroy();
  });

  it.each([
    ['a name in upper case', [0, 1, 65, 1, 98]],
    ['a header of the connection', [0, 10, ...new TextEncoder().encode('connection'), 1, 98]],
    ['a chunked body', [0, 17, ...new TextEncoder().encode('transfer-encoding'), 7, ...new TextEncoder().encode('chunked')]],
    ['a second path', [0x85]],
    ['a pseudo-header after the others', [0, 1, 97, 1, 98, 0x81]],
    ['another length than that of the body', [0, 14, ...new TextEncoder().encode('content-length'), 1, 53]],
  ])('takes no request with %s', async (_what, more) => {
    const socket = await raw(['h2'], (socket) => socket.write(Buffer.concat([PREFACE, SETTINGS, HEADERS(5, more)])));
    expect(await served()).toBe(401);
    expect(handled).toEqual(['POST /bb10/1/pushes']);
    socket.destroy();
  });
});

describe('senders that are not who they say', () => {
  it('the access of one service opens no other', async () => {
    const asked = session();
    const basic = `Basic ${Buffer.from(`${credentials.bb10.applicationId}:${credentials.bb10.password}`).toString('base64')}`;
    const status = (path: string, headers: Record<string, string>): Promise<unknown> =>
      new Promise((resolve) => {
        const stream = asked.request({ ':method': 'POST', ':path': path, ...headers }).on('error', () => {});
        stream.once('response', (answer) => resolve(answer[':status']));
        stream.end('{}');
      });
    expect(await status('/bb10/1/pushes', { authorization: basic })).toBe(400);
    expect(await status(`/v1/projects/${credentials.fcm.projectId}/messages:send`, { authorization: basic })).toBe(401);
    expect(await status('/?token=AwYAAA', { authorization: basic })).toBe(401);
    expect(await status(`/3/device/${'a'.repeat(64)}`, { authorization: basic })).toBe(403);
    expect(await status('/bb10/1/pushes', { authorization: basic.replace('Basic', 'Bearer') })).toBe(401);
  });
});
