import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { type HandshakeBinding, ProtocolError, proxySessionInitiator, type RunningSession, runProxySession, type SessionEvent, secret } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { serveProxySession } from '../../src/node/proxy-streams.ts';

const crypto = nodeCrypto();
const SCALAR = crypto.sha256(new Uint8Array([1]));
const KEX_KEY = crypto.p256PublicKey(SCALAR);
const INSTANCE_ID = new Uint8Array(16).fill(3);
const SESSION_KEY_ID = new Uint8Array(16).fill(4);
const BINDING = {
  name: 'dc',
  prologue: {
    tenantId: 'tenant',
    proxyId: 'proxy-1',
    instanceId: INSTANCE_ID,
    keyExchangeKey: KEX_KEY,
    binding: { kind: 'tls-exporter', value: new Uint8Array(32) },
    serverKeyHash: new Uint8Array(32),
  },
} as const satisfies HandshakeBinding;

afterEach(() => void vi.restoreAllMocks());

const EVERYWHERE = [{ host: '*', subdomains: false, allow: true }];

interface Bench {
  readonly clock: FakeClock;
  readonly app: Duplex;
  readonly below: Duplex;
  readonly told: string[];
}

type StillKnown = Parameters<typeof serveProxySession>[1]['stillKnown'];

function proxy(stillKnown: StillKnown = async () => EVERYWHERE): Bench {
  const [app, below] = duplexPair() as readonly [Duplex, Duplex];
  const clock = fakeClock(0);
  const told: string[] = [];
  serveProxySession(below, {
    clock,
    crypto,
    entropy: seededEntropy('proxy'),
    name: 'dc',
    identify: async () => ({
      result: {
        type: 'identified',
        peer: { binding: BINDING, psk: secret<'psk'>(new Uint8Array(32).fill(7)), staticScalar: secret<'static-scalar'>(SCALAR.slice()) },
      },
      destinations: EVERYWHERE,
    }),
    stillKnown,
    told: (request, answer, reason) => void told.push(`${request} ${answer} ${reason ?? ''}`.trim()),
  });
  app.on('error', () => app.destroy());
  return { clock, app, below, told };
}

/** The app's end; it reads nothing that is not asked for after `established`. */
async function established({ app, clock }: Bench): Promise<{ readonly running: RunningSession; readonly events: SessionEvent[] }> {
  const events: SessionEvent[] = [];
  const psk = secret<'psk'>(new Uint8Array(32).fill(7));
  const machine = proxySessionInitiator({
    crypto,
    entropy: seededEntropy('app'),
    binding: BINDING,
    sessionKeyId: SESSION_KEY_ID,
    psk,
    responderStaticKey: KEX_KEY,
  });
  const ready = deferred();
  const running = runProxySession(machine, 'initiator', {
    clock,
    send: (bytes) => void app.write(bytes),
    onEvent(event) {
      events.push(event as SessionEvent);
      if (event.type === 'established') ready.resolve();
    },
    ended: () => {},
  });
  app.on('data', (bytes: Buffer) => running.received(new Uint8Array(bytes)));
  await ready.promise;
  return { running, events };
}

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}

it('cuts an app off that begins no session', async () => {
  const { clock, app, below, told } = proxy();
  app.resume();
  await clock.advance(wire.LIMITS.handshakeMs);
  expect(told).toEqual([expect.stringMatching(/^session broken ERR_PEER_TIMEOUT /)]);
  expect(below.destroyed).toBe(false);
  await clock.advance(5_000);
  expect(below.destroyed).toBe(true);
});

describe('the app of a session that stands', () => {
  /** What UEM says when it is asked again. */
  let uem: 'known' | 'unknown' | 'away' | 'nowhere';
  let asked: wire.HandshakeStart[];
  const stillKnown: StillKnown = async (start) => {
    asked.push(start);
    if (uem === 'away') throw new ProtocolError('ERR_REJECTED_BUSY', 'away');
    if (uem === 'unknown') return undefined;
    return uem === 'nowhere' ? [] : EVERYWHERE;
  };
  beforeEach(() => {
    [uem, asked] = ['known', []];
  });

  it('is asked about at UEM each 15 s, and the session ends with it', async () => {
    const bench = proxy(stillKnown);
    await established(bench);
    const { clock, app, told } = bench;
    await clock.advance(14_999);
    expect(asked).toEqual([]);
    await clock.advance(30_001);
    expect(asked.map(({ pskId }) => pskId)).toEqual(Array(3).fill(SESSION_KEY_ID));
    expect(told).toEqual(['session established']);
    uem = 'unknown';
    const ended = once(app, 'end');
    await clock.advance(15_000);
    expect(told.at(-1)).toMatch(/^session broken ERR_REJECTED_REVOKED /);
    await ended;
    await clock.advance(60_000);
    expect([asked.length, clock.pendingTimers]).toEqual([4, 0]);
  });

  it('has its session for as long as UEM is away, and what UEM said last', async () => {
    const bench = proxy(stillKnown);
    await established(bench);
    uem = 'away';
    await bench.clock.advance(150_000);
    expect([asked.length, bench.told]).toEqual([10, ['session established']]);
    uem = 'unknown';
    await bench.clock.advance(15_000);
    expect(bench.told.at(-1)).toMatch(/^session broken ERR_REJECTED_REVOKED /);
  });

  it('reaches with new streams what UEM allows by then', async () => {
    const bench = proxy(stillKnown);
    const { running, events } = await established(bench);
    uem = 'nowhere';
    await bench.clock.advance(15_000);
    running.call({ type: 'open', streamId: 0, host: '127.0.0.1', port: 9 });
    while (!events.some((event) => event.type === 'refused')) await new Promise((resolve) => setImmediate(resolve));
    expect(events.at(-1)).toEqual({ type: 'refused', streamId: 0, reason: 'denied' });
    running.call({ type: 'close' });
  });

  it('is not asked about when the session has ended before', async () => {
    const bench = proxy(stillKnown);
    const { running } = await established(bench);
    bench.app.end();
    while (bench.told.length < 2) await new Promise((resolve) => setImmediate(resolve));
    // Its own timers are not meant.
    running.closed();
    await bench.clock.advance(10_000);
    expect(bench.clock.pendingTimers).toBe(0);
    await bench.clock.advance(10_000);
    expect(asked).toEqual([]);
  });

  it('is asked about no more when the session has ended, also while UEM is asked', async () => {
    let answer: () => void = () => undefined;
    let asks = 0;
    const bench = proxy(() => {
      asks += 1;
      return new Promise((resolve) => {
        answer = () => resolve(EVERYWHERE);
      });
    });
    await established(bench);
    await bench.clock.advance(15_000);
    bench.app.end();
    while (bench.told.length < 2) await new Promise((resolve) => setImmediate(resolve));
    answer();
    await bench.clock.advance(60_000);
    expect([asks, bench.told.length, bench.clock.pendingTimers]).toEqual([1, 2, 0]);
  });
});

it('ends a session whose app asks and never reads the answers', async () => {
  const bench = proxy();
  await established(bench);
  const { app, told } = bench;
  app.removeAllListeners('data').pause();
  const pings = new Uint8Array(Buffer.concat(Array.from({ length: 1_000 }, (_, number) => wire.streamPing.encode({ number }))));
  let sentBytes = 0;
  while (!app.destroyed && told.length < 2 && sentBytes < 16_777_216) {
    sentBytes += pings.length;
    app.write(pings);
    for (let turn = 0; app.writableNeedDrain && turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(told.at(-1)).toMatch(/^session broken ERR_PEER_UNEXPECTED /);
  expect(sentBytes).toBeLessThan(2_097_152);
});

it('looks up no more names at once than a session has streams, also when the app gives them up', async () => {
  const waiting: (() => void)[] = [];
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: object, found: (error: Error) => void) => {
    waiting.push(() => found(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })));
  }) as unknown as typeof dns.lookup);
  const bench = proxy();
  const { running, events } = await established(bench);
  const { openStreams } = wire.LIMITS;
  for (let streamId = 0; streamId < openStreams; streamId++) {
    running.call({ type: 'open', streamId, host: `name-${streamId}.example`, port: 443 });
    running.call({ type: 'reset', streamId, reason: 'cancelled' });
  }
  const refused = async (streamId: number): Promise<unknown> => {
    running.call({ type: 'open', streamId, host: 'one-more.example', port: 443 });
    const answer = (): SessionEvent | undefined => events.find((event) => event.type === 'refused' && event.streamId === streamId);
    while (answer() === undefined && lookup.mock.calls.length <= openStreams) await new Promise((resolve) => setImmediate(resolve));
    return answer();
  };
  expect(await refused(openStreams)).toEqual({ type: 'refused', streamId: openStreams, reason: 'busy' });
  expect(lookup.mock.calls.length).toBe(openStreams);
  for (const answer of waiting.splice(0)) answer();
  lookup.mockRestore();
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.call({ type: 'open', streamId: openStreams + 1, host: '127.0.0.1', port: (server.address() as { readonly port: number }).port });
  while (!events.some((event) => event.type === 'opened')) await new Promise((resolve) => setImmediate(resolve));
  running.call({ type: 'close' });
  server.close();
});

it.each<[string, (bench: Bench, running: RunningSession) => void]>([
  ['the connection below breaks', ({ below }) => void below.destroy()],
  ['the connection below ends', ({ app }) => app.end()],
  ['the app gives the stream up', (_bench, running) => running.call({ type: 'reset', streamId: 0, reason: 'cancelled' })],
])('a server takes no part for the whole: it hears of an end only when the app has said so, and not when %s', async (_name, breakOff) => {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes) => void heard.push(String(bytes)));
    socket.once('end', () => void heard.push('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => void heard.push(error.code ?? ''));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bench = proxy();
  const { running, events } = await established(bench);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  running.call({ type: 'open', streamId: 0, host: '127.0.0.1', port: (server.address() as { readonly port: number }).port });
  await until(() => events.some((event) => event.type === 'opened'));
  running.call({ type: 'write', streamId: 0, bytes: new Uint8Array(Buffer.from('the first part')) });
  await until(() => heard.length === 1);
  breakOff(bench, running);
  await until(() => heard.length === 2);
  expect(heard).toEqual(['the first part', 'ECONNRESET']);
  server.close();
});
