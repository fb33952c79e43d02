import type { Socket } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { ServerConnector } from './server-connector.ts';

/** Connections to one origin at a time; requests beyond wait for one. */
const CONNECTIONS = 32;

/** undici over the connections of an app: HTTP/1.1, TLS inside for `https:`, pooled by origin. */
export function runtimeDispatcher(connect: ServerConnector): Dispatcher {
  return new Agent({
    connections: CONNECTIONS,
    connect: ({ hostname, protocol, port, servername }, callback) => {
      const isSecure = protocol === 'https:';
      connect({ host: hostname, port: port === '' ? (isSecure ? 443 : 80) : Number(port), isSecure, servername: servername ?? undefined }).then(
        // undici needs a stream with `ref` and `unref`, and no more of a socket.
        (socket) => callback(null, socket as Socket),
        (error) => callback(error, null),
      );
    },
  });
}
