import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer, type TLSSocket } from 'node:tls';
import { isProtocolError, keySchedule, ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import WebSocket, { createWebSocketStream, WebSocketServer } from 'ws';
import { ENVELOPE_BODY_BYTES } from '../roles/noc/noc.ts';
import type { NocConnection, NocSocket } from '../roles/noc/noc-connection.ts';
import { SERVICE_PATH } from './frame-binding.ts';
import { endWith, plainBytes } from './http-server.ts';
import { LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
import { type HttpServer, listening } from './listening.ts';

/** ALPN of a link: `link`, then `Connect`, then bytes (docs/protocol/12). */
export const LINK_ALPN = 'uemkit-link/1';
/** Path and subprotocol of the same over a WebSocket. */
export const LINK_PATH: string = `${SERVICE_PATH}link`;
export const LINK_SUBPROTOCOL = 'uemkit.link.1';
/** ALPN of frames one after the other on the TLS stream; anything else is HTTP/1.1 for the WebSocket. */
export const NOC_ALPN = 'uemkit-noc/1';
type ChannelBinding = keySchedule.ChannelBinding;

/** Path of the WebSocket of apps that live in a page. */
export const NOC_PATH: string = `${SERVICE_PATH}noc`;
/** WebSocket subprotocol: one frame a binary message. */
export const NOC_SUBPROTOCOL = 'uemkit.noc.1';

export interface NocListenerOptions {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** WebSockets of pages have no preflight, so their origin is looked at here. */
  allows(origin: string | undefined): boolean;
  /** A new connection; undefined: there is no room for it. */
  connect(socket: NocSocket, source: string): NocConnection | undefined;
  /** An app wants to connect to something behind the NOC (F10.2). */
  link(stream: Duplex, binding: ChannelBinding, source: string): void;
  refused(request: string, answer: string, source: string, reason: string): void;
  failed(error: unknown): void;
}

/**
 * The listener of the NOC (F3.7): TLS 1.3, by ALPN raw frames or a WebSocket (docs/protocol/09, 9.6).
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the port cannot be opened
 */
export async function listenNoc(options: NocListenerOptions): Promise<HttpServer> {
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const server = createServer({
    key: options.key,
    cert: options.certificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ALPNProtocols: [NOC_ALPN, LINK_ALPN, 'http/1.1'],
    handshakeTimeout: limits.tlsHandshakeMs,
  });
  server.maxConnections = limits.connections;
  // BOUNDED by limits.connections.
  const sockets = new Set<Socket>();
  const upgrades = upgradeServer(options, limits);

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
    if (socket.alpnProtocol === NOC_ALPN) frames(socket, options, limits.streamStallMs);
    else if (socket.alpnProtocol === LINK_ALPN) {
      // The two halves of what passes through a link end apart.
      socket.allowHalfOpen = true;
      options.link(socket, exporterOf(socket), socket.remoteAddress ?? '');
    } else upgrades(socket);
  });
  return listening(server, sockets, { ...options, name: 'noc' });
}

/** RFC 9266: the same 32 bytes at both ends of one TLS connection, and of no other. */
function exporterOf(socket: TLSSocket): ChannelBinding {
  return { kind: 'tls-exporter', value: plainBytes(socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))) };
}

/** Frames one after the other on the TLS stream. */
function frames(socket: TLSSocket, options: NocListenerOptions, stallMs: number): void {
  const source = socket.remoteAddress ?? '';
  const parser = wire.frameParser({ maxBodyBytes: ENVELOPE_BODY_BYTES, trailerBytes: trailerOf });
  const connection = options.connect(streamSocket(socket, stallMs), source);
  if (connection === undefined) return void socket.destroy();
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of parser.push(chunk)) connection.received(frame);
    } catch (error) {
      if (!isProtocolError(error)) options.failed(error);
      socket.removeAllListeners('data').resume();
      connection.broken();
    }
  });
  socket.once('close', () => connection.closed());
}

/** Frames that an app sends here; any other type ends the stream, because the length of its trailer is not known. */
function trailerOf(name: wire.FrameName): number {
  if (name === 'handshakeStart') return keySchedule.HANDSHAKES.sc.trailerBytes.start;
  if (name === 'nocVerify' || name === 'nocEnvelope') return 0;
  throw new ProtocolError('ERR_WIRE_TYPE', `${name} does not belong here`);
}

function streamSocket(socket: TLSSocket, stallMs: number): NocSocket {
  // An app that takes no answer for so long is not there.
  socket.setTimeout(stallMs, () => {
    if (socket.writableLength > 0) socket.destroy();
  });
  return {
    send: (frame) => void socket.write(frame),
    close: () => socket.destroySoon(),
    cutOff: () => socket.destroy(),
  };
}

/** HTTP/1.1 of the same port: nothing but an upgrade to a WebSocket. Gives what takes a connection over. */
function upgradeServer(options: NocListenerOptions, limits: ListenerLimits): (socket: TLSSocket) => void {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: wire.FRAME_HEADER_BYTES + ENVELOPE_BODY_BYTES,
    handleProtocols: (offered, { url }) => {
      const wanted = url === LINK_PATH ? LINK_SUBPROTOCOL : NOC_SUBPROTOCOL;
      return offered.has(wanted) ? wanted : false;
    },
  });
  const http = createHttpServer({ maxHeaderSize: limits.headerBytes });
  const refuse = (socket: Duplex, status: string, reason: string): void => {
    options.refused('upgrade', status.slice(0, 3), (socket as TLSSocket).remoteAddress ?? '', reason);
    endWith(socket, status);
  };
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    options.refused(request.method ?? '', '404', request.socket.remoteAddress ?? '', 'only a WebSocket is here');
    response.writeHead(404, { connection: 'close', 'content-length': 0 }).end(() => request.socket.destroySoon());
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable) refuse(socket, '400 Bad Request', `HTTP: ${error.code ?? 'malformed'}`);
    else socket.destroy();
  });
  http.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!options.allows(request.headers.origin)) return refuse(socket, '403 Forbidden', 'a page of another origin');
    const wanted = request.url === NOC_PATH ? NOC_SUBPROTOCOL : request.url === LINK_PATH ? LINK_SUBPROTOCOL : undefined;
    if (wanted === undefined) return refuse(socket, '404 Not Found', 'no such path at this listener');
    if (!offered.includes(wanted)) return refuse(socket, '400 Bad Request', `subprotocol ${wanted} was not offered`);
    webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      wanted === NOC_SUBPROTOCOL ? accept(webSocket, socket, options) : acceptLink(webSocket, socket, options),
    );
  });
  return (socket) => {
    // The HTTP server listens nowhere, so no timer of its own ends a connection that never asks for anything.
    const late = setTimeout(() => socket.destroy(), limits.headersMs);
    socket.once('close', () => clearTimeout(late));
    upgraded.set(socket, () => clearTimeout(late));
    http.emit('connection', socket);
  };
}

/** What to do when a connection has become a WebSocket. An entry goes with its connection. */
const upgraded = new WeakMap<TLSSocket, () => void>();

function accept(webSocket: WebSocket, socket: TLSSocket, options: NocListenerOptions): void {
  upgraded.get(socket)?.();
  // Errors of the peer (too large, wrong mask) close the socket by themselves; `close` follows.
  webSocket.on('error', () => webSocket.terminate());
  const connection = options.connect(
    {
      send(frame) {
        if (webSocket.readyState === WebSocket.OPEN) webSocket.send(frame);
      },
      close() {
        webSocket.close(1000);
        endLater(webSocket);
      },
      cutOff: () => webSocket.terminate(),
    },
    socket.remoteAddress ?? '',
  );
  if (connection === undefined) return webSocket.terminate();
  // Text is no frame; it is handed on as an empty one, which the role refuses.
  webSocket.on('message', (data: Buffer, isBinary: boolean) => connection.received(isBinary ? plainBytes(data) : new Uint8Array(0)));
  webSocket.once('close', () => connection.closed());
}

/** A page has no exporter: whether a link may do without is the local policy of the NOC. */
function acceptLink(webSocket: WebSocket, socket: TLSSocket, options: NocListenerOptions): void {
  upgraded.get(socket)?.();
  const stream = createWebSocketStream(webSocket);
  stream.on('error', () => stream.destroy());
  options.link(stream, { kind: 'none' }, socket.remoteAddress ?? '');
}

/** A peer that does not answer the closing handshake is cut off after this time. */
const CLOSE_MS = 5_000;

function endLater(webSocket: WebSocket): void {
  const late = setTimeout(() => webSocket.terminate(), CLOSE_MS);
  webSocket.once('close', () => clearTimeout(late));
}
