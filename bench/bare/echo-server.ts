import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { barePki } from './certificates.ts';

/** First line of `bare/echo-server.ts`. */
export interface EchoConnection {
  /** Port of TCP. */
  readonly port: number;
  /** Port of TLS 1.3. */
  readonly tlsPort: number;
  readonly ca: string;
}

/* Gives back what it gets, over TCP and over TLS 1.3, and holds connections for as long as the other end wants. A process of its own. */
const pki = barePki(0);

function echo(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => socket.write(chunk));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  return (server.address() as AddressInfo).port;
}

const plain = createServer(echo);
const tls = createTlsServer({ ...pki.server, minVersion: 'TLSv1.3' }, echo);
const connection: EchoConnection = { port: await listen(plain), tlsPort: await listen(tls), ca: pki.ca };
console.log(JSON.stringify(connection));
process.on('SIGTERM', () => process.exit(0));
