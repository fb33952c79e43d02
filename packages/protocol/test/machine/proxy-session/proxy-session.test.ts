import { afterAll, describe, expect, it } from 'vitest';
import { type CryptoProvider, type ProtocolError, STREAM_TRANSITIONS, transitionRecorder } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { bench, crypto, established, type Rogue, rogue } from './session-bench.ts';

const WINDOW = wire.LIMITS.streamWindowBytes;
const HOST = { host: 'wiki.example', port: 443 };
const recorder = transitionRecorder();
const { listener: onTransition } = recorder;

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as ProtocolError).code;
  }
}

describe('a session of px with its streams (F10.3, F10.4)', () => {
  it('opens a stream, carries bytes both ways, and ends each half apart', async () => {
    const { app, proxy, settle } = await established({ onTransition });
    app.running.call({ type: 'open', streamId: 0, ...HOST });
    await settle();
    expect(proxy.told()).toEqual([{ type: 'opening', streamId: 0, ...HOST }]);
    expect(app.running.credit(0)).toBe(0);
    proxy.running.call({ type: 'accept', streamId: 0 });
    await settle();
    expect(app.told()).toEqual([{ type: 'opened', streamId: 0 }]);
    app.running.call({ type: 'write', streamId: 0, bytes: new Uint8Array(40_000).fill(7) });
    app.running.call({ type: 'end', streamId: 0 });
    await settle();
    const sizes = proxy.told().map((event) => (event.type === 'data' ? event.bytes.length : event.type));
    expect(sizes).toEqual([wire.LIMITS.streamDataBytes, 40_000 - wire.LIMITS.streamDataBytes, 'ended']);
    expect(codeOf(() => app.running.call({ type: 'write', streamId: 0, bytes: Uint8Array.of(1) }))).toBe('ERR_USAGE_STATE');
    proxy.running.call({ type: 'write', streamId: 0, bytes: Uint8Array.of(1, 2, 3) });
    proxy.running.call({ type: 'end', streamId: 0 });
    await settle();
    expect(app.told()).toEqual([
      { type: 'data', streamId: 0, bytes: Uint8Array.of(1, 2, 3) },
      { type: 'ended', streamId: 0 },
    ]);
    expect([app.running.openStreams, proxy.running.openStreams]).toEqual([0, 0]);
    // What comes after the end of a stream is passed over, and calls about it do nothing.
    proxy.running.call({ type: 'consumed', streamId: 0, bytes: 40_000 });
    app.running.call({ type: 'reset', streamId: 0, reason: 'cancelled' });
    await settle();
    expect([app.ended, proxy.ended]).toEqual([undefined, undefined]);
  });

  it('lets a sender go no further ahead of the reader than a window, and gives room back in halves of it', async () => {
    const { app, proxy, settle } = await established({ stream: true, onTransition });
    app.running.call({ type: 'write', streamId: 0, bytes: new Uint8Array(WINDOW) });
    expect(app.running.credit(0)).toBe(0);
    expect(codeOf(() => app.running.call({ type: 'write', streamId: 0, bytes: Uint8Array.of(1) }))).toBe('ERR_USAGE_STATE');
    await settle();
    proxy.running.call({ type: 'consumed', streamId: 0, bytes: WINDOW / 2 - 1 });
    await settle();
    expect(app.running.credit(0)).toBe(0);
    proxy.running.call({ type: 'consumed', streamId: 0, bytes: 1 });
    await settle();
    expect(app.running.credit(0)).toBe(WINDOW / 2);
    expect(app.told()).toEqual([{ type: 'credit', streamId: 0 }]);
    expect(codeOf(() => proxy.running.call({ type: 'consumed', streamId: 0, bytes: WINDOW }))).toBe('ERR_USAGE_ARGUMENT');
    // The proxy has sent all: who reads it has nothing to give back to it.
    proxy.running.call({ type: 'write', streamId: 0, bytes: new Uint8Array(WINDOW) });
    proxy.running.call({ type: 'end', streamId: 0 });
    await settle();
    app.running.call({ type: 'consumed', streamId: 0, bytes: WINDOW });
    expect(app.sent).toEqual([]);
  });

  it('refuses a stream, resets one in each state, and goes on', async () => {
    const { app, proxy, settle } = await established({ onTransition });
    for (const streamId of [0, 1, 2]) app.running.call({ type: 'open', streamId, ...HOST });
    await settle();
    proxy.running.call({ type: 'refuse', streamId: 0, reason: 'unknownHost' });
    proxy.running.call({ type: 'reset', streamId: 1, reason: 'lost' });
    app.running.call({ type: 'reset', streamId: 2, reason: 'cancelled' });
    await settle();
    expect(app.told()).toEqual([
      { type: 'refused', streamId: 0, reason: 'unknownHost' },
      { type: 'reset', streamId: 1, reason: 'lost' },
    ]);
    expect(proxy.told().at(-1)).toEqual({ type: 'reset', streamId: 2, reason: 'cancelled' });
    for (const [streamId, halves] of [
      [3, []],
      [4, ['app']],
      [5, ['proxy']],
    ] as const) {
      app.running.call({ type: 'open', streamId, ...HOST });
      await settle();
      proxy.running.call({ type: 'accept', streamId });
      await settle();
      for (const half of halves) (half === 'app' ? app : proxy).running.call({ type: 'end', streamId });
      await settle();
      app.running.call({ type: 'reset', streamId, reason: 'cancelled' });
      await settle();
      expect([app.running.openStreams, proxy.running.openStreams]).toEqual([0, 0]);
    }
    expect([app.ended, proxy.ended]).toEqual([undefined, undefined]);
  });

  it('refuses what the owner may not do, and changes nothing by it', async () => {
    const { app, proxy, settle } = await established({ limits: { openStreams: 1 }, stream: true });
    expect(codeOf(() => app.running.call({ type: 'open', streamId: 1, ...HOST }))).toBe('ERR_REJECTED_BUSY');
    expect(codeOf(() => app.running.call({ type: 'open', streamId: 0, ...HOST }))).toBe('ERR_USAGE_ARGUMENT');
    expect(codeOf(() => proxy.running.call({ type: 'open', streamId: 9, ...HOST }))).toBe('ERR_USAGE_ARGUMENT');
    expect(codeOf(() => proxy.running.call({ type: 'accept', streamId: 0 }))).toBe('ERR_USAGE_STATE');
    app.running.call({ type: 'write', streamId: 0, bytes: Uint8Array.of(1) });
    await settle();
    expect(proxy.told()).toEqual([{ type: 'data', streamId: 0, bytes: Uint8Array.of(1) }]);
    const early = bench();
    expect(codeOf(() => early.app.running.call({ type: 'open', streamId: 0, ...HOST }))).toBe('ERR_USAGE_STATE');
  });

  it('is closed by either end in good order; without that what came may not be all', async () => {
    const one = await established({ stream: true });
    one.app.running.call({ type: 'close' });
    await one.settle();
    expect([one.app.ended, one.proxy.ended]).toEqual([{ error: undefined }, { error: undefined }]);
    one.proxy.running.call({ type: 'close' });
    one.proxy.running.closed();
    const two = await established();
    two.proxy.running.closed();
    expect(two.proxy.ended?.error).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: 'F10.4' });
    expect(two.proxy.sent).toEqual([]);
    const three = bench();
    three.app.running.call({ type: 'close' });
    expect(three.app.ended).toEqual({ error: undefined });
  });

  it.each(['close', 'cut off', 'peer breaks a rule'] as const)('leaves no key behind at its end: %s', async (how) => {
    let live = 0;
    const provider: CryptoProvider = Object.assign(Object.create(crypto), {
      gcm(key: Uint8Array) {
        const made = crypto.gcm(key);
        live++;
        let isWiped = false;
        const wipe = (): void => {
          if (!isWiped) live--;
          isWiped = true;
          made.wipe();
        };
        return { seal: made.seal.bind(made), open: made.open.bind(made), wipe };
      },
    });
    const { app, proxy } = await established({ provider });
    expect(live).toBe(4);
    if (how === 'close') app.running.call({ type: 'close' });
    else if (how === 'cut off') app.running.closed();
    else app.running.received(Uint8Array.of(0x17, 0, 16, ...new Uint8Array(16)));
    expect(app.ended).toBeDefined();
    expect(live).toBe(2);
    proxy.running.closed();
    expect(live).toBe(0);
  });

  it('asks a quiet session whether it lives, and ends one that does not answer', async () => {
    const live = await established();
    await live.clock.advance(wire.LIMITS.streamQuietMs);
    expect(live.app.sent).toHaveLength(1);
    await live.settle();
    for (let time = 0; time < 12; time++) {
      await live.clock.advance(wire.LIMITS.streamPongMs - 1);
      await live.settle();
    }
    expect([live.app.ended, live.proxy.ended]).toEqual([undefined, undefined]);
    const dead = await established();
    await dead.clock.advance(wire.LIMITS.streamQuietMs);
    dead.app.sent.length = 0;
    await dead.clock.advance(wire.LIMITS.streamPongMs);
    expect(dead.app.ended?.error).toMatchObject({ code: 'ERR_PEER_TIMEOUT' });
  });

  it.each(['wrong key', 'unknown', 'busy'] as const)('a handshake with %s ends both, and no stream is ever there', async (known) => {
    const { app, proxy, settle } = bench({ known });
    await settle();
    expect(app.ended?.error).toMatchObject({ step: 'F10.3' });
    expect(proxy.ended?.error).toBeDefined();
    expect(proxy.events.filter(({ type }) => type !== 'proofFailed')).toEqual([]);
    expect(app.events).toEqual([]);
  });
});

/** What a peer that holds the keys of the session may do wrong. */
describe('a session with a peer that breaks rules', () => {
  const open = (streamId: number): Uint8Array => wire.streamOpen.encode({ streamId, ...HOST });
  const data = (streamId: number, length = 1): Uint8Array => wire.streamData.encode({ streamId, bytes: new Uint8Array(length) });
  const withOpen = (): Rogue => {
    const made = rogue('proxy');
    made.give(open(0));
    made.call({ type: 'accept', streamId: 0 });
    return made;
  };
  const flood = (made: Rogue): void => {
    for (let left = WINDOW + 1; left > 0; left -= wire.LIMITS.streamDataBytes) made.give(data(0, Math.min(left, wire.LIMITS.streamDataBytes)));
  };

  const cutShort = (made: Rogue): void => {
    made.give(data(0, 100).subarray(0, 50));
    made.raw(made.sealer.close());
  };

  it.each<[string, string, (made: Rogue) => void]>([
    ['the same stream twice', 'ERR_PEER_REPLAY', (made) => made.give(open(0))],
    ['a stream that nobody opened', 'ERR_PEER_UNEXPECTED', (made) => made.give(data(1))],
    ['more data than there is room for', 'ERR_PEER_UNEXPECTED', flood],
    ['more room than a window', 'ERR_PEER_UNEXPECTED', (made) => made.give(wire.streamCredit.encode({ streamId: 0, bytes: 1 }))],
    ['data behind the end', 'ERR_PEER_UNEXPECTED', (made) => made.give(wire.streamEnd.encode({ streamId: 0 }), data(0))],
    ['an answer of a Proxy', 'ERR_PEER_UNEXPECTED', (made) => made.give(wire.streamOpened.encode({ streamId: 0 }))],
    ['a pong that nobody asked for', 'ERR_PEER_UNEXPECTED', (made) => made.give(wire.streamPong.encode({ number: 0 }))],
    ['a frame of something else', 'ERR_WIRE_TYPE', (made) => made.give(wire.alert.encode({ code: 'busy' }))],
    ['the head of a frame of something else', 'ERR_WIRE_TYPE', (made) => made.give(wire.alert.encode({ code: 'busy' }).subarray(0, -1))],
    ['bytes that are no frame', 'ERR_WIRE_VERSION', (made) => made.give(new Uint8Array(16).fill(9))],
    ['a record that does not open', 'ERR_CRYPTO_OPEN', (made) => made.raw(new Uint8Array(40).fill(0x17))],
    ['a close within a frame', 'ERR_WIRE_TRUNCATED', cutShort],
    ['a session that was broken off', 'ERR_PEER_ALERT', (made) => made.raw(made.sealer.close(1))],
  ])('%s: the session ends with one alert, and takes nothing more', (_name, code, breakIt) => {
    const made = withOpen();
    made.opened();
    breakIt(made);
    expect(made.end.ended?.error).toMatchObject({ code, step: 'F10.4' });
    expect(made.end.machine.state).toBe('ended');
    expect(made.opened().at(-1)).toEqual({ type: 'closed', alert: 1 });
    expect(made.end.machine.handle({ type: 'received', frame: new Uint8Array(3) }, 0)).toEqual([]);
  });

  it('an app takes no stream from its Proxy', () => {
    const made = rogue('app');
    made.give(open(0));
    expect(made.end.ended?.error).toMatchObject({ code: 'ERR_PEER_UNEXPECTED' });
  });

  it('a Proxy refuses the stream over the bound, and its number is used up', () => {
    const made = rogue('proxy');
    for (let streamId = 0; streamId <= wire.LIMITS.openStreams; streamId++) made.give(open(streamId));
    expect(made.end.told()).toHaveLength(wire.LIMITS.openStreams);
    expect(made.opened()).toMatchObject([{ type: 'data', plaintext: wire.streamRefused.encode({ streamId: wire.LIMITS.openStreams, reason: 'busy' }) }]);
    made.give(open(wire.LIMITS.openStreams));
    expect(made.end.ended?.error).toMatchObject({ code: 'ERR_PEER_REPLAY' });
  });

  it('passes over what comes for a stream that has ended, since it may have been on its way', () => {
    const made = withOpen();
    made.call({ type: 'write', streamId: 0, bytes: new Uint8Array(9) });
    made.call({ type: 'reset', streamId: 0, reason: 'cancelled' });
    made.end.told();
    made.give(data(0), wire.streamCredit.encode({ streamId: 0, bytes: 9 }), wire.streamEnd.encode({ streamId: 0 }));
    expect([made.end.told(), made.end.ended, made.end.machine.state]).toEqual([[], undefined, 'established']);
  });

  it('tells nobody of room for a half that has ended', () => {
    const made = withOpen();
    made.call({ type: 'write', streamId: 0, bytes: new Uint8Array(9) });
    made.call({ type: 'end', streamId: 0 });
    made.end.told();
    made.give(wire.streamCredit.encode({ streamId: 0, bytes: 9 }));
    expect([made.end.told(), made.end.machine.credit(0), made.end.ended]).toEqual([[], 0, undefined]);
  });

  it('takes no late answer of the handshake', () => {
    const made = withOpen();
    expect(made.end.machine.handle({ type: 'result', result: { type: 'identified' } }, made.clock.nowMs())).toEqual([]);
    expect(made.end.machine.state).toBe('established');
  });

  it('does not take a fault of its owner for one of the peer', () => {
    const made = rogue('proxy', ({ role }) => {
      if (role === 'stream') throw new TypeError('a listener that fails');
    });
    expect(() => made.give(open(0))).toThrow(TypeError);
  });

  it('answers a ping with its number, and takes a frame that comes in two records', () => {
    const made = rogue('proxy');
    made.give(wire.streamPing.encode({ number: 77 }));
    expect(made.opened()).toEqual([{ type: 'data', plaintext: wire.streamPong.encode({ number: 77 }) }]);
    const frame = open(0);
    made.give(frame.subarray(0, 5));
    expect(made.end.told()).toEqual([]);
    made.give(frame.subarray(5));
    expect(made.end.told()).toEqual([{ type: 'opening', streamId: 0, ...HOST }]);
  });
});

afterAll(() => {
  expect(recorder.missing(STREAM_TRANSITIONS)).toEqual([]);
});
