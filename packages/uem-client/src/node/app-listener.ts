import { createServer, type Server, type Socket } from 'node:net';
import { ProtocolError } from '@uemkit/protocol';
import type { UemClient } from '../client.ts';
import { socketLink } from './socket-link.ts';
import { isPipe, ownFolder, removeStale } from './socket-path.ts';

/** The operating system's word on who is at the other end of a local socket. */
export interface PlatformIdentity {
  /**
   * Platform id of the app that has connected (`platformId` of the protocol's key schedule); undefined: unknown, and the app is not served. Node itself cannot tell:
   * it has no `SO_PEERCRED`. Aborts when the connection goes.
   */
  identify(socket: Socket, signal: AbortSignal): Promise<string | undefined>;
}

export interface AppListenerOptions {
  readonly client: Pick<UemClient, 'acceptApp'>;
  /** Path of a Unix socket, in a folder of its own (mode 0700, made when missing), or a named pipe of Windows, `\\.\pipe\name`. */
  readonly path: string;
  readonly identity: PlatformIdentity;
  /** Open connections, those included that nobody has identified yet; default 32. */
  readonly maxConnections?: number | undefined;
}

/** Takes apps until it is closed. */
export interface AppListener {
  /** Breaks off all connections and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens for apps on this device and has the client serve each (F3.3). What becomes of them is told by the events of the client.
 * @throws ProtocolError `ERR_USAGE_STATE` when a living process listens at `path`; `ERR_USAGE_ARGUMENT` when the folder is open to others, the path is taken by a
 * file or longer than 103 bytes; `ERR_TRANSPORT_CONNECT` when the system does not let it listen
 */
export async function listenForApps(options: AppListenerOptions): Promise<AppListener> {
  const { path, maxConnections = 32 } = options;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // An error of a socket that nobody listens to would end the process.
    socket.on('error', () => undefined);
    void serve(options, socket);
  });
  server.maxConnections = maxConnections;
  if (!isPipe(path)) {
    await ownFolder(path);
    await removeStale(path);
  }
  await listening(server, path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve({ client, identity }: AppListenerOptions, socket: Socket): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the app has gone')));
  // What the app sends meanwhile waits in the socket.
  const platformId = await identity.identify(socket, gone.signal).catch(() => undefined);
  // check: F3.3 apps that the operating system does not know
  if (platformId === undefined || socket.destroyed) {
    socket.destroy();
    return;
  }
  // The events of the client tell.
  await client.acceptApp(socketLink(socket), platformId).catch(() => undefined);
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
    throw new ProtocolError(code, 'the socket for apps cannot be opened', { cause: error, details: { path } });
  });
}
