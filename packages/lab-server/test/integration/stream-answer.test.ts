import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { listenHttps } from '../../src/node/http-server.ts';
import type { HttpServer } from '../../src/node/listening.ts';
import type { AnswerStream } from '../../src/node/stream-answer.ts';
import { type OpensslPki, opensslPki } from '../support/openssl-pki.ts';

let pki: OpensslPki;
let server: HttpServer;
beforeAll(() => {
  pki = opensslPki();
});
afterAll(() => pki.remove());
afterEach(() => server.close());

const start = async (stream: AnswerStream | ((path: string) => AnswerStream | Promise<AnswerStream>), streamStallMs: number): Promise<void> => {
  server = await listenHttps({
    ...{ name: 'test', host: '127.0.0.1', port: 0, tls: pki.server, bodyLimit: () => 0 },
    handle: async ({ path }) => ({ status: 200, stream: typeof stream === 'function' ? await stream(path) : stream }),
    failed: (error) => {
      throw error;
    },
    limits: { streamStallMs },
  });
};
const open = async (method = 'GET'): Promise<IncomingMessage> => {
  const sent = request(`https://${server.address}/`, { ca: pki.root, agent: false, method });
  sent.on('error', () => {});
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response;
};

/** Goes on for ever; tells how many bytes were asked for, and when its reader is gone. */
function endless(): AnswerStream & { bytes: number; readonly gone: Promise<void> } {
  const part = `${'x'.repeat(65_535)}\n`;
  let closed: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const stream = {
    bytes: 0,
    gone,
    async next() {
      stream.bytes += part.length;
      return part;
    },
    end: () => {},
    close: () => closed(),
  };
  return stream;
}

describe('an answer that goes on', () => {
  it('waits for a reader who takes nothing, makes nothing meanwhile, and cuts it off in the end', async () => {
    const stream = endless();
    await start(stream, 300);
    const response = await open();
    response.pause();
    await stream.gone;
    // What the sockets of both ends hold.
    expect(stream.bytes).toBeLessThan(64 * 2 ** 20);
  });

  it('stops when its reader leaves', async () => {
    const stream = endless();
    await start(stream, 60_000);
    (await open()).destroy();
    await stream.gone;
  });

  it.each([
    ['behind another stream', ['/', '/', '/']],
    ['behind an answer that does not come', ['/never', '/']],
  ])('lets go of one that waits for its turn %s when the connection ends', async (_, paths) => {
    const streams: ReturnType<typeof endless>[] = [];
    const wanted = paths.filter((path) => path === '/').length;
    let all: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      all = resolve;
    });
    await start((path) => {
      if (path === '/never') return new Promise(() => {});
      const stream = endless();
      if (streams.push(stream) === wanted) setImmediate(all);
      return stream;
    }, 60_000);
    const [host = '', port] = server.address.split(':');
    const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: lab\r\n\r\n`).join('');
    const socket = connect({ host, port: Number(port), ca: pki.root }, () => socket.write(requests));
    await asked;
    socket.destroy();
    await Promise.all(streams.map(({ gone }) => gone));
  });

  it('gives only the head to HEAD', async () => {
    const stream = endless();
    await start(stream, 60_000);
    const response = await open('HEAD');
    response.resume();
    await once(response, 'end');
    await stream.gone;
    expect(stream.bytes).toBe(0);
  });
});
