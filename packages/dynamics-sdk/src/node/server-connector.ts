import type { Duplex } from 'node:stream';
import type { Clock } from '@uemkit/protocol';
import type { ByteStream, ConnectTarget, WayOptions } from '../connections/way.ts';
import { ConnectionSocket } from './connection-socket.ts';
import { type AppTls, secured } from './secured.ts';

/** Longest time for the connection, and again for TLS inside of it. */
const CONNECT_MS = 30_000;

export interface ServerConnectorOptions {
  open(target: ConnectTarget, options: WayOptions): Promise<ByteStream>;
  readonly clock: Clock;
  readonly tls: AppTls;
}

export interface ServerRequest {
  /** An IPv6 address may have brackets. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly servername?: string | undefined;
  /** Goes before that of the app. */
  readonly tls?: AppTls | undefined;
}

/** Connections for clients of HTTP: plain, or with TLS inside. */
export type ServerConnector = (request: ServerRequest) => Promise<Duplex>;

export function serverConnector({ open, clock, tls }: ServerConnectorOptions): ServerConnector {
  return async ({ host, port, isSecure, servername, tls: own }) => {
    const bare = host.startsWith('[') ? host.slice(1, -1) : host;
    const socket = new ConnectionSocket(await open({ host: bare, port }, { timeoutMs: CONNECT_MS }), clock);
    return isSecure ? secured(socket, { host: bare, servername, tls: { ...tls, ...own }, clock, timeoutMs: CONNECT_MS }) : socket;
  };
}
