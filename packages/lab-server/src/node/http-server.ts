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
  const serving: Serving = { options, streamer, inWork: 0 };

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
    if (serving.inWork >= limits.requestsInWork) return answer(request, response, { status: 503, headers: { 'retry-after': '1' } });
    new Exchange(serving, request, response, peer).begin();
  });

  const closing = (): void => {
    server.closeIdleConnections();
    streamer.end();
  };
  return listening(server, sockets, { ...options, closing });
}

/** What the requests of one listener share. */
interface Serving {
  readonly options: HttpServerOptions;
  readonly streamer: Streamer;
  /** Requests that wait for their answer. */
  inWork: number;
}

const NO_BODY: Uint8Array = new Uint8Array();

/** One request on its way to its answer. By callbacks, with one promise, that of the handler: each function that waits costs several for each request. */
class Exchange {
  private readonly serving: Serving;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private readonly peer: PeerIdentity;
  private readonly path: string;
  private readonly query: string;
  private readonly limitBytes: number;
  /** Never more than `limitBytes`; undefined: the whole body is there, or it never will be. */
  private chunks: Buffer[] | undefined = [];
  private lengthBytes = 0;

  constructor(serving: Serving, request: IncomingMessage, response: ServerResponse, peer: PeerIdentity) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.serving = serving;
    this.request = request;
    this.response = response;
    this.peer = peer;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    this.limitBytes = serving.options.bodyLimit(this.path);
  }

  begin(): void {
    const { request } = this;
    const { headers } = request;
    this.serving.inWork += 1;
    const length = headers['content-length'];
    if (length === undefined && headers['transfer-encoding'] === undefined) {
      request.resume();
      this.handle(NO_BODY);
    } else if (Number(length ?? 0) > this.limitBytes) this.refuseBody();
    else {
      request.on('data', (chunk: Buffer) => this.take(chunk));
      request.on('end', () => this.ended());
      request.on('error', () => this.closed());
      request.on('close', () => this.closed());
    }
  }

  private take(chunk: Buffer): void {
    this.lengthBytes += chunk.length;
    if (this.lengthBytes <= this.limitBytes) this.chunks?.push(chunk);
    else if (this.chunks !== undefined) {
      this.request.pause();
      this.refuseBody();
    }
  }

  private ended(): void {
    const { chunks } = this;
    if (chunks !== undefined) this.handle(plainBytes(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
  }

  /** The peer has gone before its body was there. */
  private closed(): void {
    if (this.chunks === undefined) return;
    this.chunks = undefined;
    this.serving.inWork -= 1;
  }

  private refuseBody(): void {
    this.chunks = undefined;
    this.serving.options.refused?.('HTTP: body too large', this.peer.source);
    this.settle({ status: 413, headers: { connection: 'close' } });
  }

  private handle(body: Uint8Array): void {
    this.chunks = undefined;
    const { path, query, peer } = this;
    const { method = '', headers } = this.request;
    this.serving.options.handle({ method, path, query, headers, body, peer }).then(
      (result) => this.settle(result),
      (error: unknown) => this.fail(error),
    );
  }

  private settle(result: HttpAnswer | undefined): void {
    const { request, response } = this;
    try {
      if (result === undefined) request.socket.destroy();
      else if (result.stream !== undefined) this.serving.streamer.send(request, response, { headers: {}, ...result, stream: result.stream });
      else answer(request, response, result);
    } catch (error) {
      return this.fail(error);
    }
    this.serving.inWork -= 1;
  }

  private fail(error: unknown): void {
    this.serving.inWork -= 1;
    this.serving.options.failed(error);
    answer(this.request, this.response, { status: 500 });
  }
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
