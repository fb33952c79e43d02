import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { released } from './own-process.ts';

/** Hidden first argument under which the program is the HTTP server of apps. */
export const SITE_COMMAND = 'site-process';

/** What that process tells the one that started it. */
export type SiteMessage = { readonly type: 'ready'; readonly port: number } | { readonly type: 'failed'; readonly message: string };

const HOST = '127.0.0.1';
/** After a crash the server of the start before may take a moment to go. */
const TAKEN_MS = 5_000;
const MAX_BYTES = 16_777_216;
const PIECE = new Uint8Array(65_536).fill(0x2e);

/** A small HTTP server: `/bytes/N` has N bytes, any other page a line of text; what is posted is answered by its SHA-256. */
export function siteServer(): Server {
  return createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
}

/** Serves it on loopback until the parent lets go. */
export async function serveSite([port = '0']: readonly string[]): Promise<void> {
  process.on('SIGINT', () => undefined);
  const gone = released();
  let isOver = false;
  const server = siteServer();
  const tell = (message: SiteMessage): void => {
    if (process.connected) process.send?.(message);
  };
  const listen = (): void => {
    if (!isOver) server.listen(Number(port), HOST);
  };
  const untilMs = Date.now() + TAKEN_MS;
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (isOver) return;
    if (error.code === 'EADDRINUSE' && port !== '0' && Date.now() < untilMs) return void setTimeout(listen, 50);
    tell({ type: 'failed', message: error.message });
    process.exitCode = 2;
    if (process.connected) process.disconnect();
  });
  server.once('listening', () => tell({ type: 'ready', port: (server.address() as AddressInfo).port }));
  listen();
  await gone;
  isOver = true;
  server.close();
  server.closeAllConnections();
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const sum = createHash('sha256');
  for await (const part of request) sum.update(part as Uint8Array);
  if (request.method === 'POST') return void response.end(`${sum.digest('hex')}\n`);
  const length = Number(/^\/bytes\/(\d{1,8})$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
  if (!(length <= MAX_BYTES)) return void response.end('This page stands for a server behind the firewall.\n');
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  for (let left = length; left > 0 && !response.destroyed; left -= PIECE.length) {
    if (!response.write(PIECE.subarray(0, Math.min(left, PIECE.length))))
      await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
  }
  response.end();
}
