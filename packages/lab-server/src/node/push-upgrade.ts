import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock, PeerIdentity } from '@uemkit/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { Journal } from '../roles/role.ts';
import { SERVICE_PATH } from './frame-binding.ts';
import { endWith, plainBytes } from './http-server.ts';
import { PUSH_FRAME_BYTES } from './limits.ts';

/** Path of the push connection. */
export const PUSH_PATH: string = `${SERVICE_PATH}push`;
/** WebSocket subprotocol: one frame a binary message. */
export const PUSH_SUBPROTOCOL = 'uemkit.push.1';
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
    server.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, peer.source, options));
  };
}

function accept(webSocket: WebSocket, source: string, options: PushUpgradeOptions): void {
  const { clock } = options;
  // Errors of the peer (too large, not UTF-8, wrong mask) close the socket by themselves; `close` follows.
  webSocket.on('error', () => webSocket.terminate());
  const connection = options.connect(
    {
      send(frame) {
        if (webSocket.readyState === webSocket.OPEN) webSocket.send(frame);
      },
      ping() {
        if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
      },
      close(why) {
        webSocket.close(why === 'ended' ? 1000 : 1008);
        const cancel = clock.setTimer(CLOSE_MS, () => webSocket.terminate());
        webSocket.once('close', cancel);
      },
      cutOff: () => webSocket.terminate(),
      get unreadBytes() {
        return webSocket.bufferedAmount;
      },
    },
    source,
  );
  webSocket.on('message', (data, isBinary) => {
    // Text is no frame; it is handed on as an empty one, which the role refuses.
    connection.received(isBinary && Buffer.isBuffer(data) ? plainBytes(data) : new Uint8Array(0));
  });
  webSocket.on('pong', () => connection.alive());
  webSocket.on('ping', () => connection.alive());
  webSocket.once('close', () => connection.closed());
}
