import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { signIn } from '../src/api.ts';
import { follow } from '../src/events.ts';

let server: Server;
const asked: string[] = [];
beforeEach(async () => {
  asked.length = 0;
  server = createServer((request, response) => {
    request.resume();
    if (request.method === 'POST') return void response.end('value for the Authorization header');
    asked.push(request.url ?? '');
    if (asked.length > 1) return void response.writeHead(410, { 'content-type': 'application/json' }).end('{"id":"EVENTS_DROPPED"}');
    // One event, and then nothing: neither a heartbeat nor the end of the connection.
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{"sequence":8,"position":"e-8","type":"USER_CREATED"}\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

it('a stream of events that falls silent is broken, and taken up where it was', async () => {
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const lab = { admin, infrastructure: '', tenantId: 'lab', ca: '', administrator: { username: 'admin', password: 'secret' } };
  const { api, close } = await signIn(lab, 200);
  const seen: number[] = [];
  const all = async (): Promise<void> => {
    for await (const { sequence } of follow(api, 'e-7', 0)) seen.push(sequence);
  };
  await expect(all()).rejects.toMatchObject({ id: 'EVENTS_DROPPED' });
  await close();
  expect(seen).toEqual([8]);
  expect(asked).toEqual(['/lab/api/v1/events?after=e-7', '/lab/api/v1/events?after=e-8']);
});
