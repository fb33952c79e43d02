import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { type Clock, ProtocolError } from '@uemkit/protocol';
import { systemClock } from '@uemkit/protocol/node';
import { CookieJar } from 'tough-cookie';
import { afterEach, describe, expect, it } from 'vitest';
import { CookieKeeper } from '../../src/http/cookie-keeper.ts';
import { MAX_REDIRECTS } from '../../src/http/limits.ts';
import { type PageFetch, pageFetch } from '../../src/http/page-fetch.ts';
import type { SecureContainer } from '../../src/index.ts';
import { TcpWay } from '../support/tcp-way.ts';

const MIB = 1_048_576;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => {
    server.close();
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** A server of Node, and the address of it as the app says it. */
const http = async (listener: RequestListener): Promise<string> => `http://wiki.example.com:${await listening(createServer(listener))}`;

/** A server that answers with these bytes, whatever it is asked. */
async function raw(answer: string | Uint8Array, taken: (socket: Socket) => void = () => {}): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(answer, () => taken(socket)));
  });
  return `http://wiki.example.com:${await listening(server)}`;
}

function app({ clock = systemClock(), container }: { clock?: Clock; container?: SecureContainer } = {}): { readonly fetch: PageFetch; readonly way: TcpWay } {
  const way = new TcpWay();
  const cookies = container && new CookieKeeper(() => container, CookieJar);
  return { way, fetch: pageFetch({ open: (target, options) => way.open(target, options), clock, cookies }) };
}

const echo: RequestListener = (request, response) => {
  const sum = createHash('sha256');
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    sum.update(part);
    bytes += part.length;
  });
  const { method, url, rawHeaders } = request;
  request.on('end', () =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, url, rawHeaders, bytes, sha256: sum.digest('hex') })),
  );
};

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly bytes: number;
  readonly sha256: string;
}
const echoed = async (response: Response): Promise<Echo & { readonly headers: Record<string, string> }> => {
  const told = (await response.json()) as Echo;
  return { ...told, headers: Object.fromEntries(told.rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, told.rawHeaders[at + 1] as string]] : []))) };
};
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A stream that gives pieces when it is asked, and counts them. */
function source(pieces: number, pieceBytes: number) {
  const piece = new Uint8Array(pieceBytes).fill(7);
  const told = { given: 0, cancelled: undefined as unknown };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (told.given === pieces) return controller.close();
        told.given += 1;
        controller.enqueue(piece);
      },
      cancel(reason) {
        told.cancelled = reason ?? 'cancelled';
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, told };
}

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly cause?: { readonly code?: string };
}

const failure = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it did not fail');
};

describe('requests of a page', () => {
  it('are requests of HTTP/1.1, with the headers of the app and none of the way', async () => {
    const origin = await http(echo);
    const { fetch, way } = app();
    const response = await fetch(`${origin}/a%20b?c=d#e`, {
      headers: {
        'x-name': 'caf\xe9',
        host: 'other',
        connection: 'keep-alive',
        'content-length': '5',
        'transfer-encoding': 'chunked',
        cookie: 'a=b',
        'proxy-x': 'y',
      },
    });
    expect([response.status, response.ok, response.url, response.redirected]).toEqual([200, true, `${origin}/a%20b?c=d`, false]);
    expect(await echoed(response)).toMatchObject({
      method: 'GET',
      url: '/a%20b?c=d',
      headers: { host: new URL(origin).host, accept: '*/*', 'accept-encoding': 'gzip, deflate', 'x-name': 'caf\xe9', connection: 'close' },
    });
    const { headers } = await echoed(await fetch(origin, { headers: { accept: 'text/html' } }));
    expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('have bodies of every kind, whole', async () => {
    const origin = await http(echo);
    const { fetch } = app();
    const content = randomBytes(3 * MIB + 17);
    const post = async (init: RequestInit, to: string | Request = origin) => echoed(await fetch(to, { method: 'POST', ...init }));
    expect(await post({ body: content })).toMatchObject({ sha256: sha256(content), headers: { 'content-length': String(content.length) } });
    expect(await post({ body: new Blob([content], { type: 'image/png' }) })).toMatchObject({
      sha256: sha256(content),
      headers: { 'content-length': String(content.length), 'content-type': 'image/png' },
    });
    expect(await post({ body: 'text' })).toMatchObject({ bytes: 4, headers: { 'content-type': 'text/plain;charset=UTF-8' } });
    const form = new FormData();
    form.set('file', new Blob([content]), 'file.bin');
    expect((await post({ body: form })).headers['content-type']).toMatch(/^multipart\/form-data; ?boundary=/);
    const { stream } = source(40, 65_537);
    expect(await post({ body: stream })).toMatchObject({ bytes: 40 * 65_537, headers: { 'transfer-encoding': 'chunked' } });
    expect(await post({}, new Request(origin, { method: 'POST', body: 'of a request' }))).toMatchObject({ bytes: 12 });
    expect(await post({})).toMatchObject({ bytes: 0, headers: { 'content-length': '0' } });
    expect(await echoed(await fetch(new Request(origin, { method: 'DELETE' })))).toMatchObject({ method: 'DELETE', bytes: 0 });
  });

  it('refuse what they cannot do, and send nothing then', async () => {
    const { fetch, way } = app();
    await expect(fetch('https://wiki.example.com/')).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNSUPPORTED' });
    await expect(fetch('ftp://wiki.example.com/')).rejects.toThrow(TypeError);
    await expect(fetch('http://wiki.example.com/', { integrity: 'sha256-x' })).rejects.toThrow('integrity');
    await expect(fetch('http://wiki.example.com/', { body: source(1, 1).stream })).rejects.toThrow('GET or HEAD');
    await expect(fetch('http://me:pass@wiki.example.com/')).rejects.toThrow(TypeError);
    await expect(fetch('not a url')).rejects.toThrow(TypeError);
    await expect(fetch('http://wiki.example.com/', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    expect(way.asked).toEqual([]);
  });

  it('ask only for connections that protect what passes', async () => {
    const asked: unknown[] = [];
    const fetch = pageFetch({
      clock: systemClock(),
      cookies: undefined,
      open: async (target, { sealed }) => {
        asked.push([target, sealed]);
        throw new ProtocolError('ERR_CONNECTION_PROXY', 'not there');
      },
    });
    await expect(fetch('http://[2001:db8::1]/')).rejects.toMatchObject({ code: 'ERR_CONNECTION_PROXY' });
    expect(asked).toEqual([[{ host: '2001:db8::1', port: 80 }, true]]);
  });

  it('end with the body of the app that fails, and give up one that nobody needs', async () => {
    const origin = await http(echo);
    const { fetch, way } = app();
    const broken = new ReadableStream({ pull: (controller) => controller.error(new RangeError('no more')) });
    await expect(fetch(origin, { method: 'POST', body: broken })).rejects.toThrow('no more');
    const text = new ReadableStream({ pull: (controller) => controller.enqueue('text') });
    await expect(fetch(origin, { method: 'POST', body: text })).rejects.toThrow('Uint8Array');
    const short = Object.assign(new Blob(['three']), { stream: () => source(1, 3).stream });
    await expect(fetch(origin, { method: 'POST', body: short })).rejects.toThrow('another length');
    const early = await raw('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
    const { stream, told } = source(10_000, 65_536);
    const response = await fetch(early, { method: 'POST', body: stream });
    expect([response.status, await response.text()]).toEqual([413, 'no']);
    await expect.poll(() => told.cancelled).toBeDefined();
    const silent = new ReadableStream<Uint8Array>({
      cancel() {
        told.cancelled = 'silent';
      },
    });
    expect((await fetch(await raw('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), { method: 'POST', body: silent })).status).toBe(200);
    await expect.poll(() => told.cancelled).toBe('silent');
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('wait for a server that does not read', async () => {
    const held: Socket[] = [];
    const port = await listening(createTcpServer((socket) => void held.push(socket.pause().on('error', () => {}))));
    const { fetch, way } = app();
    const { stream, told } = source(1_024, 65_536);
    const stop = new AbortController();
    const asked = fetch(`http://wiki.example.com:${port}/`, { method: 'POST', body: stream, signal: stop.signal });
    let before = -1;
    await expect
      .poll(
        () => {
          const isSame = told.given === before && told.given > 0;
          before = told.given;
          return isSame;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    expect(told.given).toBeLessThan(512);
    stop.abort(new Error('enough'));
    expect((await failure(asked)).message).toBe('enough');
    await expect.poll(() => way.sockets.size).toBe(0);
    await expect.poll(() => told.cancelled).toBeDefined();
  });
});

describe('answers to a page', () => {
  it.each([
    ['with a length', (response: ServerResponse, content: Uint8Array) => response.setHeader('content-length', content.length).end(content)],
    ['in chunks', (response: ServerResponse, content: Uint8Array) => response.write(content.subarray(0, MIB), () => response.end(content.subarray(MIB)))],
  ])('are whole: %s', async (_what, send) => {
    const content = randomBytes(5 * MIB);
    const origin = await http((_request, response) => void send(response, content));
    const { fetch, way } = app();
    const response = await fetch(origin);
    expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(sha256(content));
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('end with the connection where they have no length, and not when it breaks', async () => {
    const { fetch, way } = app();
    const whole = await raw('HTTP/1.1 200 OK\r\n\r\nto the end', (socket) => socket.end());
    expect(await (await fetch(whole)).text()).toBe('to the end');
    const response = await fetch(await raw('HTTP/1.1 200 OK\r\n\r\nto the'));
    const text = response.text();
    await nextTurn();
    way.breakAll();
    const error = await failure(text);
    expect([error.name, error.cause?.code]).toEqual(['TypeError', 'ERR_CONNECTION_LOST']);
  });

  it('that are cut, or no HTTP, are errors', async () => {
    const { fetch, way } = app();
    const cut = await fetch(await raw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', (socket) => socket.end()));
    expect((await failure(cut.text())).cause?.code).toBe('ERR_WIRE_TRUNCATED');
    const inChunks = await raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nX\r\n');
    await expect(fetch(inChunks)).rejects.toMatchObject({ code: 'ERR_WIRE_FIELD' });
    await expect(fetch(await raw('SSH-2.0-OpenSSH\r\n\r\n'))).rejects.toMatchObject({ code: 'ERR_WIRE_FIELD' });
    await expect(fetch(await raw('', (socket) => socket.end()))).rejects.toMatchObject({ code: 'ERR_WIRE_TRUNCATED' });
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('have no body with HEAD, 204, 205 and 304', async () => {
    const origin = await http((request, response) => void response.writeHead(Number(request.url?.slice(1)), { 'content-length': 0 }).end());
    const { fetch } = app();
    for (const status of [204, 205, 304]) {
      const response = await fetch(`${origin}/${status}`);
      expect([response.status, response.body]).toEqual([status, null]);
    }
    const long = await http((_request, response) => void response.writeHead(200, { 'content-length': 1_000 }).end());
    const response = await fetch(long, { method: 'HEAD' });
    expect([response.headers.get('content-length'), response.body]).toEqual(['1000', null]);
    const rude = await fetch(await raw('HTTP/1.1 205 Reset\r\ncontent-length: 4\r\n\r\nbody'));
    expect([rude.status, rude.body]).toEqual([205, null]);
  });

  it('are decoded where every browser can, and left alone otherwise', async () => {
    const text = 'behind the firewall '.repeat(5_000);
    const coded: Record<string, Uint8Array> = {
      gzip: gzipSync(text),
      deflate: deflateSync(text),
      'x-gzip, identity': gzipSync(text),
      'deflate, gzip': gzipSync(deflateSync(text)),
    };
    const origin = await http((request, response) => {
      const name = decodeURIComponent(request.url?.slice(1) ?? '');
      response.setHeader('content-encoding', name).end(coded[name] ?? text);
    });
    const { fetch } = app();
    for (const name of Object.keys(coded)) expect(await (await fetch(`${origin}/${encodeURIComponent(name)}`)).text()).toBe(text);
    const own = await fetch(`${origin}/br`);
    expect([own.headers.get('content-encoding'), await own.text()]).toEqual(['br', text]);
    expect(await (await fetch(`${origin}/${encodeURIComponent('gzip,'.repeat(5))}`)).text()).toBe(text);
    const empty = await fetch(await raw('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n'));
    expect(await empty.text()).toBe('');
    const cut = await fetch(
      await raw(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n'), gzipSync(text).subarray(0, 60)]), (socket) => socket.end()),
    );
    await expect(cut.text()).rejects.toThrow();
  });

  it('are copied with what is known of them', async () => {
    const origin = await http((_request, response) => void response.setHeader('set-cookie', 'a=b').end('twice'));
    const { fetch } = app();
    const response = await fetch(origin);
    const copy = response.clone().clone();
    expect([copy.url, await copy.text(), await response.text()]).toEqual([`${origin}/`, 'twice', 'twice']);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('are not read faster than the app reads', async () => {
    const origin = await http((_request, response) => {
      const piece = Buffer.alloc(MIB);
      const more = (left: number): void => {
        if (left === 0) return void response.end();
        response.write(piece, () => more(left - 1));
      };
      more(64);
    });
    const { fetch, way } = app();
    const response = await fetch(origin);
    for (let turn = 0; turn < 200; turn += 1) await nextTurn();
    expect(way.counted.received).toBeLessThan(MIB);
    let bytes = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) bytes += part.length;
    expect(bytes).toBe(64 * MIB);
  });

  it('end with an abort, before the head and within the body, and with nobody who wants them', async () => {
    const { fetch, way } = app();
    const silent = await http(() => {});
    const stop = new AbortController();
    const waiting = fetch(silent, { signal: stop.signal });
    await expect.poll(() => way.sockets.size).toBe(1);
    stop.abort(new Error('enough'));
    expect((await failure(waiting)).message).toBe('enough');
    const half = await http((_request, response) => void response.writeHead(200, { 'content-length': 100 }).write('half'));
    const within = new AbortController();
    const response = await fetch(new Request(half, { signal: within.signal }));
    const body = response.text();
    within.abort(new Error('enough'));
    expect((await failure(body)).message).toBe('enough');
    const late = new AbortController();
    const unread = await fetch(half, { signal: late.signal });
    late.abort(new Error('too late'));
    expect((await failure(unread.text())).message).toBe('too late');
    await (await fetch(half)).body?.cancel();
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('are not waited for without an end', async () => {
    const timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
    const clock: Clock = {
      ...systemClock(),
      setTimer(delayMs, callback) {
        timers.push({ delayMs, callback });
        return () => {};
      },
    };
    const { fetch, way } = app({ clock });
    const asked = fetch(await http(() => {}));
    await expect.poll(() => way.sockets.size).toBe(1);
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([300_000]);
    timers[0]?.callback();
    await expect(asked).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
  });

  it('break with the connection, with its reason', async () => {
    const half = await http((_request, response) => void response.writeHead(200, { 'content-length': 100 }).write('half'));
    const { fetch, way } = app();
    const body = (await fetch(half)).text();
    way.breakAll();
    expect((await failure(body)).cause?.code).toBe('ERR_CONNECTION_LOST');
    await expect.poll(() => way.sockets.size).toBe(0);
    const waiting = fetch(await http(() => {}));
    await expect.poll(() => way.sockets.size).toBe(1);
    way.breakAll();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' });
  });
});

describe('redirects of a page', () => {
  /** `/status/place` leads to the place with the status; anything else says what it was asked. */
  const leading: RequestListener = (request, response) => {
    const [, status, place] = /^\/(\d{3})\/(.*)$/.exec(request.url ?? '') ?? [];
    if (status === undefined) return echo(request, response);
    request.resume();
    response.writeHead(Number(status), place === '' ? {} : { location: decodeURIComponent(place as string) }).end('moved');
  };

  it.each([
    [301, 'POST', 'GET', 0],
    [302, 'POST', 'GET', 0],
    [302, 'PUT', 'PUT', 4],
    [303, 'PUT', 'GET', 0],
    [303, 'HEAD', 'HEAD', 0],
    [307, 'POST', 'POST', 4],
    [308, 'PUT', 'PUT', 4],
  ])('%s: %s becomes %s', async (status, method, becomes, bytes) => {
    const origin = await http((request, response) => {
      response.setHeader('x-method', request.method ?? '');
      leading(request, response);
    });
    const { fetch, way } = app();
    const body = method === 'HEAD' ? {} : { body: 'body', headers: { 'content-type': 'text/plain' } };
    const response = await fetch(`${origin}/${status}/${encodeURIComponent('../end')}#part`, { method, ...body });
    expect([response.redirected, response.url, response.headers.get('x-method')]).toEqual([true, `${origin}/end`, becomes]);
    if (method !== 'HEAD') {
      const told = await echoed(response);
      expect([told.bytes, told.headers['content-type']]).toEqual([bytes, bytes === 0 ? undefined : 'text/plain']);
    }
    expect(way.asked).toHaveLength(2);
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('lead only where plain HTTP leads, and not without end', async () => {
    const origin = await http(leading);
    const { fetch, way } = app();
    const to = (place: string, init: RequestInit = {}) => fetch(`${origin}/307/${encodeURIComponent(place)}`, init);
    await expect(to('https://wiki.example.com/')).rejects.toMatchObject({ code: 'ERR_CONNECTION_UNSUPPORTED' });
    await expect(to('javascript:alert(1)')).rejects.toThrow('no plain URL');
    await expect(to('http://me@wiki.example.com/')).rejects.toThrow('no plain URL');
    await expect(to('http://:pass@wiki.example.com/')).rejects.toThrow('no plain URL');
    await expect(to('http://[')).rejects.toThrow('no URL');
    await expect(to('/end', { method: 'POST', body: source(1, 1).stream })).rejects.toThrow('a stream');
    await expect(to('/end', { redirect: 'error' })).rejects.toThrow('does not allow');
    expect(way.asked).toHaveLength(7);
    const manual = await to('/end', { redirect: 'manual' });
    expect([manual.status, manual.headers.get('location'), manual.redirected, await manual.text()]).toEqual([307, '/end', false, 'moved']);
    expect(await (await fetch(`${origin}/302/`)).text()).toBe('moved');
    const loop = await http((_request, response) => void response.writeHead(302, { location: '/' }).end());
    const before = way.asked.length;
    await expect(fetch(loop)).rejects.toThrow(`more than ${MAX_REDIRECTS}`);
    expect(way.asked.length - before).toBe(MAX_REDIRECTS + 1);
    await expect.poll(() => way.sockets.size).toBe(0);
  });

  it('tell no other origin what authorizes at the first one', async () => {
    const [first, second] = [await http(leading), await http(leading)];
    const { fetch } = app();
    const headers = { authorization: 'Bearer x', 'x-name': 'y' };
    const same = await echoed(await fetch(`${first}/302/${encodeURIComponent('/end')}`, { headers }));
    expect([same.headers['authorization'], same.headers['x-name']]).toEqual(['Bearer x', 'y']);
    const other = await echoed(await fetch(`${first}/302/${encodeURIComponent(`${second}/end`)}`, { headers }));
    expect([other.headers['authorization'], other.headers['x-name']]).toEqual([undefined, 'y']);
  });
});

describe('cookies of a page', () => {
  const values = new Map<string, Uint8Array>();
  const container = {
    values: { get: async (name: string) => values.get(name), put: async (name: string, value: Uint8Array) => void values.set(name, value) },
  } as unknown as SecureContainer;
  const counting: RequestListener = (request, response) => {
    if (request.url === '/login') response.setHeader('set-cookie', ['session=1; HttpOnly', 'kept=2; Max-Age=100']).writeHead(302, { location: '/home' });
    response.end(request.headers.cookie ?? 'none');
  };

  it('go with requests and redirects, and those with an expiry stay', async () => {
    const origin = await http(counting);
    const { fetch } = app({ container });
    expect(await (await fetch(`${origin}/login`)).text()).toBe('session=1; kept=2');
    expect(await (await fetch(origin, { credentials: 'omit' })).text()).toBe('none');
    expect(await (await app({ container }).fetch(origin)).text()).toBe('kept=2');
    expect(await (await app().fetch(`${origin}/login`)).text()).toBe('none');
  });
});
