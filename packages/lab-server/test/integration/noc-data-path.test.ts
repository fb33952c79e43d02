import { EventEmitter } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { concatBytes, fromHex, handshakeInitiator, type keySchedule, secret, toHex } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRingJournal } from '../../src/journal/journal.ts';
import { createNocDataPath, type NocDataPath } from '../../src/node/noc-data-path.ts';
import { splice } from '../../src/node/splice.ts';
import { deleteLink, type LinkRecord, type LinkStatus, putLink } from '../../src/roles/noc/noc-links.ts';
import { putNocTenant } from '../../src/roles/noc/noc-tenants.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const ports = { clock: systemClock(), crypto: nodeCrypto(), entropy: nodeEntropy() };
const LINK_ID = new Uint8Array(16).fill(1);
const OTHER_LINK_ID = new Uint8Array(16).fill(8);
const KEY = new Uint8Array(32).fill(2);
const EXPORTER: keySchedule.ChannelBinding = { kind: 'tls-exporter', value: new Uint8Array(32).fill(9) };

let store: MemoryStore;
/** Standing connections that were asked for a stream. */
let asked: number;

beforeEach(async () => {
  store = new MemoryStore();
  asked = 0;
  await link('active');
});

const record = (status: LinkStatus): LinkRecord => {
  const never = Number.MAX_SAFE_INTEGER;
  return { linkId: toHex(LINK_ID), masterLinkKey: KEY, status, keyId: '', tenantId: 'tenant', createdAtMs: 0, expiresAtMs: never };
};
const link = (status: LinkStatus): Promise<void> =>
  store.transaction((tx) => {
    putLink(tx, record(status));
    putNocTenant(tx, { tenantId: 'tenant', proxyIds: ['proxy-1'], destinations: [] });
    putNocTenant(tx, { tenantId: 'other', proxyIds: ['proxy-2'], destinations: [] });
  });

/** A NOC at which both Proxies have a standing connection, which only counts. */
function noc(allowUnbound = false): NocDataPath {
  let proxyId = '';
  const guard = {
    roleOf: () => 'connectivity-node' as const,
    tenantOf: () => ({ refused: 'no UEM' }),
    proxyOf: () => ({ proxyId, certificate: new Uint8Array(0) }),
  };
  const made = createNocDataPath({ ...ports, journal: createRingJournal(), guard, store, allowUnbound });
  for (proxyId of ['proxy-1', 'proxy-2']) {
    const session = {
      once: () => session,
      destroy: () => {},
      request() {
        asked += 1;
        throw new Error('asked');
      },
    };
    made.addNode(session as never, { kind: 'anonymous', source: 'node' });
  }
  return made;
}

interface Linked {
  readonly app: Duplex;
  /** The name of the last frame, or the reason of a refusal. */
  readonly last: () => string;
  /** Waits for it. */
  heard(name: string): Promise<string>;
  /** The NOC has closed. */
  readonly closed: Promise<void>;
}

/** An app on a link, until the NOC closes or it has got through. */
function linked(
  at: NocDataPath,
  options: { readonly connect: Uint8Array; readonly linkId?: Uint8Array; readonly binding?: keySchedule.ChannelBinding; readonly holdsBack?: 'M3' },
): Linked {
  const { connect: asked, linkId = LINK_ID, binding = EXPORTER, holdsBack } = options;
  const [app, below] = duplexPair() as readonly [Duplex, Duplex];
  at.openLink(below, binding, 'source');
  const machine = handshakeInitiator({
    ...ports,
    ...{ psk: secret<'psk'>(KEY.slice()), start: { pskId: linkId }, binding: { name: 'link', prologue: { binding, linkId } } },
  });
  const parser = wire.frameParser({ maxBodyBytes: 4_096, trailerBytes: (name) => (name === 'handshakeReply' ? 32 : 0) });
  const feed = (effects: ReturnType<typeof machine.handle>): void => {
    for (const effect of effects) {
      if (effect.type === 'send' && !app.destroyed) app.write(effect.frame);
      if (effect.type === 'done') app.write(asked);
    }
  };
  let last = 'closed';
  feed(machine.handle({ type: 'start' }, 0));
  app.on('error', () => {});
  app.on('data', (chunk: Uint8Array) => {
    for (const bytes of parser.push(chunk)) {
      const frame = wire.parseFrame(bytes, { trailerBytes: wire.peekFrameName(bytes) === 'handshakeReply' ? 32 : 0 });
      last = frame.name === 'connectRefused' ? wire.connectRefused.decode(frame).reason : frame.name;
      if (frame.name === 'handshakeReply' && holdsBack === undefined) feed(machine.handle({ type: 'received', frame: bytes }, 0));
    }
  });
  const closed = new Promise<void>((resolve) => {
    app.once('end', () => resolve());
    below.once('close', () => resolve());
  });
  return {
    app,
    last: () => last,
    closed,
    async heard(name) {
      await expect.poll(() => last).toBe(name);
      return last;
    },
  };
}

/** What an app on a link hears last: the name of a frame with its reason, or `closed`. */
async function connect(at: NocDataPath, proxyId: string, binding = EXPORTER, linkId = LINK_ID): Promise<string> {
  const { app, last, closed } = linked(at, { connect: wire.connectProxy.encode({ proxyId }), binding, linkId });
  await closed;
  app.destroy();
  return last();
}

it('does not tell the Proxy of another tenant from one that is not there, and asks neither', async () => {
  expect([await connect(noc(), 'proxy-2'), await connect(noc(), 'proxy-9')]).toEqual(['absent', 'absent']);
  expect(asked).toBe(0);
});

it('takes the push channels of an app on its link, and those of one that may only reach UEM not (13.5)', async () => {
  const asking = wire.connectPush.encode({ channelIds: [new Uint8Array(16).fill(3)] });
  const at = noc();
  const { app, heard } = linked(at, { connect: asking });
  await heard('connected');
  expect(at.isPushConnected(toHex(LINK_ID))).toBe(true);
  at.endLink(toHex(LINK_ID));
  await expect.poll(() => at.isPushConnected(toHex(LINK_ID))).toBe(false);
  app.destroy();
  await link('coreOnly');
  const refused = linked(noc(), { connect: asking });
  await refused.heard('denied');
  refused.app.destroy();
});

it('takes no link that UEM has not activated', async () => {
  await link('provisional');
  expect(await connect(noc(), 'proxy-9')).toBe('alert');
  await link('active');
  expect(await connect(noc(), 'proxy-9')).toBe('absent');
});

it('takes a link without channel binding only where its policy allows it', async () => {
  expect(await connect(noc(), 'proxy-9', { kind: 'none' })).toBe('closed');
  expect(await connect(noc(true), 'proxy-9', { kind: 'none' })).toBe('absent');
});

describe('a link that ends', () => {
  const linkId = toHex(LINK_ID);
  /** A server that the tenant allows, what is open there, and the app that has got through to it. */
  let server: Server;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await store.transaction((tx) =>
      putNocTenant(tx, { tenantId: 'tenant', proxyIds: [], destinations: [{ host: '127.0.0.1', subdomains: false, port, allow: true }] }),
    );
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const target = (): Uint8Array => wire.connectHost.encode({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });

  it('breaks what is open over it at both ends, at once, and nothing else', async () => {
    await store.transaction((tx) => putLink(tx, { ...record('active'), linkId: toHex(OTHER_LINK_ID) }));
    const at = noc();
    const mine = linked(at, { connect: target() });
    const other = linked(at, { linkId: OTHER_LINK_ID, connect: target() });
    expect([await mine.heard('connected'), await other.heard('connected')]).toEqual(['connected', 'connected']);
    await expect.poll(() => sockets.length).toBe(2);
    await store.transaction((tx) => deleteLink(tx, linkId));
    at.endLink(linkId);
    await mine.closed;
    await expect.poll(() => sockets.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length).toBe(1);
    expect([at.links, other.app.destroyed]).toEqual([1, false]);
    at.breakConnections();
    await expect.poll(() => at.links).toBe(0);
    // Nothing is left of either: this must not fail.
    at.endLink(toHex(OTHER_LINK_ID));
  });

  it('breaks a handshake over it that is not over', async () => {
    const at = noc();
    const slow = linked(at, { connect: target(), holdsBack: 'M3' });
    expect(await slow.heard('handshakeReply')).toBe('handshakeReply');
    await store.transaction((tx) => deleteLink(tx, linkId));
    at.endLink(linkId);
    await slow.closed;
    expect(sockets).toEqual([]);
  });

  it('is refused afterwards as one that nobody knows', async () => {
    const at = noc();
    const unknown = await connect(at, 'proxy-9', EXPORTER, OTHER_LINK_ID);
    expect(await connect(at, 'proxy-9')).toBe('absent');
    await store.transaction((tx) => deleteLink(tx, linkId));
    at.endLink(linkId);
    expect([unknown, await connect(at, 'proxy-9')]).toEqual(['alert', 'alert']);
  });
});

describe('a Proxy that dials for an app', () => {
  /** Proxies that are connected, by id, and the tickets that they were given. */
  const tickets: string[] = [];
  let proxyId: string;

  function asking(): NocDataPath {
    tickets.length = 0;
    const guard = {
      roleOf: () => 'connectivity-node' as const,
      tenantOf: () => ({ refused: 'no UEM' }),
      proxyOf: () => (proxyId === '' ? { refused: 'no node' } : { proxyId, certificate: new Uint8Array(0) }),
    };
    const made = createNocDataPath({ ...ports, journal: createRingJournal(), guard, store });
    const session = Object.assign(new EventEmitter(), {
      destroy: () => {},
      request(headers: Readonly<Record<string, string>>) {
        tickets.push(String(headers['uemkit-ticket']));
        return Object.assign(new EventEmitter(), { resume: () => {}, destroy: () => {} });
      },
    });
    proxyId = 'proxy-1';
    made.addNode(session as never, { kind: 'anonymous', source: 'node' });
    return made;
  }
  /** The end of the Proxy, which has sent these bytes, and that of the NOC. */
  function dial(at: NocDataPath, ...sent: readonly Uint8Array[]): { readonly proxy: Duplex; readonly below: Duplex } {
    const [proxy, below] = duplexPair() as readonly [Duplex, Duplex];
    at.addDialled(below, { kind: 'anonymous', source: 'node' });
    for (const bytes of sent) proxy.write(bytes);
    return { proxy, below };
  }
  const cutOff = async ({ below }: ReturnType<typeof dial>): Promise<void> => expect.poll(() => below.destroyed).toBe(true);
  const ticket = async (): Promise<Uint8Array> => {
    await expect.poll(() => tickets.length).toBeGreaterThan(0);
    return fromHex(tickets[0] as string);
  };

  it('is the other end of the app whose ticket it brings, and what it has sent behind it comes too', async () => {
    const at = asking();
    const { app, heard, closed } = linked(at, { connect: wire.connectProxy.encode({ proxyId: 'proxy-1' }) });
    const given = await ticket();
    expect(given).toHaveLength(16);
    const { proxy } = dial(at, given.subarray(0, 5), concatBytes(given.subarray(5), wire.acknowledgement.encode({ ok: true })));
    await heard('acknowledgement');
    const passed = new Promise<Uint8Array>((resolve) => proxy.once('data', resolve));
    app.write(Uint8Array.of(7));
    expect([...(await passed)]).toEqual([7]);
    proxy.end();
    await closed;
  });

  it('is cut off with a ticket that was used, that nobody has given, or that another Proxy was given, and when it is no Proxy', async () => {
    const at = asking();
    const { app } = linked(at, { connect: wire.connectProxy.encode({ proxyId: 'proxy-1' }) });
    const given = await ticket();
    proxyId = 'proxy-2';
    await cutOff(dial(at, given));
    proxyId = '';
    await cutOff(dial(at, given));
    proxyId = 'proxy-1';
    await cutOff(dial(at, new Uint8Array(16)));
    const right = dial(at, given);
    app.write(Uint8Array.of(7));
    await new Promise((resolve) => right.proxy.once('data', resolve));
    await cutOff(dial(at, given));
    expect([right.below.destroyed, app.destroyed]).toEqual([false, false]);
    at.breakConnections();
  });
});

it('passes on what a side has sent right before it broke', async () => {
  const [app, ours] = duplexPair() as readonly [Duplex, Duplex];
  const [proxy, theirs] = duplexPair() as readonly [Duplex, Duplex];
  const passed = new Promise<Uint8Array>((resolve) => proxy.once('data', resolve));
  const closed = new Promise<void>((resolve) => splice(ours, theirs, resolve));
  ours.once('data', () => ours.destroy());
  app.write(Uint8Array.of(7));
  expect([...(await passed)]).toEqual([7]);
  await closed;
});

it('reads no further from one side of what it passes on than the other one takes', async () => {
  const [app, ours] = duplexPair() as readonly [Duplex, Duplex];
  const [proxy, theirs] = duplexPair() as readonly [Duplex, Duplex];
  const closed = new Promise<void>((resolve) => splice(ours, theirs, resolve));
  let written = 0;
  const pump = async (): Promise<void> => {
    for (let left = 256; left > 0; left--) {
      if (!app.write(new Uint8Array(65_536))) await new Promise((resolve) => app.once('drain', resolve));
      written += 65_536;
    }
    app.end();
  };
  const pumping = pump();
  let before = -1;
  const isStill = (): boolean => {
    const still = written === before;
    before = written;
    return still;
  };
  await expect.poll(isStill).toBe(true);
  expect(written).toBeLessThan(1_048_576);
  let read = 0;
  proxy.on('data', (chunk: Uint8Array) => {
    read += chunk.length;
  });
  await Promise.all([pumping, new Promise((resolve) => proxy.once('end', resolve))]);
  expect(read).toBe(256 * 65_536);
  proxy.end();
  app.resume();
  await closed;
});
