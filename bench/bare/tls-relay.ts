import { type AddressInfo, connect } from 'node:net';
import { pipeline } from 'node:stream';
import { connect as connectTls, createServer } from 'node:tls';
import type { PemIdentity } from './certificates.ts';

/*
 * Ends TLS 1.3 and passes the bytes on to a port of this machine: what Node alone needs for that. With a CA it begins TLS 1.3 anew to that port.
 * A process of its own.
 */
const [port, identity, ca] = process.argv.slice(2) as [string, string, string?];
const server = createServer({ ...(JSON.parse(identity) as PemIdentity), minVersion: 'TLSv1.3', allowHalfOpen: true }, (socket) => {
  const to = { host: '127.0.0.1', port: Number(port), allowHalfOpen: true, noDelay: true };
  const target = ca === undefined ? connect(to) : connectTls({ ...to, ca, servername: 'localhost', minVersion: 'TLSv1.3' });
  pipeline(socket, target, () => {});
  pipeline(target, socket, () => {});
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
process.on('SIGTERM', () => process.exit(0));
