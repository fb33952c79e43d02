import { handshakeResponder, keySchedule, secret } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { expect, it } from 'vitest';
import { nocWays } from '../../../src/connections/noc-way.ts';
import type { LinkChannelRequest } from '../../../src/noc/link-channel.ts';

const crypto = nodeCrypto();
const LINK_ID = new Uint8Array(16).fill(1);
const MASTER_LINK_KEY = new Uint8Array(32).fill(2);
const BINDING = { kind: 'tls-exporter', value: new Uint8Array(32).fill(9) } as const;
const KEX_KEY = crypto.p256PublicKey(crypto.sha256(new Uint8Array([1])));

/** A NOC that takes the link and connects, and a Proxy behind it that is silent; `answers` false: not even the NOC says anything. */
function bench(answers: boolean) {
  const seen: Uint8Array[] = [];
  const watch = (bytes: Uint8Array): Uint8Array => {
    seen.push(bytes);
    return bytes;
  };
  const clock = fakeClock(0);
  let sent = 0;
  const noc = handshakeResponder({ name: 'link', crypto, entropy: seededEntropy('noc') });
  const peer = { binding: { name: 'link', prologue: { binding: BINDING, linkId: LINK_ID } }, psk: secret<'psk'>(MASTER_LINK_KEY.slice()) } as const;
  const { link } = keySchedule.HANDSHAKES;
  const trailers: Readonly<Record<string, number>> = { handshakeStart: link.trailerBytes.start, handshakeFinish: link.trailerBytes.finish };
  const parser = wire.frameParser({ maxBodyBytes: 4_096, trailerBytes: (name) => trailers[name] ?? 0 });
  const openLink = async ({ onBytes }: LinkChannelRequest) => ({
    binding: BINDING,
    canPause: true,
    send(bytes: Uint8Array) {
      sent += 1;
      if (answers) for (const frame of parser.push(bytes)) take(frame, onBytes);
      return true;
    },
    pause: () => {},
    resume: () => {},
    end: () => {},
    close: () => {},
  });
  const take = (frame: Uint8Array, onBytes: LinkChannelRequest['onBytes']): void => {
    if (sent > 3) return;
    if (wire.peekFrameName(frame) === 'connectProxy') return onBytes(wire.connected.encode({ to: 'proxy' }));
    const effects = [...noc.handle({ type: 'received', frame }, 0)];
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      if (effect.type === 'request') effects.push(...noc.handle({ type: 'result', result: { type: 'identified', peer } }, 0));
      if (effect.type === 'send') onBytes(effect.frame);
    }
  };
  const ways = nocWays({
    crypto: { ...crypto, hkdfExtract: (salt, from) => watch(crypto.hkdfExtract(salt, watch(from))) },
    entropy: seededEntropy('app'),
    clock,
    transport: { openNoc: () => Promise.reject(new Error('not asked')), openLink },
    noc: { address: 'noc.example:1', trust: { roots: 'platform', spkiPins: [] } },
    ...{ linkId: LINK_ID, masterLinkKey: MASTER_LINK_KEY, tenantId: 'tenant', instanceId: LINK_ID, sessionKeyId: LINK_ID, masterSessionKey: MASTER_LINK_KEY },
  });
  return { clock, ways, sent: () => sent, left: () => seen.filter((bytes) => bytes.some((byte) => byte !== 0)).length, seen };
}

it.each<[string, boolean, number]>([
  ['the link', false, 1],
  ['the session with the Proxy', true, 4],
])('a lock while %s is begun leaves no key in memory', async (_name, answers, frames) => {
  const { ways, sent, left, seen } = bench(answers);
  const way = ways.noc({ id: 'proxy-1', host: 'proxy.example', port: 1, roots: [], spkiPins: [], keyExchangeKey: KEX_KEY });
  const opening = way.open({ host: 'server.example', port: 1 }, {});
  const failed = expect(opening).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  for (let turn = 0; sent() < frames && turn < 1_000; turn++) await undefined;
  expect([sent(), seen.length > 1]).toEqual([frames, true]);
  ways.close();
  await failed;
  expect(left()).toBe(0);
});

it.each<[string, boolean, number, number | undefined, object]>([
  ['a silent NOC is told apart', false, 10_000, undefined, { code: 'ERR_CONNECTION_NOC', step: 'F10.2' }],
  ['a silent Proxy leaves time for another one', true, 12_000, undefined, { code: 'ERR_CONNECTION_PROXY', step: 'F10.3' }],
  ['a caller who waits less hears how far it came', true, 5_000, 5_000, { code: 'ERR_TRANSPORT_TIMEOUT', step: 'F10.3' }],
])('%s', async (_name, answers, afterMs, timeoutMs, error) => {
  const { clock, ways } = bench(answers);
  const way = ways.noc({ id: 'proxy-1', host: 'proxy.example', port: 1, roots: [], spkiPins: [], keyExchangeKey: KEX_KEY });
  const opening = way.open({ host: 'server.example', port: 1 }, { timeoutMs });
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  opening.then(over, over);
  await clock.advance(afterMs - 1);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await expect(opening).rejects.toMatchObject(error);
  ways.close();
});

it.each<[string, boolean, number]>([
  ['a Proxy that is silent', true, 1],
  ['but not for a NOC that is', false, 0],
])('who waits less than a session may take is told all the same that nobody was there: %s', async (_name, answers, calls) => {
  const { clock, ways } = bench(answers);
  const way = ways.noc({ id: 'proxy-1', host: 'proxy.example', port: 1, roots: [], spkiPins: [], keyExchangeKey: KEX_KEY });
  let told = 0;
  const absent = (): void => {
    told += 1;
  };
  const opening = way.open({ host: 'server.example', port: 1 }, { timeoutMs: 5_000, absent });
  const failed = expect(opening).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
  await clock.advance(5_000);
  await failed;
  await clock.advance(6_999);
  expect(told).toBe(0);
  await clock.advance(1);
  expect(told).toBe(calls);
  ways.close();
});
