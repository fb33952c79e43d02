import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { TestIdentity } from './test-ca.ts';

/** What a test says to one request. */
export interface FrameAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface FrameServerOptions {
  readonly identity: TestIdentity;
  /** PEM of the root that device certificates must come from. */
  readonly deviceRoot?: string;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  answer?(body: Uint8Array, request: IncomingMessage): FrameAnswer | 'hang' | 'cut' | Promise<FrameAnswer>;
  push?(socket: WebSocket): void;
  /** HTTP status instead of a push connection. */
  readonly refusePush?: number;
}

/** A TLS server on loopback that counts what matters to a transport. */
export interface FrameServer {
  readonly address: string;
  /** TLS handshakes that succeeded. */
  readonly connections: number;
  readonly resumed: number;
  readonly open: number;
  dropConnections(): void;
  close(): Promise<void>;
}

export const FRAME_TYPE = 'application/vnd.uemkit.frame';

/** Starts a server on a free port. */
export async function frameServer(options: FrameServerOptions): Promise<FrameServer> {
  const { identity, deviceRoot, maxVersion = 'TLSv1.3' } = options;
  let connections = 0;
  let resumed = 0;
  const sockets = new Set<TLSSocket>();
  const server: Server = createServer({
    key: identity.key,
    cert: identity.certificatePem,
    maxVersion,
    ...(deviceRoot === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: deviceRoot }),
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    connections++;
    if (socket.isSessionReused()) resumed++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => void handle(options, request, response));
  const webSockets = new WebSocketServer({
    server,
    path: '/uemkit/1/push',
    handleProtocols: () => 'uemkit.push.1',
    ...(options.refusePush === undefined ? {} : { verifyClient: (_info, callback) => callback(false, options.refusePush) }),
  });
  webSockets.on('connection', (socket) => options.push?.(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get resumed() {
      return resumed;
    },
    get open() {
      return sockets.size;
    },
    dropConnections() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      webSockets.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function handle(options: FrameServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await (options.answer?.(Buffer.concat(chunks), request) ?? { status: 404 });
  if (answer === 'hang') return;
  if (answer === 'cut') {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status ?? 200, { 'content-type': FRAME_TYPE, ...answer.headers });
  response.end(answer.body);
}
