import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { barePki } from './certificates.ts';
import type { BareConnection } from './connection.ts';
import { answerFrames, computeFor } from './frames.ts';

/*
 * The other end of the bare drivers, a process of its own: answers any POST with as many bytes as the header `x-answer-bytes` says,
 * after as much work as the header `x-answer-ms` says,
 * once with a server certificate only, once with mTLS, and takes WebSockets that answer each message with one of 48 bytes. Streams of TLS 1.3 get what their frames ask for.
 */
const pki = barePki(Number(process.argv[2] ?? '64'));

function https(mutual: boolean): Server {
  const server = createServer({
    ...pki.server,
    ca: pki.ca,
    minVersion: 'TLSv1.3',
    requestCert: mutual,
    rejectUnauthorized: mutual,
    keepAliveTimeout: 600_000,
  });
  server.on('request', (request, response) => {
    request.resume();
    request.on('end', () => {
      const answer = Buffer.alloc(Number(request.headers['x-answer-bytes'] ?? '64'));
      computeFor(Number(request.headers['x-answer-ms'] ?? '0'));
      response.writeHead(200, { 'content-type': 'application/vnd.uemkit.frame', 'content-length': answer.length });
      response.end(answer);
    });
  });
  return server;
}

async function listen(server: Server | TlsServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const plain = https(false);
const mutual = https(true);
const push = https(false);
const sockets = new WebSocketServer({ server: push, perMessageDeflate: false });
sockets.on('connection', (socket) => socket.on('message', () => socket.send(Buffer.alloc(48))));

const stream = createTlsServer({ ...pki.server, minVersion: 'TLSv1.3', ALPNProtocols: ['bare'] }, answerFrames);

const listening = { https: await listen(plain), mutual: await listen(mutual), push: await listen(push), stream: await listen(stream) };
const connection: BareConnection = { ...listening, ca: pki.ca, clients: pki.clients };
console.log(JSON.stringify(connection));
process.on('SIGTERM', () => process.exit(0));
