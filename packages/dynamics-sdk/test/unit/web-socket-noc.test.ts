import { ProtocolError } from '@uemkit/protocol';
import { expect, it } from 'vitest';
import { webSocketNocTransport } from '../../src/browser/index.ts';

/** The platform's WebSocket, as far as it is used; a test says what happens. */
class FakeSocket extends EventTarget {
  static last: FakeSocket;
  binaryType = '';
  readyState = 0;
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
  const connection = webSocketNocTransport({ webSocket: FakeSocket as never }).openNoc({
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
