import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { expect, it } from 'vitest';
import { splice } from '../../src/node/splice.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('a side that goes on when the other has gone, its own half ended, ends behind what it was sent', async () => {
  const [app, atApp] = duplexPair() as readonly [Duplex, Duplex];
  const [server, atServer] = duplexPair() as readonly [Duplex, Duplex];
  let ends = 0;
  splice(atApp, atServer, () => {
    ends += 1;
  });
  const read: Buffer[] = [];
  app.on('data', (chunk: Buffer) => void read.push(chunk));
  server.end('last words');
  for (let n = 0; !app.readableEnded && n < 100; n++) await turn();
  expect([Buffer.concat(read).toString(), app.readableEnded, ends]).toEqual(['last words', true, 0]);
  atServer.destroy();
  for (let n = 0; ends === 0 && n < 100; n++) await turn();
  expect([ends, atApp.destroyed]).toEqual([1, true]);
});

it('a side that breaks without an end breaks the other one: a server does not take a part for the whole', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [app, atApp] = duplexPair() as readonly [Duplex, Duplex];
  const atServer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [served] = (await once(server, 'connection')) as [Socket];
  const told: string[] = [];
  served.on('end', () => void told.push('end')).on('error', (error: NodeJS.ErrnoException) => void told.push(error.code ?? 'error'));
  const arrived = once(served, 'data');
  splice(atApp, atServer, () => {});
  app.write('half of it');
  await arrived;
  const closed = new Promise((resolve) => served.once('close', resolve));
  atApp.destroy();
  await closed;
  expect(told).toEqual(['ECONNRESET']);
  await new Promise((resolve) => server.close(resolve));
});
