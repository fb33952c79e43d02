import { handshakeInitiator, type keySchedule, secret } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { expect, it } from 'vitest';
import { type LinkEffect, linkSession } from '../../src/roles/noc/link-session.ts';
import type { LinkRecord } from '../../src/roles/noc/noc-links.ts';

const crypto = nodeCrypto();
const LINK_ID = new Uint8Array(16).fill(1);
const KEY = new Uint8Array(32).fill(2);
const exporter = (fill: number): keySchedule.ChannelBinding => ({ kind: 'tls-exporter', value: new Uint8Array(32).fill(fill) });
const LINK: LinkRecord = {
  linkId: '01'.repeat(16),
  masterLinkKey: KEY,
  status: 'active',
  keyId: '',
  tenantId: 'tenant',
  createdAtMs: 0,
  expiresAtMs: 0,
};
const CONNECT = wire.connectProxy.encode({ proxyId: 'proxy-1' });

interface Ends {
  readonly appBinding?: keySchedule.ChannelBinding;
  readonly nocBinding?: keySchedule.ChannelBinding;
  readonly key?: Uint8Array;
  readonly known?: boolean;
}

/** An app and the NOC; gives what the NOC does with what the app sends. */
function ends({ appBinding = exporter(9), nocBinding = exporter(9), key = KEY, known = true }: Ends = {}) {
  const app = handshakeInitiator({
    ...{ crypto, entropy: seededEntropy('app'), psk: secret<'psk'>(key.slice()), start: { pskId: LINK_ID } },
    binding: { name: 'link', prologue: { binding: appBinding, linkId: LINK_ID } },
  });
  const noc = linkSession({ crypto, entropy: seededEntropy('noc'), binding: nocBinding, linkOf: () => (known ? LINK : undefined) });
  const sentBy = (effects: ReturnType<typeof app.handle>): Uint8Array =>
    effects.flatMap((effect) => (effect.type === 'send' ? [effect.frame] : []))[0] as Uint8Array;
  const start = sentBy(app.handle({ type: 'start' }, 0));
  return {
    start,
    give: (...parts: readonly Uint8Array[]): readonly LinkEffect[] => noc.received(Buffer.concat(parts), 0),
    finish: (reply: Uint8Array): Uint8Array => sentBy(app.handle({ type: 'received', frame: reply }, 0)),
  };
}

function alertOf([effect]: readonly LinkEffect[]): string {
  return effect?.type === 'send' ? wire.alert.decode(wire.parseFrame(effect.frame)).code : 'nothing';
}

it('takes M1, M3 and Connect, also at once and in pieces, and keeps what follows for the other end (F10.2, F10.3)', () => {
  const { start, give, finish } = ends();
  for (const byte of start.subarray(0, -1)) expect(give(Uint8Array.of(byte))).toEqual([]);
  const [reply] = give(start.subarray(-1)) as [Extract<LinkEffect, { type: 'send' }>];
  const first = Uint8Array.of(1, 2, 3);
  expect(give(finish(reply.frame), CONNECT, first)).toEqual([
    { type: 'connect', target: { to: 'proxy', proxyId: 'proxy-1' }, link: LINK, rest: Buffer.from(first) },
  ]);
  expect(give(first)).toEqual([]);
});

it.each<[string, Ends]>([
  ['a link that nobody knows', { known: false }],
  ['a wrong master link key', { key: new Uint8Array(32).fill(3) }],
  ['another TLS connection than the one of the app: somebody stands between', { nocBinding: exporter(8) }],
  ['no channel binding at one end alone', { appBinding: { kind: 'none' } }],
])('%s fails as a wrong key, and nothing is connected', (_name, options) => {
  const { start, give } = ends(options);
  const effects = give(start, CONNECT);
  expect(alertOf(effects)).toBe('authFailed');
  expect(effects.slice(1)).toMatchObject([{ type: 'fail', error: { code: 'ERR_CRYPTO_KEY_CONFIRMATION', step: 'F10.2' } }]);
});

it.each<[string, (app: ReturnType<typeof ends>) => readonly LinkEffect[], string]>([
  ['Connect before the handshake', ({ give }) => give(CONNECT), 'ERR_PEER_UNEXPECTED'],
  ['Connect before M3', ({ give, start }) => give(start, CONNECT).slice(1), 'ERR_PEER_UNEXPECTED'],
  [
    'another M1 on a link that stands',
    ({ give, start, finish }) => {
      const [reply] = give(start) as [Extract<LinkEffect, { type: 'send' }>];
      return give(finish(reply.frame), start);
    },
    'ERR_WIRE_TYPE',
  ],
  ['a frame of activation', ({ give }) => give(wire.nocEnvelope.encode({ sessionId: LINK_ID, frame: KEY })), 'ERR_WIRE_TYPE'],
  ['a body over the bound', ({ give, start }) => give(Uint8Array.of(...start.subarray(0, 4), 0, 1, 0, 0)), 'ERR_WIRE_LIMIT'],
])('%s ends the connection with an alert', (_name, breakIt, code) => {
  const effects = breakIt(ends());
  expect(alertOf(effects)).toBe('badMessage');
  expect(effects.at(-1)).toMatchObject({ type: 'fail', error: { code } });
});

it('keeps neither the master link key nor what follows from it, also when the app goes away within the handshake', () => {
  const seen: Uint8Array[] = [];
  const watch = (bytes: Uint8Array): Uint8Array => {
    seen.push(bytes);
    return bytes;
  };
  const watched = { ...crypto, hkdfExtract: (salt: Uint8Array, from: Uint8Array) => watch(crypto.hkdfExtract(salt, watch(from))) };
  const left = (): number => seen.filter((bytes) => bytes.some((byte) => byte !== 0)).length;
  const { start } = ends();
  const noc = linkSession({ crypto: watched, entropy: seededEntropy('noc'), binding: exporter(9), linkOf: () => LINK });
  expect(noc.received(start, 0).map(({ type }) => type)).toEqual(['send']);
  expect(seen.length).toBeGreaterThan(2);
  expect(seen[0]).toEqual(new Uint8Array(32));
  expect(KEY).toEqual(new Uint8Array(32).fill(2));
  noc.closed(0);
  expect(left()).toBe(0);
});
