import { afterAll, describe, expect, it } from 'vitest';
import { APP_UPDATE_INITIATOR_TRANSITIONS, APP_UPDATE_RESPONDER_TRANSITIONS, ProtocolError, transitionRecorder } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { crypto, Liar } from '../key-forward/key-forward-bench.ts';
import {
  AppSide,
  CoreSide,
  converse,
  initiatorOptions,
  NOW_MS,
  pair,
  REACHED,
  REQUEST,
  responderOptions,
  type Sides,
  UNLOCK_KEY,
  UPDATE,
} from './app-update-bench.ts';

const recorder = transitionRecorder();
const onTransition = recorder.listener;
afterAll(() => expect([recorder.missing(APP_UPDATE_INITIATOR_TRANSITIONS), recorder.missing(APP_UPDATE_RESPONDER_TRANSITIONS)]).toEqual([[], []]));

const name = (frame: Uint8Array): string => wire.peekFrameName(frame) ?? `record ${frame[0]?.toString(16)}`;
const damaged = (frame: Uint8Array): Uint8Array => frame.map((byte, at) => (at === frame.length - 1 ? byte ^ 1 : byte));
const said = (error: ProtocolError): readonly (string | undefined)[] => [error.code, error.step];
const broken = new ProtocolError('ERR_TRANSPORT_TLS', 'broken');

/** Both sides after `count` frames. */
function after(count: number, prepare?: (sides: Sides) => void): Sides {
  const sides = pair({ onTransition });
  prepare?.(sides);
  converse(sides, count);
  return sides;
}

describe('an activated app asks UEM what has changed (F5.3 to F5.5)', () => {
  it('over its own session, and nobody on the way sees what', () => {
    const sides = pair({ onTransition });
    const frames = converse(sides);
    expect(frames.map(name)).toEqual(['handshakeStart', 'handshakeReply', 'handshakeFinish', 'record 17', 'record 17', 'record 17', 'record 15']);
    expect([sides.core.asked, sides.app.applied, sides.core.noted]).toEqual([[REQUEST], [UPDATE], [REACHED]]);
    expect([sides.app.output, sides.core.output]).toEqual([{ isConfirmed: true, more: false }, { report: REACHED }]);
    expect([sides.app.timers.size, sides.core.timers.size]).toEqual([0, 0]);
    const wired = frames.map((frame) => Buffer.from(frame).toString('latin1')).join();
    for (const secret of [UNLOCK_KEY, 'idleLockMinutes', REQUEST.appVersion]) expect(wired).not.toContain(secret);
  });

  it('each message with its flow step', () => {
    const { app, core } = after(20);
    expect(app.steps).toEqual(['F5.3', 'F5.3', 'F5.3', 'F5.4', 'F5.5']);
    expect(core.steps).toEqual(['F3.4', 'F3.4', 'F5.3', 'F5.4', 'F5.5', 'F5.5']);
  });

  it('also with more than one record holds, cut anywhere, and a key update between', () => {
    const configuration = { text: 'x'.repeat(40_000) };
    const large = after(20, ({ core }) => {
      core.update = { ...UPDATE, configuration, more: true };
    });
    expect([large.app.applied[0]?.configuration, large.app.output]).toEqual([configuration, { isConfirmed: true, more: true }]);
    const app = new AppSide(initiatorOptions({ onTransition })).start();
    const liar = Liar.asCore(app);
    const update = wire.appUpdate.encode(UPDATE);
    app
      .receive(liar.record(update.subarray(0, 9)))
      .receive(liar.records.sealer.updateKey(NOW_MS))
      .receive(liar.record(update.subarray(9)))
      .receive(liar.records.sealer.updateKey(NOW_MS));
    expect([app.applied, app.machine.state]).toEqual([[UPDATE], 'awaitingEnd']);
    const core = new CoreSide(responderOptions({ onTransition }));
    const asking = Liar.towards(core);
    const [request, ack] = [wire.appUpdateRequest.encode(REQUEST), wire.appUpdateAck.encode({ report: REACHED })];
    core
      .receive(asking.record(request.subarray(0, 20)))
      .receive(asking.record(request.subarray(20)))
      .receive(asking.record(ack.subarray(0, 5)))
      .receive(asking.record(ack.subarray(5)));
    expect(core.output).toEqual({ report: REACHED });
  });

  it('also when nothing has changed', () => {
    const update = { endedPolicies: [], more: false };
    const { app, core } = after(20, (sides) => {
      sides.core.update = update;
    });
    expect([app.applied, app.output, core.noted]).toEqual([[update], { isConfirmed: true, more: false }, [REACHED]]);
  });

  it('and says nothing before its owner has made it durable', () => {
    const { app, core } = after(5, (sides) => {
      sides.app.manual = true;
    });
    expect([app.machine.state, app.sent, app.requests.length, core.noted]).toEqual(['applying', [], 1, []]);
    app.answerRequest();
    converse({ app, core });
    expect([core.noted, app.output?.isConfirmed]).toEqual([[REACHED], true]);
  });

  it('and has ended only when UEM has made durable that it was', () => {
    const { app, core } = after(20, (sides) => {
      sides.core.manual = true;
    });
    // Who it is, what has changed, and the note is left open.
    core.answerRequest();
    converse({ app, core });
    core.answerRequest();
    converse({ app, core });
    expect([core.machine.state, core.sent, core.output, app.output]).toEqual(['noting', [], undefined, undefined]);
    core.answerRequest();
    converse({ app, core });
    expect([core.output, app.output?.isConfirmed]).toEqual([{ report: REACHED }, true]);
  });
});

describe('what was applied is no failure', () => {
  it.each([
    ['the connection ends', (app: AppSide) => app.input({ type: 'closed', error: broken })],
    ['nothing comes', (app: AppSide) => app.input({ type: 'timer', timer: 'deadline' })],
    ['the close was changed on the way', (app: AppSide, core: CoreSide) => app.receive(damaged(core.take()))],
  ])('when %s instead of the close', (_what, how) => {
    const { app, core } = after(6);
    how(app, core);
    expect([app.output, app.failure, app.timers.size]).toEqual([{ isConfirmed: false, more: false }, undefined, 0]);
  });

  it.each([
    ['an alert', (liar: Liar) => liar.records.sealer.close(wire.ALERT_CODES.busy)],
    ['another message', (liar: Liar) => liar.record(Uint8Array.of(1))],
  ])('when %s comes instead of the close', (_what, record) => {
    const app = new AppSide(initiatorOptions({ onTransition })).start();
    const liar = Liar.asCore(app);
    app.receive(liar.record(wire.appUpdate.encode(UPDATE))).receive(record(liar));
    expect(app.output).toEqual({ isConfirmed: false, more: false });
  });
});

describe('UEM refuses', () => {
  it.each([
    ['compare', 'ERR_REJECTED_CREDENTIALS', 'F5.4', 'ERR_PEER_ALERT'],
    ['compare', 'ERR_REJECTED_BUSY', 'F5.4', 'ERR_REJECTED_BUSY'],
  ] as const)('to %s, with %s', (of, code, step, told) => {
    const { app, core } = after(20, (sides) => {
      sides.core.refusal = { of, error: new ProtocolError(code, 'no') };
    });
    expect([said(core.error), said(app.error), app.applied]).toEqual([[code, step], [told, 'F5.4'], []]);
  });

  it('to note it now: the app has it all the same', () => {
    const { app, core } = after(20, (sides) => {
      sides.core.refusal = { of: 'note', error: new ProtocolError('ERR_REJECTED_BUSY', 'no store') };
    });
    expect([said(core.error), app.output, app.failure]).toEqual([['ERR_REJECTED_BUSY', 'F5.5'], { isConfirmed: false, more: false }, undefined]);
  });

  it('an update that has no room', () => {
    const { app, core } = after(20, (sides) => {
      sides.core.update = { ...UPDATE, configuration: { text: 'x'.repeat(70_000) } };
    });
    expect([core.error.code, app.error.code]).toEqual(['ERR_WIRE_LIMIT', 'ERR_PEER_ALERT']);
  });

  it.each([
    ['0x45 before 0x43', [wire.appUpdateAck.encode({ report: REACHED })], 'ERR_WIRE_TYPE', 'F3.4'],
    ['0x43 a second time', [wire.appUpdateRequest.encode(REQUEST), wire.appUpdateRequest.encode(REQUEST)], 'ERR_WIRE_TYPE', 'F5.5'],
    ['a request for a key behind 0x43', [wire.appUpdateRequest.encode(REQUEST), Uint8Array.of(1, 0x51, 0, 0, 0, 0, 0, 1)], 'ERR_WIRE_TYPE', 'F5.5'],
    ['a body that is none', [Uint8Array.of(1, 0x43, 0, 0, 0, 0, 0, 1, 0xff)], 'ERR_WIRE_TYPE', 'F3.4'],
    ['a body that is too long', [Uint8Array.of(1, 0x43, 0, 0, 0, 0, 0x10, 1)], 'ERR_WIRE_LIMIT', 'F3.4'],
  ])('%s, and says so', (_what, messages, code, step) => {
    const core = new CoreSide(responderOptions({ onTransition }));
    const liar = Liar.towards(core);
    for (const message of messages) core.receive(liar.record(message));
    expect([said(core.error), core.noted]).toEqual([[code, step], []]);
    const records = core.sent.splice(0).map(({ frame }) => liar.records.opener.open(frame, NOW_MS));
    expect(records.at(-1)).toEqual({ type: 'closed', alert: wire.ALERT_CODES.badMessage });
  });

  it('and drops what comes while it works', () => {
    const core = new CoreSide(responderOptions({ onTransition }));
    const liar = Liar.towards(core);
    core.manual = true;
    core.receive(liar.record(wire.appUpdateRequest.encode(REQUEST))).receive(new Uint8Array(94));
    core.input({ type: 'result', result: { type: 'noted' } }).input({ type: 'result', result: { type: 'identified' } });
    expect([core.machine.state, core.sent]).toEqual(['comparing', []]);
    core.answerRequest().receive(liar.record(wire.appUpdateAck.encode({ report: REACHED })));
    core.input({ type: 'result', result: { type: 'compared', update: UPDATE } });
    expect(core.machine.state).toBe('noting');
    core.input({ type: 'closed' });
    expect(said(core.error)).toEqual(['ERR_TRANSPORT_CLOSED', 'F5.5']);
  });

  it('an app that says nothing more', () => {
    const { core } = after(4);
    core.input({ type: 'timer', timer: 'deadline' });
    expect(said(core.error)).toEqual(['ERR_PEER_TIMEOUT', 'F5.5']);
  });
});

describe('the app takes nothing', () => {
  it('of a NOC that poses as UEM, or that changes a record', () => {
    const { app, core } = after(4);
    app.receive(damaged(core.take()));
    expect([said(app.error), app.applied]).toEqual([['ERR_CRYPTO_OPEN', 'F5.4'], []]);
    const posed = after(10, (sides) => {
      const { peer } = sides.core;
      sides.core.peer = peer?.psk === undefined ? undefined : { ...peer, psk: Object.assign(peer.psk, new Uint8Array(32).fill(9)) };
    });
    expect([said(posed.app.error), posed.app.applied, said(posed.core.error)]).toEqual([
      ['ERR_PEER_ALERT', 'F5.3'],
      [],
      ['ERR_CRYPTO_KEY_CONFIRMATION', 'F3.4'],
    ]);
  });

  it('of another session', () => {
    const other = pair({ seed: 'other' });
    const frames = converse(other);
    const { app } = after(4);
    app.receive(frames[4] as Uint8Array);
    expect([said(app.error), app.applied]).toEqual([['ERR_CRYPTO_OPEN', 'F5.4'], []]);
  });

  it.each([
    ['another message', wire.appUpdateAck.encode({ report: REACHED }), 'ERR_WIRE_TYPE'],
    ['a body that is too long', Uint8Array.of(1, 0x44, 0, 0, 0, 1, 0, 1), 'ERR_WIRE_LIMIT'],
    [
      'an unlock key that is none',
      wire.appUpdate.encode({ ...UPDATE, console: { ...(UPDATE.console as wire.AppConsole), unlockKey: { id: new Uint8Array(16), key: 'OOOOOOOOOOOOOOO' } } }),
      'ERR_WIRE_FIELD',
    ],
  ])('%s', (_what, bytes, code) => {
    const app = new AppSide(initiatorOptions({ onTransition })).start();
    app.receive(Liar.asCore(app).record(bytes));
    expect([said(app.error), app.applied]).toEqual([[code, 'F5.4'], []]);
  });

  it.each([
    ['without an alert', 0, 'ERR_PEER_UNEXPECTED'],
    ['by an alert', wire.ALERT_CODES.authFailed, 'ERR_PEER_ALERT'],
  ])('of a session that is closed %s', (_what, alert, code) => {
    const app = new AppSide(initiatorOptions({ onTransition })).start();
    app.receive(Liar.asCore(app).records.sealer.close(alert));
    expect(said(app.error)).toEqual([code, 'F5.4']);
  });

  it('twice, nor what nothing asked for', () => {
    const { app } = after(5, (sides) => {
      sides.app.manual = true;
    });
    app.receive(new Uint8Array(94));
    app.input({ type: 'call' } as never);
    expect([app.machine.state, app.requests.length]).toEqual(['applying', 1]);
    const early = new AppSide(initiatorOptions());
    early.receive(new Uint8Array(94)).input({ type: 'result', result: { type: 'applied', report: REACHED } });
    expect([early.machine.state, early.sent]).toEqual(['new', []]);
  });
});

describe('an app that waits', () => {
  it('ends when its time is over, or the connection is, in each state', () => {
    for (const [count, step] of [
      [0, 'F5.3'],
      [2, 'F5.4'],
      [5, 'F5.5'],
    ] as const) {
      const prepare = (sides: Sides): void => {
        sides.app.manual = true;
      };
      expect(said(after(count, prepare).app.input({ type: 'timer', timer: 'deadline' }).error)).toEqual(['ERR_PEER_TIMEOUT', step]);
      expect(said(after(count, prepare).app.input({ type: 'closed' }).error)).toEqual(['ERR_TRANSPORT_CLOSED', step]);
    }
    const early = new AppSide(initiatorOptions({ onTransition })).input({ type: 'closed', error: broken });
    expect(said(early.error)).toEqual(['ERR_TRANSPORT_TLS', 'F5.3']);
  });

  it('ends with its owner, who could not make it durable, and sends no 0x45', () => {
    const { app, core } = after(20, (sides) => {
      sides.app.refusal = new ProtocolError('ERR_STORE_WRITE', 'full');
    });
    expect([said(app.error), core.noted, app.sent]).toEqual([['ERR_STORE_WRITE', 'F5.5'], [], []]);
  });

  it('has the time that its owner gives', () => {
    const app = new AppSide({ ...initiatorOptions(), limits: { runMs: 5 } }).start();
    expect([...app.timers.values(), ...after(0).app.timers.values()]).toEqual([5, wire.LIMITS.handshakeMs]);
  });

  it('changes nothing after its end', () => {
    const { app } = after(20);
    const count = app.effects.length;
    app.input({ type: 'closed' }).start();
    expect(app.effects.length).toBe(count);
    const failed = after(2).app.input({ type: 'closed' }).start();
    expect([failed.machine.state, failed.timers.size]).toEqual(['failed', 0]);
  });

  it('throws what is no error of the protocol', () => {
    const fault = (): never => {
      throw new TypeError('a fault of ours');
    };
    const app = new AppSide(initiatorOptions({ crypto: { ...crypto, gcm: fault } })).start();
    const core = new CoreSide(responderOptions());
    core.receive(app.take());
    expect(() => app.receive(core.take())).toThrow(TypeError);
  });
});
