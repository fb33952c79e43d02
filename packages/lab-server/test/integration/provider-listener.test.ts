import { connect as connectHttp2 } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { type ProviderClient, providerClient } from '../../src/node/provider-client.ts';
import { ask, sendRaw } from '../support/raw-client.ts';

let lab: LabServer;
let client: ProviderClient;
const port = (): number => Number(new URL(lab.providers.origin).port);

beforeAll(async () => {
  lab = await startLabServer({ limits: { requestMs: 700, headersMs: 700 } });
  const { key, certificate } = lab.providers.credentials.apns;
  client = providerClient({ origin: lab.providers.origin, root: lab.connection.ca, key, certificate });
});
afterAll(async () => {
  client.close();
  await lab.close();
});
beforeEach(() => lab.faults.clear());

const apns = (headers: Record<string, string> = {}) =>
  ({ method: 'POST', target: `/3/device/${'a'.repeat(64)}`, headers, body: '{"mdm":"x"}', certificate: true }) as const;

describe('the listener of the provider APIs', () => {
  it('speaks HTTP/2 and HTTP/1.1 on one port', async () => {
    expect(await client.request(apns())).toMatchObject({ status: 400, body: '{"reason":"BadDeviceToken"}' });
    const { ca } = lab.connection;
    expect((await ask(`${lab.providers.origin}/bb10/1/pushes`, { ca, method: 'POST', body: '{}' })).status).toBe(401);
    expect(await ask(`${lab.providers.origin}/3/device/aa`, { ca, method: 'POST', body: '{}' })).toMatchObject({ status: 426, headers: { upgrade: 'h2' } });
    expect((await ask(`${lab.providers.origin}/elsewhere`, { ca })).status).toBe(404);
  });

  it.each([
    ['another protocol', { ALPNProtocols: ['spdy/3'] }],
    ['an older TLS', { maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] } as const],
  ])('closes on %s', async (_what, options) => {
    const { received, error } = await sendRaw({ port: port(), ca: lab.connection.ca, ...options }, 'GET / HTTP/1.1\r\n\r\n');
    expect(received).not.toMatch(/200/);
    expect(received !== '' || error !== undefined).toBe(true);
  });

  it('does not know a sender by a certificate that the lab did not issue', async () => {
    const { root, key, certificate } = await import('../support/openssl-pki.ts').then(({ opensslPki }) => {
      const pki = opensslPki();
      const { key, certificate } = pki.issueElsewhere('x');
      pki.remove();
      return { root: lab.connection.ca, key, certificate };
    });
    const stranger = providerClient({ origin: lab.providers.origin, root, key, certificate });
    expect(await stranger.request(apns())).toMatchObject({ status: 403, body: '{"reason":"BadCertificate"}' });
    stranger.close();
    expect(await client.request({ ...apns(), certificate: undefined })).toMatchObject({ status: 403, body: '{"reason":"MissingProviderToken"}' });
  });

  it('refuses bodies over the limit, and slow ones, in the form of the API', async () => {
    expect(await client.request({ ...apns(), body: 'x'.repeat(100_000) })).toMatchObject({ status: 413, body: '{"reason":"PayloadTooLarge"}' });
    const session = connectHttp2(lab.providers.origin, { ca: lab.connection.ca });
    const slow = session.request({ ':method': 'POST', ':path': '/v1/projects/x/messages:send' });
    slow.write('{');
    const status = await new Promise((resolve) => slow.once('response', (headers) => resolve(headers[':status'])));
    expect(status).toBe(400);
    session.destroy();
  });

  it('random bytes in place of HTTP/2 end the connection and nothing else', async () => {
    const random = seededEntropy('random HTTP/2');
    const { ca } = lab.connection;
    for (let round = 0; round < 30; round++) {
      await new Promise<void>((resolve) => {
        const socket: TLSSocket = connect({ host: '127.0.0.1', port: port(), ca, ALPNProtocols: ['h2'] }, () => {
          if (round % 2 === 0) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
          socket.end(random.randomBytes(200));
        });
        socket.resume();
        socket.on('error', () => {});
        socket.once('close', () => resolve());
      });
    }
    expect((await client.request(apns())).status).toBe(400);
  });

  it('breaks what a fault says, and the next request goes through', async () => {
    lab.faults.add({ kind: 'drop', service: 'provider', count: 1 });
    await expect(client.request(apns())).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TRANSPORT_/) });
    expect((await client.request(apns())).status).toBe(400);
    lab.faults.add({ kind: 'drop', at: 'answer', service: 'provider', pushService: 'bb10', count: 1 });
    expect((await client.request(apns())).status).toBe(400);
    await expect(client.request({ ...apns(), target: '/bb10/1/pushes' })).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TRANSPORT_/) });
  });

  it.each([
    [{ kind: 'delay', delayMs: 10 }, 400],
    [{ kind: 'duplicate' }, 400],
    [{ kind: 'refuse' }, 503],
    [{ kind: 'status', status: 503 }, 503],
    [{ kind: 'status', status: 502 }, 502],
  ] as const)('with the fault %j answers %i', async (fault, status) => {
    lab.faults.add({ ...fault, service: 'provider', pushService: 'apns', count: 1 });
    expect((await client.request(apns())).status).toBe(status);
  });

  it('a service that is started again breaks connections, and senders come back', async () => {
    expect((await client.request(apns())).status).toBe(400);
    lab.faults.add({ kind: 'restart', service: 'provider', count: 1 });
    await expect(client.request(apns())).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TRANSPORT_/) });
    await expect.poll(async () => (await client.request(apns()).catch(() => undefined))?.status).toBe(400);
  });

  it('believes only a server that is the notification role', async () => {
    const { key, certificate } = lab.providers.credentials.apns;
    const wrong = providerClient({ origin: `https://${lab.connection.activation}`, root: lab.connection.ca, key, certificate });
    await expect(wrong.request(apns())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
    wrong.close();
    await expect(wrong.request(apns())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    expect(wire.PUSH_SERVICES).toHaveLength(4);
  });
});
