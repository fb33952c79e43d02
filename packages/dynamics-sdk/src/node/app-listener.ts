import { createServer, type Server, type Socket } from 'node:net';
import { ProtocolError } from '@uemkit/protocol';
import { freeSocketPath } from './socket-path.ts';

/** Where apps of this device are listened for, and how they are known. */
export interface AppListenerOptions {
  /** Path of a Unix socket, in a folder of its own (mode 0700, made when missing), or a named pipe of Windows, `\\.\pipe\name`. */
  readonly path: string;
  /**
   * Platform id of the app that has connected, as the operating system reports it (`platformId` of the protocol's key schedule); undefined: unknown, and it is not served.
   * Node itself cannot tell: it has no `SO_PEERCRED`. Aborts when the connection goes.
   */
  identify(socket: Socket, signal: AbortSignal): Promise<string | undefined>;
  /** Open connections, those included that nobody has identified yet; default 16. */
  readonly maxConnections?: number | undefined;
}

/** Takes apps until it is closed. */
export interface AppListener {
  /** Breaks off all connections and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens for other apps of this device, and has each served.
 * @throws ProtocolError `ERR_USAGE_STATE` when a living process listens at `path`; `ERR_USAGE_ARGUMENT` when the folder is open to others, the path is taken by a
 * file or longer than 103 bytes; `ERR_TRANSPORT_CONNECT` when the system does not let it listen
 */
export async function listenForLocalApps(options: AppListenerOptions, serve: (socket: Socket, platformId: string) => Promise<unknown>): Promise<AppListener> {
  const { path, maxConnections = 16 } = options;
  // BOUNDED by maxConnections.
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // An error of a socket that nobody listens to would end the process.
    socket.on('error', () => undefined);
    void identified(options, socket, serve);
  });
  server.maxConnections = maxConnections;
  await freeSocketPath(path);
  await listening(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function identified({ identify }: AppListenerOptions, socket: Socket, serve: (socket: Socket, platformId: string) => Promise<unknown>): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the app has gone')));
  // What the app sends meanwhile waits in the socket.
  const platformId = await identify(socket, gone.signal).catch(() => undefined);
  // check: F3.4 apps that the operating system does not know
  if (platformId === undefined || socket.destroyed) return void socket.destroy();
  await serve(socket, platformId).catch(() => undefined);
}

async function listening(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    const code = error.code === 'EADDRINUSE' ? 'ERR_USAGE_STATE' : 'ERR_TRANSPORT_CONNECT';
    throw new ProtocolError(code, 'the socket for other apps cannot be opened', { cause: error, details: { path } });
  });
}
