import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type CancelTimer,
  type Clock,
  type CryptoProvider,
  type Entropy,
  type HandshakeRequestResult,
  isProtocolError,
  ProtocolError,
  proxySessionResponder,
  type RunningSession,
  runProxySession,
  type SessionEvent,
  type SessionLimits,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { connectTarget } from './connect-target.ts';
import { gather } from './gather.ts';
import { PROXY_AGAIN_MS } from './limits.ts';

/** Who an app is, for the handshake and for the rules. */
export interface KnownApp {
  readonly result: HandshakeRequestResult;
  readonly destinations: readonly wire.Destination[];
}

export interface ProxyStreamsOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** `dc`: `below` is TLS to the Proxy itself (F11). */
  readonly name: 'px' | 'dc';
  readonly limits?: Partial<SessionLimits> | undefined;
  /** Asks UEM for the key of an app. @throws ProtocolError */
  identify(start: wire.HandshakeStart): Promise<KnownApp>;
  /**
   * Asks UEM again, each `PROXY_AGAIN_MS`, for as long as the session stands. @returns what the app may reach now; undefined: UEM does not know the
   * app any more. @throws ProtocolError UEM cannot be asked now, which changes nothing
   */
  stillKnown(start: wire.HandshakeStart): Promise<readonly wire.Destination[] | undefined>;
  /** What became of a stream, and of the session. */
  told(request: string, answer: string, reason?: string): void;
}

/** The Proxy's end of one session with an app over `below`: it opens TCP connections to servers, and passes bytes on with back-pressure. */
export function serveProxySession(below: Duplex, options: ProxyStreamsOptions): void {
  const { clock, crypto, entropy, name, limits, told } = options;
  // BOUNDED by the open streams of a session.
  const sockets = new Map<number, { readonly socket: Socket; pump(): void }>();
  const closing = new AbortController();
  let rules: readonly wire.Destination[] = [];
  let isFull = false;
  let askAgain: () => void = () => {};
  let cancelAgain: CancelTimer = () => {};

  const machine = proxySessionResponder({ name, crypto, entropy, limits });
  const session: RunningSession = runProxySession(machine, 'responder', {
    clock,
    send(bytes) {
      if (below.destroyed) return;
      gather(below);
      if (!below.write(bytes) && below.writableLength >= HIGH_BYTES) isFull = true;
    },
    async identify({ start }) {
      const known = await options.identify(start);
      rules = known.destinations;
      askAgain = () => void again(start);
      return known.result;
    },
    onEvent(event) {
      if (event.type === 'established') {
        cancelLate();
        cancelAgain = clock.setTimer(PROXY_AGAIN_MS, askAgain);
      }
      handle(event as SessionEvent);
    },
    ended: (error) => over(error),
  });

  const over = (error: ProtocolError | undefined): void => {
    told('session', error === undefined ? 'closed' : 'broken', error === undefined ? undefined : `${error.code} ${error.message}`);
    closing.abort();
    cancelLate();
    cancelAgain();
    for (const { socket } of [...sockets.values()]) socket.resetAndDestroy();
    sockets.clear();
    below.end();
    // An app that does not end its half is cut off with the next bytes that it sends, and after a while without any.
    below.removeListener('data', received);
    below.on('data', () => below.destroy());
    below.once(
      'close',
      clock.setTimer(CLOSE_MS, () => below.destroy()),
    );
  };

  // check: F10.3 the app proves itself in time; the handshake has no deadline before its first message
  const cancelLate = clock.setTimer(wire.LIMITS.handshakeMs, () => session.closed(new ProtocolError('ERR_PEER_TIMEOUT', 'the app begins no session')));

  /** What UEM has taken back ends with the session that stands, on whatever way: no NOC is asked, which may be silent about it, or is not on the way (F11). */
  const again = async (start: wire.HandshakeStart): Promise<void> => {
    const known = await options.stillKnown(start).catch((error: unknown) => {
      if (!isProtocolError(error)) throw error;
      // A UEM that is away says nothing about the app.
      return rules;
    });
    if (closing.signal.aborted) return;
    // check: F10.4, F11.4 the app still counts
    if (known === undefined) return session.closed(new ProtocolError('ERR_REJECTED_REVOKED', 'UEM does not know the app any more'));
    rules = known;
    cancelAgain = clock.setTimer(PROXY_AGAIN_MS, askAgain);
  };

  const opening = async ({ streamId, host, port }: Extract<SessionEvent, { readonly type: 'opening' }>): Promise<void> => {
    // check: F10.4 the rules of the app allow the server
    if (!wire.isDestination(rules, { host, port })) {
      told('streamOpen', 'denied');
      return session.call({ type: 'refuse', streamId, reason: 'denied' });
    }
    // check: F10.4 streams that are being connected, those included that the app has given up
    if (connects >= wire.LIMITS.openStreams) {
      told('streamOpen', 'busy');
      return session.call({ type: 'refuse', streamId, reason: 'busy' });
    }
    connects += 1;
    // A reset of the app, or the end of the session, ends the connecting too.
    const asked = new AbortController();
    const ended = (): void => asked.abort();
    closing.signal.addEventListener('abort', ended, { once: true });
    connecting.set(streamId, asked);
    const sent = source(streamId);
    const over = (): void => {
      connects -= 1;
    };
    const socket = await connectTarget({ host, port }, asked.signal, {
      ...{ over, onBytes: sent.take },
      // Each read makes whole frames.
      ...(name === 'dc' ? { readBytes: 4 * wire.dataBytesOfTlsRecord(streamId) } : {}),
    });
    connecting.delete(streamId);
    closing.signal.removeEventListener('abort', ended);
    if (asked.signal.aborted) return void (typeof socket === 'string' || socket.destroy());
    if (typeof socket === 'string') {
      told('streamOpen', socket);
      return session.call({ type: 'refuse', streamId, reason: socket });
    }
    told('streamOpen', 'opened');
    attach(streamId, socket, () => sent.pump(socket));
    session.call({ type: 'accept', streamId });
    sent.pump(socket);
  };
  let connects = 0;
  // BOUNDED by the open streams of a session.
  const connecting = new Map<number, AbortController>();

  /** What a server sends on a stream. Without room for it the rest of one read waits here, and nothing more is read. */
  const source = (streamId: number): { take(bytes: Uint8Array): boolean; pump(socket: Socket): void } => {
    let rest: Uint8Array = NOTHING;
    const sent = (bytes: Uint8Array): Uint8Array => {
      const room = isFull ? 0 : Math.min(session.credit(streamId), bytes.length);
      if (room > 0) session.call({ type: 'write', streamId, bytes: bytes.subarray(0, room) });
      return bytes.subarray(room);
    };
    return {
      take(bytes) {
        const left = sent(bytes);
        rest = left.length > 0 ? left.slice() : NOTHING;
        return left.length === 0;
      },
      pump(socket) {
        if (rest.length > 0) rest = sent(rest);
        if (rest.length === 0) socket.resume();
      },
    };
  };

  const attach = (streamId: number, socket: Socket, pump: () => void): void => {
    const gone = (): void => {
      if (!sockets.delete(streamId)) return;
      // Both halves have ended: the session knows. Otherwise the connection broke.
      if (!(socket.readableEnded && socket.writableFinished)) session.call({ type: 'reset', streamId, reason: 'lost' });
    };
    sockets.set(streamId, { socket, pump });
    socket.once('end', () => session.call({ type: 'end', streamId }));
    socket.on('error', () => socket.destroy());
    socket.once('close', gone);
  };

  const handle = (event: SessionEvent): void => {
    if (event.type === 'opening') return void opening(event);
    if (event.type === 'established') return told('session', 'established');
    if (!('streamId' in event)) return;
    const { streamId } = event;
    if (event.type === 'reset') connecting.get(streamId)?.abort();
    const known = sockets.get(streamId);
    if (known === undefined) return;
    const { socket, pump } = known;
    switch (event.type) {
      case 'data': {
        const { length } = event.bytes;
        gather(socket);
        // Room is given back when the kernel has taken the bytes.
        socket.write(event.bytes, (error) => {
          if (error === undefined || error === null) session.call({ type: 'consumed', streamId, bytes: length });
        });
        return;
      }
      case 'ended':
        return void socket.end();
      case 'reset':
        sockets.delete(streamId);
        // Not as an end: only the app says that its half is complete, and the server is not to take a part for the whole.
        return void socket.resetAndDestroy();
      case 'credit':
        return pump();
      default:
    }
  };

  const received = (chunk: Buffer): void => {
    // A plain view: the parts of a `Buffer` would share memory where a copy is expected.
    session.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    if (below.writableLength <= MAX_UNREAD_BYTES) return;
    // check: F10.4 answers wait for an app that reads: bytes of servers do not get so far ahead
    session.closed(new ProtocolError('ERR_PEER_UNEXPECTED', 'the app asks, and does not read the answers'));
    below.destroy();
  };
  below.on('data', received);
  below.on('drain', () => {
    isFull = false;
    for (const { pump } of [...sockets.values()]) pump();
  });
  below.on('error', () => below.destroy());
  below.once('end', () => session.closed());
  below.once('close', () => session.closed());
}

/** An app that does not end its half is cut off after this time. */
const CLOSE_MS = 5_000;
/** Bytes that may wait for the app: what `pump` writes and some thousand answers. */
const MAX_UNREAD_BYTES = 1_048_576;
/** With so much waiting for the app nothing more is read from servers. */
const HIGH_BYTES = 262_144;
const NOTHING: Uint8Array = new Uint8Array(0);
