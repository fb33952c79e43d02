import { describe, expect, it } from 'vitest';
import * as wire from '../../../src/wire/index.ts';
import { bench, established } from './session-bench.ts';

describe('a session of dc with its streams (F11.3, F11.4)', () => {
  it('carries bytes both ways as plain frames, which the TLS connection below protects', async () => {
    const { app, proxy, settle } = await established({ direct: 'one connection', stream: true });
    app.running.call({ type: 'write', streamId: 0, bytes: Uint8Array.of(1, 2, 3) });
    expect(app.sent.map(wire.peekFrameName)).toEqual(['streamData']);
    app.running.call({ type: 'end', streamId: 0 });
    await settle();
    expect(proxy.told()).toEqual([
      { type: 'data', streamId: 0, bytes: Uint8Array.of(1, 2, 3) },
      { type: 'ended', streamId: 0 },
    ]);
    proxy.running.call({ type: 'write', streamId: 0, bytes: new Uint8Array(40_000) });
    proxy.running.call({ type: 'end', streamId: 0 });
    await settle();
    expect(app.told().map(({ type }) => type)).toEqual(['data', 'data', 'data', 'ended']);
    expect([app.running.openStreams, proxy.running.openStreams]).toEqual([0, 0]);
  });

  it('has frames of the Proxy that fill records of TLS, so that the app finds each whole in what it reads', async () => {
    const { proxy } = await established({ direct: 'one connection', stream: true });
    proxy.running.call({ type: 'write', streamId: 0, bytes: new Uint8Array(4 * wire.dataBytesOfTlsRecord(0)) });
    expect(proxy.sent.map(({ length }) => length)).toEqual([16_384, 16_384, 16_384, 16_384]);
  });

  it('does not come about when app and Proxy are the ends of two TLS connections', async () => {
    const { app, proxy, settle } = bench({ direct: 'two connections' });
    await settle();
    expect(app.ended?.error).toMatchObject({ kind: expect.stringMatching(/crypto|peer/) });
    expect(proxy.running.state).not.toBe('established');
  });

  it('takes no frame of a handshake behind it, and tells the other end nothing', async () => {
    const { app, proxy } = await established({ direct: 'one connection' });
    const start = bench({ direct: 'one connection' }).app.sent[0] as Uint8Array;
    proxy.running.received(start);
    expect(proxy.ended?.error).toMatchObject({ kind: 'wire', step: 'F11.4' });
    expect([proxy.sent, app.ended]).toEqual([[], undefined]);
    app.running.received(wire.alert.encode({ code: 'internal' }));
    expect(app.ended?.error).toMatchObject({ code: 'ERR_WIRE_TYPE', step: 'F11.4' });
  });

  it('takes no records, and no frame of a stream before the handshake is over', async () => {
    const { proxy } = await established({ direct: 'one connection' });
    proxy.running.received(Uint8Array.of(0x17, 3, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    expect(proxy.ended?.error).toMatchObject({ kind: 'wire' });
    const other = await established({ direct: 'one connection' });
    other.proxy.running.received(wire.connectProxy.encode({ proxyId: 'proxy-1' }));
    expect(other.proxy.ended?.error).toMatchObject({ code: 'ERR_WIRE_TYPE' });
    const early = bench({ direct: 'one connection' });
    early.proxy.running.received(wire.streamPing.encode({ number: 0 }));
    expect(early.proxy.ended?.error?.kind).toMatch(/wire|peer/);
  });

  it('ends without a word when it is closed; an end that nobody announced is no good end', async () => {
    const { app, proxy } = await established({ direct: 'one connection', stream: true });
    app.running.call({ type: 'close' });
    expect([app.sent, app.ended]).toEqual([[], { error: undefined }]);
    proxy.running.closed();
    expect(proxy.ended?.error).toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: 'F11.4' });
  });
});
