import { describe, expect, it } from 'vitest';
import { handshakeInitiator, handshakeResponder } from '../../../src/index.ts';
import { createHandshakeSchedule, prologueParts, randomScalar } from '../../../src/key-schedule/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { watchedCrypto } from '../../watched-crypto.ts';
import { BINDINGS, crypto, initiatorOptions, NAMES, peerOf, psk, responderOptions, Side, shake } from './handshake-bench.ts';

/** Both sides, each with a provider that is watched; `owned` is what belongs to the holders of long-lived keys. */
function watchedPair(name: (typeof NAMES)[number]) {
  const [atApp, atServer] = [watchedCrypto(nodeCrypto()), watchedCrypto(nodeCrypto())];
  const ofApp = initiatorOptions(name);
  const peer = peerOf(name);
  const app = new Side(handshakeInitiator({ ...ofApp, crypto: atApp.crypto })).start();
  const server = new Side(handshakeResponder({ ...responderOptions(name), crypto: atServer.crypto }), peer);
  return {
    app,
    server,
    leftAtApp: (...more: Uint8Array[]) => atApp.left(ofApp.psk, ...more),
    leftAtServer: (...more: Uint8Array[]) => atServer.left(peer.psk, peer.staticScalar, ...more),
  };
}

describe.each(NAMES)('handshake %s leaves in memory', (name) => {
  it('nothing but its session, and nothing once that is wiped', () => {
    const sides = watchedPair(name);
    const { app, server } = shake(sides);
    const ciphers = { cbc: ['CBC', 'CBC'], gcm: ['expanded', 'derived', 'expanded', 'derived', 'GCM', 'GCM'], none: [] }[app.records.kind];
    expect(sides.leftAtApp(app.exporter)).toEqual(ciphers);
    expect(sides.leftAtServer(server.exporter)).toEqual(ciphers);
    app.wipe();
    server.wipe();
    expect([sides.leftAtApp(), sides.leftAtServer()]).toEqual([[], []]);
  });

  it('nothing when it fails at any message', () => {
    const first = watchedPair(name);
    first.app.input({ type: 'closed' });
    first.server.receive(first.app.take()).input({ type: 'closed' });
    expect([first.leftAtApp(), first.leftAtServer()]).toEqual([[], []]);

    const second = watchedPair(name);
    const m2 = second.server.receive(second.app.take()).take();
    second.app.receive(damaged(m2));
    second.server.receive(m2);
    expect([second.app.machine.state, second.server.machine.state]).toEqual(['failed', 'failed']);
    expect([second.leftAtApp(), second.leftAtServer()]).toEqual([[], []]);

    const third = watchedPair(name);
    third.app.receive(third.server.receive(third.app.take()).take());
    third.server.receive(damaged(third.app.take()));
    expect(third.server.machine.state).toBe('failed');
    expect(third.leftAtServer()).toEqual([]);
  });
});

it('sc keeps what opens the answers of UEM until its session is wiped', () => {
  const { app } = shake(watchedPair('sc'));
  expect(app.answerTraffic?.some((byte) => byte !== 0)).toBe(true);
  app.wipe();
  expect(app.answerTraffic).toEqual(new Uint8Array(32));
});

it('sc leaves nothing in memory when the record in M3 does not open', () => {
  // An initiator that has the keys, but seals its record under others.
  const atServer = watchedCrypto(nodeCrypto());
  const peer = peerOf('sc');
  const server = new Side(handshakeResponder({ ...responderOptions('sc'), crypto: atServer.crypto }), peer);
  const scalar = randomScalar<'ephemeral-scalar'>(seededEntropy('liar'));
  const own = crypto.p256PublicKey(scalar);
  const schedule = createHandshakeSchedule(crypto, 'sc', prologueParts('sc', BINDINGS.sc.prologue), { role: 'initiator', psk: psk() });
  const start = { ...initiatorOptions('sc').start, versions: [1], suites: [1], ephemeralKey: own, random: new Uint8Array(32), instance: 'sc' } as const;
  const m2 = wire.parseFrame(server.receive(schedule.sealStart(wire.handshakeStart.encode(start))).take(), { trailerBytes: 32 });
  const { ephemeralKey, sessionId } = wire.handshakeReply.decode(m2);
  schedule.agree({ scalar, own, peer: ephemeralKey });
  schedule.openReply(m2.core, m2.trailer);
  server.receive(schedule.sealFinish(wire.handshakeFinish.encode({ record: new Uint8Array(94), sessionId })));
  expect(server.error.code).toBe('ERR_CRYPTO_OPEN');
  expect(atServer.left(peer.psk)).toEqual([]);
});

/** The last byte, which is of a MAC, is another one. */
function damaged(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1;
  return copy;
}
