import { type ClientHttp2Session, connect, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { PeerIdentity } from '@uemkit/protocol';
import { LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
import { type HttpServer, listening } from './listening.ts';
import { identify } from './tls-peer.ts';

/** ALPN of a standing connection: HTTP/2 in which the side that dialled is the server. */
export const NODE_ALPN = 'uemkit-node/1';
/** Unread bytes of one stream on a standing connection. */
export const NODE_STREAM_WINDOW_BYTES = 262_144;
/** No bound of its own for the connection: one stream that nobody reads must not stop the others. Streams have theirs. */
export const NODE_CONNECTION_WINDOW_BYTES = 2_147_483_647;
/** Streams on one standing connection. */
export const NODE_STREAMS = 4_096;
/** Megabytes that one standing connection may hold; new streams are refused over it. */
export const NODE_SESSION_MEMORY_MB = 256;
/** A connection that gives no answer to a ping within this time is dead. */
const PONG_MS = 5_000;
/** Between two pings. */
const PING_MS = 10_000;

export interface NodeListenerOptions {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** Root that the certificates of nodes come from, PEM. */
  readonly root: string;
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** False: not this peer. */
  accept(session: ClientHttp2Session, peer: PeerIdentity): Promise<boolean>;
  refused(request: string, answer: string, source: string, reason: string): void;
  failed(error: unknown): void;
}

/**
 * The listener for Connectivity Nodes (F10.3): they dial, by mutual TLS 1.3, and the NOC is the client on what they dialled.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the port cannot be opened
 */
export async function listenNodes(options: NodeListenerOptions): Promise<HttpServer> {
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const server = createServer({
    key: options.key,
    cert: options.certificate,
    ca: options.root,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ALPNProtocols: [NODE_ALPN],
    handshakeTimeout: limits.tlsHandshakeMs,
  });
  server.maxConnections = limits.connections;
  // BOUNDED by limits.connections.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    options.refused('connection', 'closed', socket.remoteAddress ?? '', `TLS: ${error.code ?? 'failed'}`);
    socket.destroy();
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
    const peer = identify(socket, options.root);
    // check: F10.3 a certificate of this lab
    if (peer === undefined || socket.alpnProtocol !== NODE_ALPN) {
      options.refused('connection', 'closed', socket.remoteAddress ?? '', 'no certificate of this lab');
      socket.destroy();
      return;
    }
    const session = connect('https://connectivity-node', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: NODE_STREAM_WINDOW_BYTES, maxConcurrentStreams: 0 },
      maxSessionMemory: NODE_SESSION_MEMORY_MB,
    });
    session.on('error', () => session.destroy());
    session.once('connect', () => session.setLocalWindowSize(NODE_CONNECTION_WINDOW_BYTES));
    keepAlive(session);
    options.accept(session, peer).then(
      (isTaken) => {
        if (!isTaken) session.destroy();
      },
      (error: unknown) => {
        session.destroy();
        options.failed(error);
      },
    );
  });
  return listening(server, sockets, { ...options, name: 'nodes' });
}

/** Ends a session whose other end is gone without a word. Both ends do this: each has to know by itself. */
export function keepAlive(session: Http2Session): void {
  let late: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    if (session.destroyed || late !== undefined) return;
    late = setTimeout(() => session.destroy(), PONG_MS);
    session.ping(() => {
      clearTimeout(late);
      late = undefined;
    });
  }, PING_MS);
  session.once('close', () => {
    clearInterval(timer);
    clearTimeout(late);
  });
}
