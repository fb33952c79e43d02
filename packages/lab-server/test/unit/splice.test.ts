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
