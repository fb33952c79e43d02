import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Clock, ProtocolError } from '@uemkit/protocol';
import { tlsError } from './tls-error.ts';

/** What an app may say about TLS to its servers. The certificate of a server is always checked: against `ca`, or the roots that Node comes with. */
export type AppTls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'minVersion' | 'checkServerIdentity' | 'ciphers'>;

export interface SecuredOptions {
  readonly host: string;
  /** Name that the certificate must have; absent: `host`. */
  readonly servername?: string | undefined;
  readonly tls: AppTls;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * TLS of the app to its server, end to end inside of a connection: neither NOC nor Proxy sees into it.
 * @throws ProtocolError `ERR_TRANSPORT_TLS` for another certificate than the one of the host, `ERR_TRANSPORT_TIMEOUT`, or what has ended the connection
 */
export function secured(socket: Duplex, { host, servername, tls, clock, timeoutMs }: SecuredOptions): Promise<TLSSocket> {
  const name = servername === undefined || servername === '' ? host : servername;
  return new Promise((resolve, reject) => {
    const secure = connect({
      ...tls,
      socket,
      host: name,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: true,
    });
    const fail = (error: unknown): void => {
      cancel();
      secure.destroy();
      socket.destroy();
      reject(tlsError(error));
    };
    const cancel = clock.setTimer(timeoutMs, () => fail(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no TLS handshake in time')));
    // It stays: a connection that waits in a pool may be ended by policy, which is no uncaught exception.
    secure.on('error', fail);
    const closed = (): void => fail(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed within the TLS handshake'));
    secure.once('close', closed);
    secure.once('secureConnect', () => {
      cancel();
      secure.off('close', closed);
      resolve(secure);
    });
  });
}
