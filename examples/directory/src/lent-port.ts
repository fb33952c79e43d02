import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * For a client that takes a host and a port and no socket: a port of this machine for one connection, which is carried over `connection`. Another program of the machine could take
 * the connection first, so it is worth no more than what the client itself does inside: TLS with the certificate of the server, and a log-in.
 */
export async function lendPort(connection: Duplex): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    server.close(); // one, and no more
    // Both ends hear of it when the other breaks off.
    Promise.all([pipeline(socket, connection), pipeline(connection, socket)]).catch(() => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  connection.once('close', () => server.close());
  return (server.address() as AddressInfo).port;
}
