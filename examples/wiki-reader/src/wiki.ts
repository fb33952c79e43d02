import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const PAGES: Readonly<Record<string, string>> = {
  holidays: 'Holidays: ask your manager two weeks ahead.',
  canteen: 'Canteen: open from 11:30 to 14:00. No holidays in August.',
  printers: 'Printers: the one on the third floor works.',
};
const ATTACHMENT_MIB = 32;

/** The wiki of the company: nothing of it knows about apps, Proxy or NOC. It is there for its own network only. */
export async function startWiki(tls: { readonly key: string; readonly cert: string }): Promise<{ readonly port: number; close(): void }> {
  const sessions = new Set<string>();
  const server = createServer(tls, (request, response) => void answer(request, response).catch((error) => response.destroy(error)));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/', headers } = request;
    if (method === 'POST' && url === '/login') {
      const form = new URLSearchParams(await bodyOf(request));
      if (form.get('password') !== 'swordfish') return void response.writeHead(403).end('wrong password');
      const session = randomBytes(16).toString('hex');
      sessions.add(session);
      return void response.writeHead(303, { location: '/pages/canteen', 'set-cookie': `session=${session}; HttpOnly; Secure; Max-Age=3600` }).end();
    }
    const [, session = ''] = /(?:^|; )session=([^;]*)/.exec(headers.cookie ?? '') ?? [];
    if (!sessions.has(session)) return void response.writeHead(401).end('log in first');
    if (method === 'POST' && url === '/search') {
      const { words } = JSON.parse(await bodyOf(request)) as { readonly words: string };
      const found = Object.keys(PAGES).filter((name) => PAGES[name]?.toLowerCase().includes(words.toLowerCase()));
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ found }));
    }
    if (url === '/attachments/floor-plan') {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': ATTACHMENT_MIB * 1_048_576 });
      return pipeline(Readable.from(pieces()), response);
    }
    const page = PAGES[url.replace('/pages/', '')];
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/plain; charset=utf-8' }).end(page ?? 'no such page');
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return String(Buffer.concat(await request.toArray()));
}

function* pieces(): Generator<Buffer> {
  for (let piece = 0; piece < ATTACHMENT_MIB; piece += 1) yield Buffer.alloc(1_048_576, piece);
}
