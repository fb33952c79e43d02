import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock, PeerIdentity } from '@uemkit/protocol';
import WebSocket, { WebSocketServer } from 'ws';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { Journal } from '../roles/role.ts';
import { SERVICE_PATH } from './frame-binding.ts';
import { endWith, plainBytes } from './http-server.ts';
import { PUSH_FRAME_BYTES } from './limits.ts';

/** Path of the push connection. */
export const PUSH_PATH: string = `${SERVICE_PATH}push`;
/** WebSocket subprotocol: one frame a binary message. */
export const PUSH_SUBPROTOCOL = 'uemkit.push.1';
/** Longest payload whose length fits into the second byte of a WebSocket frame (RFC 6455, 5.2). */
const SHORT_PAYLOAD_BYTES = 125;
/** First byte of a frame that is a whole binary message; the second is the length, without the mask that only clients have. */
const WHOLE_BINARY_MESSAGE = 0x82;
/** A peer that does not answer our closing handshake is cut off after this time. */
const CLOSE_MS = 5_000;

export interface PushUpgradeOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  /** WebSockets of pages have no preflight, so their origin is looked at here. */
  allows(origin: string | undefined): boolean;
  connect(socket: PushSocket, source: string): PushConnection;
}

/** Push connections as WebSockets (docs/protocol/10-push.md). */
export function pushUpgrade(options: PushUpgradeOptions): (request: IncomingMessage, socket: Duplex, head: Buffer, peer: PeerIdentity) => void {
  const { clock, journal } = options;
  const server = new WebSocketServer({
    noServer: true,
    WebSocket: DeviceSocket,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: PUSH_FRAME_BYTES,
    handleProtocols: (offered) => (offered.has(PUSH_SUBPROTOCOL) ? PUSH_SUBPROTOCOL : false),
  });
  // Malformed upgrade requests; ws has answered 400 when this runs without a listener of its own.
  const refuse = (socket: Duplex, status: string, source: string, reason: string): void => {
    journal.record({
      timeMs: clock.nowMs(),
      role: 'notification',
      service: 'push',
      request: 'upgrade',
      answer: status.slice(0, 3),
      source,
      reason,
      unknown: true,
    });
    endWith(socket, status);
  };

  return (request, socket, head, peer) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!options.allows(request.headers.origin)) return refuse(socket, '403 Forbidden', peer.source, 'a page of another origin');
    if (request.url !== PUSH_PATH) return refuse(socket, '404 Not Found', peer.source, 'no such path at this listener');
    if (!offered.includes(PUSH_SUBPROTOCOL)) return refuse(socket, '400 Bad Request', peer.source, `subprotocol ${PUSH_SUBPROTOCOL} was not offered`);
    server.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, socket, peer.source, options));
  };
}

/** A WebSocket that knows the push connection which it carries. Its listeners are the same functions for all devices: there are as many as devices. */
class DeviceSocket extends WebSocket {
  connection: PushConnection | undefined;
}

class DevicePushSocket implements PushSocket {
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #clock: Clock;

  constructor(webSocket: WebSocket, socket: Duplex, clock: Clock) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#clock = clock;
  }

  send(frame: Uint8Array): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    if (frame.length > SHORT_PAYLOAD_BYTES) return this.#webSocket.send(frame);
    // Wake-ups go out by the thousand: header and payload in one buffer and one write. ws writes the two apart, at a third more. Without compression ws
    // holds nothing back, so the order of what it writes itself is kept.
    const message = Buffer.allocUnsafe(2 + frame.length);
    message[0] = WHOLE_BINARY_MESSAGE;
    message[1] = frame.length;
    message.set(frame, 2);
    this.#socket.write(message);
  }

  ping(): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.ping();
  }

  close(why: 'ended' | 'refused'): void {
    const webSocket = this.#webSocket;
    webSocket.close(why === 'ended' ? 1000 : 1008);
    webSocket.once(
      'close',
      this.#clock.setTimer(CLOSE_MS, () => webSocket.terminate()),
    );
  }

  cutOff(): void {
    this.#webSocket.terminate();
  }

  get unreadBytes(): number {
    return this.#webSocket.bufferedAmount;
  }
}

/** Errors of the peer (too large, not UTF-8, wrong mask) close the socket by themselves; `close` follows. */
function onError(this: WebSocket): void {
  this.terminate();
}

function onMessage(this: WebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  // Text is no frame; it is handed on as an empty one, which the role refuses.
  (this as DeviceSocket).connection?.received(isBinary && Buffer.isBuffer(data) ? plainBytes(data) : new Uint8Array(0));
}

function onSignOfLife(this: WebSocket): void {
  (this as DeviceSocket).connection?.alive();
}

function onClose(this: WebSocket): void {
  (this as DeviceSocket).connection?.closed();
}

function accept(webSocket: DeviceSocket, socket: Duplex, source: string, { clock, connect }: PushUpgradeOptions): void {
  webSocket.on('error', onError).on('message', onMessage).on('pong', onSignOfLife).on('ping', onSignOfLife).on('close', onClose);
  webSocket.connection = connect(new DevicePushSocket(webSocket, socket, clock), source);
}
