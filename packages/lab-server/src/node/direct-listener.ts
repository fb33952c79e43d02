import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Clock } from '@uemkit/protocol';
import { LIMITS } from '@uemkit/protocol/wire';
import { LISTENER_LIMITS } from './limits.ts';
import { type HttpServer, listening } from './listening.ts';

/** ALPN of Direct Connect. */
const DIRECT_ALPN = 'uemkit-dc/1';
/** Label of RFC 9266, with an empty context. */
const BINDING_LABEL = 'EXPORTER-Channel-Binding';

export interface DirectListenerOptions {
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** An app that has dialled; `binding` is of this TLS connection. To be told once the app has proved itself. */
  accept(socket: TLSSocket, binding: Uint8Array, proved: () => void): void;
  refused(source: string, reason: string): void;
}

/** The listener of Direct Connect (F11.2): TLS 1.3, in which the app proves itself by `dc`. @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the port cannot be opened */
export async function listenDirect(options: DirectListenerOptions): Promise<HttpServer> {
  const server = createServer({
    key: options.key,
    cert: options.certificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ALPNProtocols: [DIRECT_ALPN],
    handshakeTimeout: LISTENER_LIMITS.tlsHandshakeMs,
  });
  server.maxConnections = LISTENER_LIMITS.connections;
  // BOUNDED by the connections of the listener.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    options.refused(socket.remoteAddress ?? '', `TLS: ${error.code ?? 'failed'}`);
    socket.destroy();
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
    // check: F11.2 ALPN of Direct Connect
    if (socket.alpnProtocol !== DIRECT_ALPN) {
      options.refused(socket.remoteAddress ?? '', 'another protocol');
      socket.destroy();
      return;
    }
    // check: F11.3 the app proves itself in time
    const late = options.clock.setTimer(LIMITS.handshakeMs, () => socket.destroy());
    socket.once('close', late);
    options.accept(socket, new Uint8Array(socket.exportKeyingMaterial(32, BINDING_LABEL, Buffer.alloc(0))), late);
  });
  return listening(server, sockets, { ...options, name: 'Direct Connect', failed: () => options.refused('', 'the listener failed') });
}
