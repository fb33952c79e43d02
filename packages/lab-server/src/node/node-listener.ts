import { type ClientHttp2Session, connect, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type TLSSocket } from 'node:tls';
import type { PeerIdentity } from '@uemkit/protocol';
import { LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
import { type HttpServer, listening } from './listening.ts';
import { identify } from './tls-peer.ts';

/** ALPN of a standing connection: HTTP/2 in which the side that dialled is the server. */
export const NODE_ALPN = 'uemkit-node/1';
/** ALPN of a connection that a node has dialled for an app: a ticket, then bytes. */
export const NODE_DIALLED_ALPN = 'uemkit-node-app/1';
/** Requests that may be open on one standing connection. */
export const NODE_REQUESTS = 4_096;
const ALPNS: ReadonlySet<string | false | null> = new Set([NODE_ALPN, NODE_DIALLED_ALPN]);
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
  /** A connection for an app; it is this one's from here on. */
  dialled(connection: Duplex, peer: PeerIdentity): Promise<void>;
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
    ALPNProtocols: [NODE_ALPN, NODE_DIALLED_ALPN],
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
    if (peer === undefined || !ALPNS.has(socket.alpnProtocol)) {
      options.refused('connection', 'closed', socket.remoteAddress ?? '', 'no certificate of this lab');
      socket.destroy();
      return;
    }
    if (socket.alpnProtocol === NODE_DIALLED_ALPN) {
      // The two halves of what passes end apart; a node that is gone without a word is found out by the system.
      socket.allowHalfOpen = true;
      socket.setKeepAlive(true, PING_MS);
      options.dialled(socket, peer).catch(options.failed);
      return;
    }
    const session = connect('https://connectivity-node', {
      createConnection: () => socket,
      settings: { enablePush: false, maxConcurrentStreams: 0 },
    });
    session.on('error', () => session.destroy());
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
