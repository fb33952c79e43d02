import { type Duplex, duplexPair } from 'node:stream';
import { handshakeInitiator, type keySchedule, secret, toHex } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, expect, it } from 'vitest';
import { createRingJournal } from '../../src/journal/journal.ts';
import { createNocDataPath, type NocDataPath } from '../../src/node/noc-data-path.ts';
import { type LinkStatus, putLink } from '../../src/roles/noc/noc-links.ts';
import { putNocTenant } from '../../src/roles/noc/noc-tenants.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const ports = { clock: systemClock(), crypto: nodeCrypto(), entropy: nodeEntropy() };
const LINK_ID = new Uint8Array(16).fill(1);
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

const link = (status: LinkStatus): Promise<void> =>
  store.transaction((tx) => {
    const never = Number.MAX_SAFE_INTEGER;
    putLink(tx, { linkId: toHex(LINK_ID), masterLinkKey: KEY, status, keyId: '', tenantId: 'tenant', createdAtMs: 0, expiresAtMs: never });
    putNocTenant(tx, { tenantId: 'tenant', proxyIds: ['proxy-1'], destinations: [] });
    putNocTenant(tx, { tenantId: 'other', proxyIds: ['proxy-2'], destinations: [] });
  });

/** A NOC at which both Proxies have a standing connection, which only counts. */
function noc(allowUnbound = false): NocDataPath {
  let proxyId = '';
  const guard = { roleOf: () => 'connectivity-node' as const, proxyOf: () => ({ proxyId, certificate: new Uint8Array(0) }) };
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

/** What an app on a link hears last: the name of a frame with its reason, or `closed`. */
async function connect(at: NocDataPath, proxyId: string, binding = EXPORTER): Promise<string> {
  const [app, below] = duplexPair() as readonly [Duplex, Duplex];
  at.openLink(below, binding, 'source');
  const machine = handshakeInitiator({
    ...ports,
    ...{ psk: secret<'psk'>(KEY.slice()), start: { pskId: LINK_ID }, binding: { name: 'link', prologue: { binding, linkId: LINK_ID } } },
  });
  const parser = wire.frameParser({ maxBodyBytes: 4_096, trailerBytes: (name) => (name === 'handshakeReply' ? 32 : 0) });
  const feed = (effects: ReturnType<typeof machine.handle>): void => {
    for (const effect of effects) {
      if (effect.type === 'send' && !app.destroyed) app.write(effect.frame);
      if (effect.type === 'done') app.write(wire.connectProxy.encode({ proxyId }));
    }
  };
  let last = 'closed';
  feed(machine.handle({ type: 'start' }, 0));
  app.on('error', () => {});
  app.on('data', (chunk: Uint8Array) => {
    for (const bytes of parser.push(chunk)) {
      const frame = wire.parseFrame(bytes, { trailerBytes: wire.peekFrameName(bytes) === 'handshakeReply' ? 32 : 0 });
      if (frame.name === 'handshakeReply') feed(machine.handle({ type: 'received', frame: bytes }, 0));
      else last = frame.name === 'connectRefused' ? wire.connectRefused.decode(frame).reason : frame.name;
    }
  });
  await new Promise<void>((resolve) => {
    app.once('end', () => resolve());
    below.once('close', () => resolve());
  });
  app.destroy();
  return last;
}

it('does not tell the Proxy of another tenant from one that is not there, and asks neither', async () => {
  expect([await connect(noc(), 'proxy-2'), await connect(noc(), 'proxy-9')]).toEqual(['absent', 'absent']);
  expect(asked).toBe(0);
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
