import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { PeerIdentity } from '@uemkit/protocol';
import { LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
import { type HttpServer, listening } from './listening.ts';
import { type AnswerStream, createStreamer, type Streamer } from './stream-answer.ts';
import { identify } from './tls-peer.ts';

/** Key, certificate and trust of one listener. */
export interface ServerTls {
  /** PEM. */
  readonly key: string;
  /** PEM, leaf first. */
  readonly certificate: string;
  /** Roots (PEM) that the certificate of a peer must come from; absent: no certificate is asked for. */
  readonly peerRoot?: string | undefined;
}

/** One request as the adapters above see it. */
export interface HttpRequest {
  readonly method: string;
  /** Path without the query, as sent. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Uint8Array;
  readonly peer: PeerIdentity;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** In place of the body: parts of an answer that goes on, asked for one after the other. */
  readonly stream?: AnswerStream | undefined;
}

export interface HttpServerOptions {
  /** For messages. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  /** Largest body of a request to this path; over it the answer is 413. */
  bodyLimit(path: string): number;
  /** `undefined`: the connection is closed without an answer. */
  handle(request: HttpRequest): Promise<HttpAnswer | undefined>;
  /** A request that asks for another protocol; without it such requests are refused. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer, peer: PeerIdentity): void;
  /** An answer that no handler gave: malformed HTTP, too large, not authenticated. */
  refused?(reason: string, source: string): void;
  /** An error that is a bug; it never reaches the peer. */
  failed(error: unknown): void;
  readonly limits?: Partial<ListenerLimits>;
}

/** Time for a peer to close its half of a connection that was answered for the last time. */
const PEER_CLOSE_MS = 1_000;

/** Answers a connection that HTTP has let go of, and closes it: no timer of the HTTP server does that any more, and the peer need not. */
export function endWith(socket: Duplex, status: string): void {
  const late = setTimeout(() => socket.destroy(), PEER_CLOSE_MS);
  socket.once('close', () => clearTimeout(late));
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/**
 * A TLS 1.3 listener for HTTP/1.1 with bounded sizes and times.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the port cannot be opened; `details.reason` has the name of the system error
 */
export async function listenHttps(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const streamer = createStreamer({ stallMs: limits.streamStallMs, failed: options.failed });
  const server = createServer({
    key: options.tls.key,
    cert: options.tls.certificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ...(options.tls.peerRoot === undefined ? {} : { ca: options.tls.peerRoot, requestCert: true, rejectUnauthorized: false }),
    handshakeTimeout: limits.tlsHandshakeMs,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    noDelay: true,
  });
  server.maxConnections = limits.connections;
  const sockets = new Set<Socket>();
  const sourceOf = (socket: Socket | Duplex): string => (socket as Socket).remoteAddress ?? '';
  const serving: Serving = { ...options, streamer };
  let inWork = 0;
  const work = async (request: IncomingMessage, response: ServerResponse, peer: PeerIdentity): Promise<void> => {
    inWork += 1;
    try {
      await serve(serving, request, response, peer);
    } catch (error) {
      options.failed(error);
      answer(request, response, { status: 500 });
    } finally {
      inWork -= 1;
    }
  };

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
    // Before a byte of HTTP is read: without the certificate of a trusted root there is no answer at all.
    if (options.tls.peerRoot !== undefined && identify(socket, options.tls.peerRoot) === undefined) {
      options.refused?.('no certificate of a trusted root', sourceOf(socket));
      socket.destroy();
    }
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    options.refused?.(`TLS: ${error.code ?? 'failed'}`, sourceOf(socket));
    socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    options.refused?.(`HTTP: ${error.code ?? 'malformed'}`, sourceOf(socket));
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request';
    if (socket.writable) endWith(socket, status);
    else socket.destroy();
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const peer = identify(request.socket as TLSSocket, options.tls.peerRoot);
    if (peer === undefined) socket.destroy();
    else if (options.upgrade === undefined) endWith(socket, '404 Not Found');
    else options.upgrade(request, socket, head, peer);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const peer = identify(request.socket as TLSSocket, options.tls.peerRoot);
    if (peer === undefined) return void request.socket.destroy();
    if (inWork >= limits.requestsInWork) return answer(request, response, { status: 503, headers: { 'retry-after': '1' } });
    void work(request, response, peer);
  });

  const closing = (): void => {
    server.closeIdleConnections();
    streamer.end();
  };
  return listening(server, sockets, { ...options, closing });
}

type Serving = HttpServerOptions & { readonly streamer: Streamer };

async function serve(options: Serving, request: IncomingMessage, response: ServerResponse, peer: PeerIdentity): Promise<void> {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const { headers } = request;
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (!hasBody) request.resume();
  const body = hasBody ? await readBody(request, options.bodyLimit(path)) : NO_BODY;
  if (body === 'closed') return;
  if (body === 'too-large') {
    options.refused?.('HTTP: body too large', peer.source);
    return answer(request, response, { status: 413, headers: { connection: 'close' } });
  }
  const { method = '' } = request;
  const result = await options.handle({ method, path, query: mark < 0 ? '' : url.slice(mark + 1), headers, body, peer });
  if (result === undefined) request.socket.destroy();
  else if (result.stream !== undefined) options.streamer.send(request, response, { headers: {}, ...result, stream: result.stream });
  else answer(request, response, result);
}

const NO_BODY: Uint8Array = new Uint8Array();

/** Whole body, or why there is none. Never holds more than `limitBytes`. */
function readBody(request: IncomingMessage, limitBytes: number): Promise<Uint8Array | 'too-large' | 'closed'> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve('too-large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let lengthBytes = 0;
    request.on('data', (chunk: Buffer) => {
      lengthBytes += chunk.length;
      if (lengthBytes > limitBytes) {
        request.pause();
        resolve('too-large');
      } else chunks.push(chunk);
    });
    request.once('end', () => resolve(plainBytes(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))));
    request.once('error', () => resolve('closed'));
    request.once('close', () => resolve('closed'));
  });
}

/** The same memory without Buffer's methods: its `slice` does not copy, that of Uint8Array does. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function answer(request: IncomingMessage, response: ServerResponse, result: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const { body = '' } = result;
  const lengthBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  response.writeHead(result.status, { ...result.headers, 'content-length': lengthBytes });
  response.end(request.method === 'HEAD' ? undefined : body);
  // A body that is still on its way would be read to its end otherwise.
  if (result.status === 413) response.once('finish', () => request.socket.destroySoon());
}
