import type { AddressInfo, Server, Socket } from 'node:net';
import { ProtocolError } from '@uemkit/protocol';

/** A running listener. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** Closes every open connection and goes on listening, as a restarted server would. */
  dropConnections(): void;
  /** Takes no more requests; those in work may end for a moment, then every connection is broken. */
  close(): Promise<void>;
}

/** Time for answers that are on their way when a listener closes. */
const CLOSE_GRACE_MS = 300;

export interface ListeningOptions {
  readonly host: string;
  readonly port: number;
  /** Name of the listener, for errors. */
  readonly name: string;
  failed(error: unknown): void;
  /** Called when the listener takes no more connections. */
  closing?(): void;
}

/**
 * Opens the port of a server of any kind; `sockets` are its open connections, kept by the caller.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the port cannot be opened; `details.reason` has the name of the system error
 */
export async function listening(server: Server, sockets: ReadonlySet<Socket>, options: ListeningOptions): Promise<HttpServer> {
  const { host } = options;
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await open(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    dropConnections: breakAll,
    close() {
      return new Promise((resolve) => {
        const late = setTimeout(breakAll, CLOSE_GRACE_MS);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        options.closing?.();
      });
    },
  };
}

function open(server: Server, { host, port, name: listener, failed: later }: ListeningOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const details = { reason: error.code ?? 'unknown', listener, port };
      reject(new ProtocolError('ERR_TRANSPORT_CONNECT', `cannot listen on ${host}:${port} (${listener}): ${error.code}`, { details }));
    };
    server.once('error', failed);
    server.listen(port, host, 1_024, () => {
      server.off('error', failed);
      server.on('error', later);
      resolve();
    });
  });
}
