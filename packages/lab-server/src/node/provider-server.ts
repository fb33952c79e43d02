import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { MAX_PROVIDER_BODY_BYTES, type ProviderRequest, type ProviderResponse, type Refusal } from '../roles/notification/providers/provider.ts';
import { LISTENER_LIMITS, type ListenerLimits, MAX_STREAMS } from './limits.ts';
import { type HttpServer, listening } from './listening.ts';
import { identify } from './tls-peer.ts';

/** How often HTTP/1.1 connections are looked at for headers and bodies that do not come. */
const CHECKING_MS = 5_000;

export interface ProviderServerOptions {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** Root that issues the certificates of senders, PEM. */
  readonly root: string;
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** `undefined`: the stream (HTTP/2) or the connection (HTTP/1.1) breaks without an answer. */
  handle(request: ProviderRequest): Promise<ProviderResponse | undefined>;
  /** An answer in the form of the API that was asked, when the request does not get to the service. */
  refuse(request: Pick<ProviderRequest, 'method' | 'target' | 'source'>, why: Refusal, reason: string): Promise<ProviderResponse>;
  refused(reason: string, source: string): void;
  failed(error: unknown): void;
}

/**
 * The listener of the provider APIs: TLS 1.3, HTTP/2 and HTTP/1.1 by ALPN, a certificate of the peer where it has one.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the port cannot be opened
 */
export async function listenProviders(options: ProviderServerOptions): Promise<HttpServer> {
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const server: Http2SecureServer = createSecureServer({
    key: options.key,
    cert: options.certificate,
    ca: options.root,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    allowHTTP1: true,
    handshakeTimeout: limits.tlsHandshakeMs,
    maxHeaderListPairs: 64,
    maxSessionMemory: 4,
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: limits.headerBytes, enablePush: false },
  });
  // HTTP/1.1 of the same port. As options, Node 20 does not hand these on to it, and waits 60 s for headers, 300 s for bodies, and for ever for another request.
  Object.assign(server, {
    maxConnections: limits.connections,
    maxHeaderSize: limits.headerBytes,
    requireHostHeader: true,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(limits.headersMs, CHECKING_MS),
  });
  // BOUNDED by limits.connections.
  const sockets = new Set<Socket>();
  const bodies = new OpenBodies(limits);
  let inWork = 0;

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    options.refused(`TLS: ${error.code ?? 'failed'}`, socket.remoteAddress ?? '');
    socket.destroy();
  });
  server.on('unknownProtocol', (socket) => {
    options.refused('TLS: neither h2 nor http/1.1 was agreed on', socket.remoteAddress ?? '');
    socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    options.refused(`HTTP: ${error.code ?? 'malformed'}`, (socket as Socket).remoteAddress ?? '');
    if (socket.writable) socket.write('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    // A peer that does not close would hold its connection for ever otherwise.
    (socket as Socket).destroySoon();
  });
  server.on('sessionError', (error: NodeJS.ErrnoException, session?: ServerHttp2Session) => {
    options.refused(`HTTP/2: ${error.code ?? 'malformed'}`, '');
    session?.destroy();
  });
  server.on('session', (session) => {
    session.setTimeout(limits.keepAliveMs * 10, () => session.close());
    session.on('error', () => session.destroy());
  });
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const target = request.url;
    const method = request.method;
    const source = request.socket.remoteAddress ?? '';
    const give = (answer: ProviderResponse): void => answerWith(request, response, answer, limits.streamStallMs);
    const work = async (body: Uint8Array): Promise<ProviderResponse | undefined> => {
      if (inWork >= limits.requestsInWork) return options.refuse({ method, target, source }, 'unavailable', 'too many requests in work');
      inWork += 1;
      try {
        return await options.handle(read(request, body, source, options.root));
      } finally {
        inWork -= 1;
      }
    };
    readBody(request, bodies)
      .then((body) => {
        if (body === 'closed') return undefined;
        if (typeof body !== 'string') return work(body);
        const [why, reason] = UNREAD[body];
        return options.refuse({ method, target, source }, why, reason);
      })
      .then((answer) => (answer === undefined ? abandon(request) : give(answer)))
      .catch((error: unknown) => {
        options.failed(error);
        abandon(request);
      });
  });

  return listening(server, sockets, { ...options, name: 'providers' });
}

/** What a body that was not read to its end is answered, and what the journal is told. */
const UNREAD = {
  'too-large': ['tooLarge', 'body too large'],
  slow: ['tooLarge', 'the request took too long'],
  crowded: ['unavailable', 'too many bodies on their way, this one for longest'],
} as const;

type Unread = keyof typeof UNREAD | 'closed';

function read(request: Http2ServerRequest, body: Uint8Array, source: string, root: string): ProviderRequest {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) if (!name.startsWith(':')) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const http = request.httpVersionMajor === 2 ? '2' : '1.1';
  return { method: request.method, target: request.url, http, headers, body, certificate: certificateOf(request, root), source };
}

/** The connection's socket, also behind the session of HTTP/2. */
function socketOf(request: Http2ServerRequest): TLSSocket {
  return (request.stream as unknown as { session?: { socket: TLSSocket } } | undefined)?.session?.socket ?? (request.socket as TLSSocket);
}

/** What was found out about a connection, once: reading a certificate takes longer than all the rest of a request. */
const certificates = new WeakMap<TLSSocket, { readonly certificate: ProviderRequest['certificate'] }>();

function certificateOf(request: Http2ServerRequest, root: string): ProviderRequest['certificate'] {
  const socket = socketOf(request);
  const known = certificates.get(socket);
  if (known !== undefined) return known.certificate;
  const certificate = readCertificate(socket, root);
  certificates.set(socket, { certificate });
  return certificate;
}

function readCertificate(socket: TLSSocket, root: string): ProviderRequest['certificate'] {
  if (socket.getPeerX509Certificate() === undefined) return undefined;
  const peer = identify(socket, root);
  return peer?.kind === 'certificate' ? peer.certificate : 'untrusted';
}

/**
 * Bodies that are on their way. Nobody has looked at their senders yet, so strangers could take all places with bodies that never end: the one that has been on
 * its way for longest gives up its place to a new one. BOUNDED by `requestsInWork`, at `MAX_PROVIDER_BODY_BYTES` each.
 */
class OpenBodies {
  readonly requestMs: number;
  readonly #most: number;
  readonly #open = new Set<(why: 'crowded') => void>();

  constructor({ requestMs, requestsInWork }: ListenerLimits) {
    this.requestMs = requestMs;
    this.#most = requestsInWork;
  }

  begin(giveUp: (why: 'crowded') => void): void {
    const [longest] = this.#open.size >= this.#most ? this.#open : [];
    longest?.('crowded');
    this.#open.add(giveUp);
  }

  end(giveUp: (why: 'crowded') => void): void {
    this.#open.delete(giveUp);
  }
}

function readBody(request: Http2ServerRequest, bodies: OpenBodies): Promise<Uint8Array | Unread> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let lengthBytes = 0;
    const done = (body: Uint8Array | Unread): void => {
      clearTimeout(late);
      bodies.end(done);
      chunks.length = 0;
      resolve(body);
    };
    const late = setTimeout(() => done('slow'), bodies.requestMs);
    bodies.begin(done);
    request.on('data', (chunk: Buffer) => {
      lengthBytes += chunk.length;
      if (lengthBytes <= MAX_PROVIDER_BODY_BYTES) chunks.push(chunk);
      else done('too-large');
    });
    request.once('end', () => done(new Uint8Array(Buffer.concat(chunks))));
    request.once('close', () => done('closed'));
    request.once('aborted', () => done('closed'));
  });
}

function answerWith(request: Http2ServerRequest, response: Http2ServerResponse, { status, headers, body }: ProviderResponse, stallMs: number): void {
  if (response.headersSent || response.writableEnded) return;
  // Headers of HTTP/1.1 about the connection have no place in HTTP/2.
  const kept =
    request.httpVersionMajor === 2 ? Object.entries(headers).filter(([name]) => name !== 'connection' && name !== 'upgrade') : Object.entries(headers);
  response.writeHead(status, { ...Object.fromEntries(kept), 'content-length': Buffer.byteLength(body) });
  if (!request.complete) passOver(request, response, stallMs);
  response.end(body);
  // A peer whose window stays closed would hold the stream for ever.
  if (request.httpVersionMajor === 2 && !request.stream.destroyed) request.stream.setTimeout(stallMs, () => abandon(request));
}

/**
 * The rest of a body that nobody wants, which might have no end. HTTP/2: it is passed over for a while, as clients on Node wait for ever when a stream that they
 * write to is reset with NO_ERROR, which is what RFC 9113, 8.1 has for this. HTTP/1.1: the connection closes.
 */
function passOver(request: Http2ServerRequest, response: Http2ServerResponse, stallMs: number): void {
  if (request.httpVersionMajor !== 2) return void response.once('finish', () => (request.socket as Socket).destroySoon());
  const late = setTimeout(() => abandon(request), stallMs);
  request.stream.once('close', () => clearTimeout(late));
}

/** Breaks the stream, or the connection where there are no streams. */
function abandon(request: Http2ServerRequest): void {
  if (request.httpVersionMajor === 2) request.stream.close(8 /* CANCEL */);
  else (request.socket as Socket).destroy();
}
