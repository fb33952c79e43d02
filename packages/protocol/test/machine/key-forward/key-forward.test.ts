import { afterAll, describe, expect, it } from 'vitest';
import { KEY_FORWARD_INITIATOR_TRANSITIONS, KEY_FORWARD_RESPONDER_TRANSITIONS, ProtocolError, transitionRecorder } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  ACCESS_KEY,
  CoreSide,
  converse,
  crypto,
  initiatorOptions,
  KEY_ID,
  Liar,
  NOW_MS,
  pair,
  REQUEST,
  responderOptions,
  responseTo,
  SiblingSide,
  type Sides,
} from './key-forward-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
afterAll(() => expect([recorder.missing(KEY_FORWARD_INITIATOR_TRANSITIONS), recorder.missing(KEY_FORWARD_RESPONDER_TRANSITIONS)]).toEqual([[], []]));

const name = (frame: Uint8Array): string => wire.peekFrameName(frame) ?? `record ${frame[0]?.toString(16)}`;
const damaged = (frame: Uint8Array): Uint8Array => frame.map((byte, at) => (at === frame.length - 1 ? byte ^ 1 : byte));
const said = (error: ProtocolError): readonly (string | undefined)[] => [error.code, error.step];

/** Both sides after `count` frames. */
function after(count: number, prepare?: (sides: Sides) => void): Sides {
  const sides = pair({ onTransition });
  prepare?.(sides);
  converse(sides, count);
  return sides;
}

describe('a sibling app asks UEM for the access key of another app (F3.4, F3.5)', () => {
  it('over its own session, and nobody on the way sees key or nonce', () => {
    const sides = pair({ onTransition });
    const frames = converse(sides);
    expect(frames.map(name)).toEqual(['handshakeStart', 'handshakeReply', 'handshakeFinish', 'record 17', 'record 17', 'record 15']);
    expect(sides.sibling.output).toEqual(responseTo(REQUEST));
    expect(sides.core.output).toEqual({ keyId: KEY_ID });
    expect(sides.core.grants).toEqual([REQUEST]);
    expect([sides.sibling.timers.size, sides.core.timers.size]).toEqual([0, 0]);
    const wired = frames.map((frame) => Buffer.from(frame).toString('latin1')).join();
    for (const secret of [ACCESS_KEY, REQUEST.appId, Buffer.from(REQUEST.nonce).toString('latin1')]) expect(wired).not.toContain(secret);
  });

  it('each message with its flow step', () => {
    const { sibling, core } = after(10);
    const steps = (side: SiblingSide | CoreSide): readonly string[] => side.effects.flatMap((effect) => ('step' in effect ? [effect.step] : []));
    expect(steps(sibling)).toEqual(['F3.4', 'F3.4', 'F3.4']);
    expect(steps(core)).toEqual(['F3.4', 'F3.4', 'F3.4', 'F3.5', 'F3.5']);
  });

  it('also when records cut the messages anywhere, and a key update is between them', () => {
    const core = new CoreSide(responderOptions({ onTransition }));
    const asking = Liar.towards(core);
    const forward = wire.accessKeyForward.encode(REQUEST);
    core
      .receive(asking.record(forward.subarray(0, 9)))
      .receive(asking.records.sealer.updateKey(NOW_MS))
      .receive(asking.record(forward.subarray(9)));
    expect(core.output).toEqual({ keyId: KEY_ID });
    const sibling = new SiblingSide(initiatorOptions({ onTransition })).start();
    const answering = Liar.asCore(sibling);
    const response = wire.accessKeyResponse.encode(responseTo(REQUEST));
    sibling.receive(answering.record(response.subarray(0, 20))).receive(answering.record(response.subarray(20)));
    expect(sibling.output).toEqual(responseTo(REQUEST));
  });
});

describe('UEM refuses', () => {
  it.each([
    ['an app that it does not know', undefined, 'ERR_CRYPTO_KEY_CONFIRMATION'],
    ['a wrong session key', new Uint8Array(32).fill(9), 'ERR_CRYPTO_KEY_CONFIRMATION'],
  ])('%s, and asks nobody for a key', (_what, key, code) => {
    const { sibling, core } = after(10, (sides) => {
      const { peer } = sides.core;
      sides.core.peer = key === undefined || peer?.psk === undefined ? undefined : { ...peer, psk: Object.assign(peer.psk, key) };
    });
    expect([said(core.error), said(sibling.error), core.grants]).toEqual([[code, 'F3.4'], ['ERR_PEER_ALERT', 'F3.4'], []]);
  });

  it.each([
    ['ERR_REJECTED_UNKNOWN', 'ERR_PEER_ALERT', 'authFailed'],
    ['ERR_PEER_REPLAY', 'ERR_PEER_ALERT', 'authFailed'],
    ['ERR_REJECTED_BUSY', 'ERR_REJECTED_BUSY', undefined],
    ['ERR_STORE_WRITE', 'ERR_PEER_ALERT', 'internal'],
  ] as const)('a request that ends with %s', (code, told, alert) => {
    const { sibling, core } = after(10, (sides) => {
      sides.core.refusal = new ProtocolError(code, 'no');
    });
    expect([said(core.error), said(sibling.error), sibling.error.details['alert']]).toEqual([[code, 'F3.5'], [told, 'F3.5'], alert]);
    expect([sibling.output, core.output]).toEqual([undefined, undefined]);
  });

  it('to look an app up when it cannot now', () => {
    const { sibling, core } = after(1, (sides) => {
      sides.core.manual = true;
    });
    core.input({ type: 'failed', error: new ProtocolError('ERR_REJECTED_BUSY', 'no store') });
    converse({ sibling, core });
    expect([said(core.error), said(sibling.error)]).toEqual([
      ['ERR_REJECTED_BUSY', 'F3.4'],
      ['ERR_REJECTED_BUSY', 'F3.4'],
    ]);
  });

  it('a wrong mac3, and a record that was changed on the way', () => {
    const first = after(2);
    first.core.receive(damaged(first.sibling.take()));
    expect(said(first.core.error)).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'F3.4']);
    const second = after(3);
    second.core.receive(damaged(second.sibling.take()));
    expect([said(second.core.error), second.core.grants]).toEqual([['ERR_CRYPTO_OPEN', 'F3.4'], []]);
  });

  it.each([
    ['the head of another message', wire.accessKeyResponse.encode(responseTo(REQUEST)).subarray(0, 8), 'ERR_WIRE_TYPE'],
    ['a body that is too long', Uint8Array.of(1, 0x51, 0, 0, 0, 0, 0x10, 1), 'ERR_WIRE_LIMIT'],
    ['a body that is none', Uint8Array.of(1, 0x51, 0, 0, 0, 0, 0, 1, 0xff), 'ERR_WIRE_TYPE'],
  ])('%s, and says so', (_what, bytes, code) => {
    const core = new CoreSide(responderOptions({ onTransition }));
    const liar = Liar.towards(core);
    core.receive(liar.record(bytes));
    expect(said(core.error)).toEqual([code, 'F3.4']);
    expect(liar.records.opener.open(core.take(), NOW_MS)).toEqual({ type: 'closed', alert: wire.ALERT_CODES.badMessage });
  });

  it('the end of the session in place of the request', () => {
    const core = new CoreSide(responderOptions({ onTransition }));
    core.receive(Liar.towards(core).records.sealer.close());
    expect(said(core.error)).toEqual(['ERR_PEER_UNEXPECTED', 'F3.4']);
  });
});

describe('the sibling refuses', () => {
  it('UEM without its static key', () => {
    const other = new CoreSide(responderOptions({ onTransition }));
    const { peer } = other;
    other.peer =
      peer === undefined ? undefined : { ...peer, staticScalar: Object.assign(peer.staticScalar ?? new Uint8Array(32), new Uint8Array(32).fill(1)) as never };
    const sibling = new SiblingSide(initiatorOptions({ onTransition })).start();
    other.receive(sibling.take());
    sibling.receive(other.take());
    expect(said(sibling.error)).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', 'F3.4']);
  });

  it.each([
    ['the head of another message', wire.accessKeyForward.encode(REQUEST).subarray(0, 8), 'ERR_WIRE_TYPE'],
    ['a body that is too long', Uint8Array.of(1, 0x52, 0, 0, 0, 0, 0x10, 1), 'ERR_WIRE_LIMIT'],
  ])('%s', (_what, bytes, code) => {
    const sibling = new SiblingSide(initiatorOptions({ onTransition })).start();
    sibling.receive(Liar.asCore(sibling).record(bytes));
    expect(said(sibling.error)).toEqual([code, 'F3.5']);
  });

  it.each([
    ['without an alert', 0, 'ERR_PEER_UNEXPECTED'],
    ['by an alert that there is not', 200, 'ERR_PEER_UNEXPECTED'],
    ['by an alert', wire.ALERT_CODES.expired, 'ERR_REJECTED_EXPIRED'],
  ])('a session that is closed %s', (_what, alert, code) => {
    const sibling = new SiblingSide(initiatorOptions({ onTransition })).start();
    sibling.receive(Liar.asCore(sibling).records.sealer.close(alert));
    expect(said(sibling.error)).toEqual([code, 'F3.5']);
  });
});

describe('a side that waits', () => {
  it('ends when its time is over', () => {
    const { sibling, core } = after(2);
    expect([...sibling.timers, ...core.timers]).toEqual([
      ['deadline', wire.LIMITS.handshakeMs],
      ['deadline', wire.LIMITS.handshakeMs],
    ]);
    sibling.input({ type: 'timer', timer: 'deadline' });
    core.input({ type: 'timer', timer: 'deadline' });
    expect([said(sibling.error), said(core.error)]).toEqual([
      ['ERR_PEER_TIMEOUT', 'F3.5'],
      ['ERR_PEER_TIMEOUT', 'F3.4'],
    ]);
    expect([sibling.timers.size, core.timers.size]).toEqual([0, 0]);
  });

  it('has the time that its owner gives', () => {
    const sibling = new SiblingSide({ ...initiatorOptions(), limits: { runMs: 5 } }).start();
    const core = new CoreSide({ ...responderOptions(), limits: { runMs: 6 } });
    expect([...sibling.timers.values(), ...core.timers.values()]).toEqual([5, 6]);
  });

  it('ends with the connection, in each state', () => {
    const broken = new ProtocolError('ERR_TRANSPORT_TLS', 'broken');
    for (const count of [0, 1, 2, 3, 4]) {
      const { sibling, core } = after(count, (sides) => {
        sides.core.manual = count === 1;
      });
      if (count === 4) continue;
      sibling.input({ type: 'closed' });
      core.input({ type: 'closed', error: broken });
      expect([sibling.error.code, core.error.code]).toEqual(['ERR_TRANSPORT_CLOSED', 'ERR_TRANSPORT_TLS']);
    }
    const early = new SiblingSide(initiatorOptions({ onTransition })).input({ type: 'closed', error: broken });
    expect(said(early.error)).toEqual(['ERR_TRANSPORT_TLS', 'F3.4']);
    const granting = after(1, (sides) => {
      sides.core.manual = true;
    });
    granting.core.answerRequest();
    converse(granting);
    expect(granting.core.machine.state).toBe('granting');
    granting.core.input({ type: 'closed' });
    expect(said(granting.core.error)).toEqual(['ERR_TRANSPORT_CLOSED', 'F3.5']);
  });

  it('answers the same M1 with the same M2, once there is one', () => {
    const { sibling, core } = pair({ onTransition });
    core.manual = true;
    const start = sibling.take();
    core.receive(start).receive(start);
    expect([core.sent, core.machine.state]).toEqual([[], 'identifying']);
    core.answerRequest();
    const reply = core.take();
    core.receive(start);
    expect([core.take(), core.requests]).toEqual([reply, []]);
  });

  it('drops what nothing asked for', () => {
    const { sibling, core } = after(1, (sides) => {
      sides.core.manual = true;
    });
    core.input({ type: 'result', result: { type: 'granted', response: responseTo(REQUEST) } });
    expect(core.machine.state).toBe('identifying');
    core.answerRequest();
    converse({ sibling, core });
    core.receive(new Uint8Array(94)).input({ type: 'result', result: { type: 'identified' } });
    core.input({ type: 'call' } as never);
    sibling.input({ type: 'call' } as never);
    expect([core.machine.state, core.sent, sibling.machine.state]).toEqual(['granting', [], 'awaitingKey']);
    expect(new SiblingSide(initiatorOptions()).receive(new Uint8Array(94)).machine.state).toBe('new');
  });

  it('changes nothing after its end', () => {
    const { sibling, core } = after(10);
    const counts = [sibling.effects.length, core.effects.length];
    sibling.input({ type: 'closed' });
    core.input({ type: 'closed' });
    expect([sibling.effects.length, core.effects.length]).toEqual(counts);
    const failed = after(2);
    failed.sibling.input({ type: 'closed' }).start();
    failed.core.input({ type: 'closed' }).input({ type: 'start' });
    expect([failed.sibling.machine.state, failed.core.machine.state, failed.core.timers.size]).toEqual(['failed', 'failed', 0]);
  });

  it('throws what is no error of the protocol', () => {
    const broken = {
      ...crypto,
      p256Ecdh: () => {
        throw new TypeError('a fault of ours');
      },
    };
    const core = new CoreSide(responderOptions({ crypto: broken }));
    expect(() => core.receive(new SiblingSide(initiatorOptions()).start().take())).toThrow(TypeError);
    const sibling = new SiblingSide(initiatorOptions({ crypto: { ...crypto, gcm: broken.p256Ecdh } })).start();
    const honest = new CoreSide(responderOptions());
    honest.receive(sibling.take());
    expect(() => sibling.receive(honest.take())).toThrow(TypeError);
  });
});
