import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { frameBinding } from '../../src/node/frame-binding.ts';
import { listenHttps } from '../../src/node/http-server.ts';
import { FRAME_BYTES, PUSH_FRAME_BYTES } from '../../src/node/limits.ts';
import type { HttpServer } from '../../src/node/listening.ts';
import { pushUpgrade } from '../../src/node/push-upgrade.ts';
import { mutualTlsLink } from '../../src/node/role-link.ts';
import { createNotificationRole, type NotificationRole } from '../../src/roles/notification/notification.ts';
import type { ServiceName } from '../../src/roles/role.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { type OpensslPki, opensslPki } from '../support/openssl-pki.ts';
import { apnsRequest, IDENTITIES, ORIGIN, ROOT } from '../support/push-bench.ts';
import { ask } from '../support/raw-client.ts';

let pki: OpensslPki;
let role: NotificationRole;
let journal: RingJournal;
let push: HttpServer;
let link: HttpServer;
const clock = systemClock();
const open = new Set<WebSocket>();

beforeAll(() => {
  pki = opensslPki();
});
afterAll(() => pki.remove());

beforeEach(async () => {
  journal = createRingJournal();
  role = await createNotificationRole({
    ...{ clock, crypto: nodeCrypto(), entropy: nodeEntropy(), store: new MemoryStore(), journal },
    ...{ accounts: IDENTITIES.accounts, root: ROOT.certificate, origin: ORIGIN },
  });
  const { key, certificate } = pki.server;
  const common = { host: '127.0.0.1', port: 0, bodyLimit: () => FRAME_BYTES, failed: (error: unknown) => expect.unreachable(String(error)) };
  const connect: NotificationRole['connect'] = (socket, source) => role.connect(socket, source);
  const binding = (services: readonly ServiceName[]) =>
    frameBinding({ role: 'infrastructure', services, clock, journal, exchange: async () => ({ status: 'malformed' }) });
  push = await listenHttps({
    ...common,
    name: 'push',
    tls: { key, certificate },
    handle: binding([]),
    upgrade: pushUpgrade({ clock, journal, allows: () => true, connect }),
  });
  link = await listenHttps({ ...common, name: 'link', tls: { key, certificate, peerRoot: pki.root }, handle: binding(['notifications']) });
});

afterEach(async () => {
  for (const socket of open) socket.terminate();
  open.clear();
  role.close();
  await Promise.all([push.close(), link.close()]);
});

/** A WebSocket client that keeps what it gets. */
class Device {
  readonly socket: WebSocket;
  readonly frames: wire.Frame[] = [];
  readonly closed: Promise<number>;
  private readonly waiting: (() => void)[] = [];

  constructor(options: { readonly protocols?: string[]; readonly path?: string } = {}) {
    this.socket = new WebSocket(`wss://${push.address}${options.path ?? '/uemkit/1/push'}`, options.protocols ?? ['uemkit.push.1'], {
      ca: pki.root,
      perMessageDeflate: false,
    });
    open.add(this.socket);
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer) => {
      this.frames.push(wire.parseFrame(new Uint8Array(data)));
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  /** Waits for the frame number `index`. */
  async frame(index: number): Promise<wire.Frame> {
    while (this.frames.length <= index) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.frames[index] as wire.Frame;
  }

  async register(token?: Uint8Array): Promise<Uint8Array> {
    await new Promise((resolve) => this.socket.once('open', resolve));
    this.socket.send(wire.pushRegister.encode({ service: 'apns', token }));
    return wire.pushRegistered.decode(await this.frame(0)).token;
  }
}

const notifyFrame = (token: Uint8Array): Uint8Array => wire.notify.encode({ notifications: [{ token, wakeUpId: new Uint8Array(16), expiresAtEpochS: 0 }] });

const wake = (token: Uint8Array, id: number): Promise<{ readonly status: number }> =>
  role.providers.handle(
    { method: 'POST', http: '2', headers: {}, body: new Uint8Array(0), source: '', ...apnsRequest(token, clock.nowMs(), { id }) },
    undefined,
  );

const post = (frame: Uint8Array, options: { path?: string; type?: string; anonymous?: boolean; method?: string } = {}) => {
  const { path = '/uemkit/1/notifications', type = 'application/vnd.uemkit.frame', method = 'POST' } = options;
  const { key, certificate: cert } = pki.issue('infrastructure');
  const identity = options.anonymous === true ? {} : { key, cert };
  return ask(`https://${link.address}${path}`, { ca: pki.root, ...identity, method, headers: { 'content-type': type }, body: frame });
};

describe('push connections over WebSocket', () => {
  it('register, are woken, and take the wake-up before its sender is answered', async () => {
    const device = new Device();
    const token = await device.register();
    const answer = wake(token, 1);
    const { wakeUpId } = wire.wakeUp.decode(await device.frame(1));
    expect(wakeUpId).toEqual(new Uint8Array(16).fill(1));
    device.socket.send(wire.pushAck.encode({ wakeUpId }));
    expect((await answer).status).toBe(200);
    expect(journal.entries().at(-1)).toMatchObject({ service: 'apns', answer: '200 delivered' });
  });

  it('come back with their token and get what waits', async () => {
    const first = new Device();
    const token = await first.register();
    first.socket.close();
    await first.closed;
    await expect.poll(() => role.connections).toBe(0);
    expect((await wake(token, 5)).status).toBe(200);
    const second = new Device();
    expect(await second.register(token)).toEqual(token);
    expect(wire.wakeUp.decode(await second.frame(1)).wakeUpId[0]).toBe(5);
  });

  it('end with a pushClose and close code 1000 when another connection takes over', async () => {
    const first = new Device();
    const token = await first.register();
    await new Device().register(token);
    expect(wire.pushClose.decode(await first.frame(1))).toEqual({ reason: 'replaced' });
    expect(await first.closed).toBe(1000);
  });

  it('end with 1008 after a frame that is not allowed, with 1009 after one that is too large', async () => {
    const wrong = new Device();
    await new Promise((resolve) => wrong.socket.once('open', resolve));
    wrong.socket.send('text');
    expect(await wrong.closed).toBe(1008);
    const large = new Device();
    await new Promise((resolve) => large.socket.once('open', resolve));
    large.socket.send(new Uint8Array(PUSH_FRAME_BYTES + 1));
    expect([1006, 1009]).toContain(await large.closed);
    await expect.poll(() => role.connections).toBe(0);
  });

  it.each([
    ['another path', { path: '/uemkit/1/other' }],
    ['another subprotocol', { protocols: ['mqtt'] }],
    ['no subprotocol', { protocols: [] }],
  ])('are refused with %s', async (_what, options) => {
    const device = new Device(options);
    expect(await device.closed).toBe(1006);
    expect(role.connections).toBe(0);
    expect(() => journal.assertNoUnknownRequests()).toThrow();
  });

  it('300 random messages leave no connection behind', async () => {
    const random = seededEntropy('random messages');
    for (let round = 0; round < 15; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const device = new Device();
          await new Promise((resolve) => device.socket.once('open', resolve));
          device.socket.send(random.randomBytes(random.below(200)));
          await device.closed;
        }),
      );
    }
    await expect.poll(() => role.connections).toBe(0);
  });
});

describe('the HTTP binding of frames', () => {
  it('answers 404, 405 and 415 as the binding says, each loud in the journal, and 400', async () => {
    const frame = notifyFrame(new Uint8Array(32));
    expect((await post(frame, { path: '/uemkit/1/activation' })).status).toBe(404);
    const wrongMethod = await post(frame, { method: 'PUT' });
    expect([wrongMethod.status, wrongMethod.headers['allow']]).toEqual([405, 'POST']);
    expect((await post(frame, { type: 'application/json' })).status).toBe(415);
    expect((await post(new Uint8Array(9))).status).toBe(400);
    expect(journal.entries().map(({ answer, unknown }) => [answer, unknown])).toEqual([
      ['404', true],
      ['405', true],
      ['415', true],
    ]);
  });

  it('links need a certificate', async () => {
    await expect(post(notifyFrame(new Uint8Array(32)), { anonymous: true })).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
  });

  it('a link believes only a server with the certificate of the right role', async () => {
    const { key, certificate } = pki.issue('infrastructure');
    const caller = mutualTlsLink({ address: link.address, role: 'notification', key, certificate, root: pki.root });
    await expect(caller.request('notifications', notifyFrame(new Uint8Array(32)))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
    caller.close();
    expect(journal.entries()).toEqual([]);
  });
});
