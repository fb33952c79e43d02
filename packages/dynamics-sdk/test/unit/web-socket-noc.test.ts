import { ProtocolError } from '@uemkit/protocol';
import { fakeClock } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { webSocketNocTransport } from '../../src/browser/index.ts';

/** The platform's WebSocket, as far as it is used; a test says what happens. */
class FakeSocket extends EventTarget {
  static last: FakeSocket;
  binaryType = '';
  readyState = 0;
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  readonly closes: (number | undefined)[] = [];
  readonly url: string;
  readonly protocol: string;
  constructor(url: string, protocol: string) {
    super();
    this.url = url;
    this.protocol = protocol;
    FakeSocket.last = this;
  }
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(code?: number): void {
    this.closes.push(code);
    this.tell('close', { code: code ?? 1000, wasClean: true });
  }
  tell(name: string, fields: object = {}): void {
    if (name === 'open') this.readyState = 1;
    if (name === 'close') this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event(name), fields));
  }
}

function opening(signal = new AbortController().signal) {
  const frames: Uint8Array[] = [];
  const closed: (string | undefined)[] = [];
  const connection = webSocketNocTransport({ webSocket: FakeSocket as never, clock: fakeClock(0) }).openNoc({
    address: 'noc.example:443',
    trust: { roots: 'platform', spkiPins: [] },
    signal,
    onFrame: (frame) => void frames.push(frame),
    onClose: (error) => void closed.push(error?.code),
  });
  return { connection, frames, closed, socket: FakeSocket.last };
}

it('carries one frame a binary message, and nothing else', async () => {
  const { connection, frames, closed, socket } = opening();
  expect([socket.url, socket.protocol, socket.binaryType]).toEqual(['wss://noc.example:443/uemkit/1/noc', 'uemkit.noc.1', 'arraybuffer']);
  socket.tell('open');
  const noc = await connection;
  noc.send(Uint8Array.of(1));
  socket.tell('message', { data: Uint8Array.of(2).buffer });
  expect([socket.sent, frames]).toEqual([[Uint8Array.of(1)], [Uint8Array.of(2)]]);
  socket.tell('message', { data: 'text' });
  expect(socket.closes).toEqual([4003]);
  noc.send(Uint8Array.of(3));
  expect([socket.sent.length, closed]).toEqual([1, [undefined]]);
});

it('ends after a message that is too long, and tells of a connection that broke', async () => {
  const long = opening();
  long.socket.tell('open');
  await long.connection;
  long.socket.tell('message', { data: new ArrayBuffer(20_000) });
  expect([long.socket.closes, long.frames]).toEqual([[4003], []]);
  const broken = opening();
  broken.socket.tell('open');
  await broken.connection;
  broken.socket.tell('close', { code: 1006, wasClean: false });
  expect(broken.closed).toEqual(['ERR_TRANSPORT_CLOSED']);
});

it('rejects when there is no connection, or nobody wants it any more', async () => {
  const refused = opening();
  refused.socket.tell('close', { code: 1006, wasClean: false });
  await expect(refused.connection).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
  const stop = new AbortController();
  const stopped = opening(stop.signal);
  stop.abort(new ProtocolError('ERR_USAGE_STATE', 'closed'));
  await expect(stopped.connection).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
});

describe('a link', () => {
  function link({ signal = new AbortController().signal, trust = { roots: 'platform', spkiPins: [] } as const } = {}) {
    const clock = fakeClock(0);
    const heard: unknown[] = [];
    const opened = webSocketNocTransport({ webSocket: FakeSocket as never, clock }).openLink?.({
      address: 'noc.example:443',
      trust,
      signal,
      onBytes: (bytes) => void heard.push([...bytes]),
      onRoom: () => void heard.push('room'),
      onEnd: () => void heard.push('end'),
      onClose: (error) => void heard.push(error?.code ?? 'closed'),
    });
    if (opened === undefined) throw new Error('no links');
    return { opened, heard, clock, socket: FakeSocket.last };
  }
  const open = async () => {
    const made = link();
    made.socket.tell('open');
    return { ...made, channel: await made.opened };
  };

  it('is bytes in messages whose borders mean nothing, without a channel binding', async () => {
    const { channel, socket, heard } = await open();
    expect([socket.url, socket.protocol, socket.binaryType]).toEqual(['wss://noc.example:443/uemkit/1/link', 'uemkit.link.1', 'arraybuffer']);
    expect([channel.binding, channel.canPause]).toEqual([{ kind: 'none' }, false]);
    expect(channel.send(new Uint8Array(40_000))).toBe(true);
    expect(socket.sent.map(({ length }) => length)).toEqual([16_384, 16_384, 7_232]);
    socket.tell('message', { data: Uint8Array.of(1, 2).buffer });
    channel.pause();
    channel.resume();
    channel.end();
    expect([heard, socket.closes]).toEqual([[[1, 2]], []]);
    channel.close();
    expect(channel.send(Uint8Array.of(3))).toBe(true);
    expect([socket.sent.length, heard]).toEqual([3, [[1, 2], 'end', 'closed']]);
  });

  it('says when there is room again, and nothing after its end', async () => {
    const { channel, socket, heard, clock } = await open();
    socket.bufferedAmount = 262_145;
    expect([channel.send(Uint8Array.of(1)), channel.send(Uint8Array.of(1))]).toEqual([false, false]);
    await clock.advance(1_000);
    expect(heard).toEqual([]);
    socket.bufferedAmount = 131_072;
    await clock.advance(10);
    await clock.advance(1_000);
    expect(heard).toEqual(['room']);
    expect(channel.send(Uint8Array.of(1))).toBe(true);
    socket.bufferedAmount = 262_145;
    channel.send(Uint8Array.of(1));
    channel.close();
    socket.bufferedAmount = 0;
    await clock.advance(1_000);
    expect(heard).toEqual(['room', 'end', 'closed']);
  });

  it.each([
    ['breaks', (socket: FakeSocket) => socket.tell('close', { code: 1006, wasClean: false }), ['ERR_TRANSPORT_CLOSED']],
    ['is cut off cleanly, for a reason', (socket: FakeSocket) => socket.tell('close', { code: 1011, wasClean: true }), ['ERR_TRANSPORT_CLOSED']],
    ['is ended by the NOC', (socket: FakeSocket) => socket.tell('close', { code: 1005, wasClean: true }), ['end', 'closed']],
    ['carries text', (socket: FakeSocket) => socket.tell('message', { data: 'text' }), ['ERR_WIRE_TYPE']],
  ])('%s', async (_what, happens, heard) => {
    const made = await open();
    happens(made.socket);
    expect(made.heard).toEqual(heard);
  });

  it('needs the roots of the platform, and is not waited for after an abort', async () => {
    await expect(link({ trust: { roots: 'platform', spkiPins: [new Uint8Array(32)] } as never }).opened).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    const refused = link();
    refused.socket.tell('close', { code: 1006, wasClean: false });
    await expect(refused.opened).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
    const stop = new AbortController();
    const stopped = link({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(stopped.opened).rejects.toThrow('enough');
    await expect(link({ signal: stop.signal }).opened).rejects.toThrow('enough');
  });
});
