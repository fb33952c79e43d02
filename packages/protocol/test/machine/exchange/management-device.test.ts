import { describe, expect, it } from 'vitest';
import { MANAGEMENT_DEVICE_TRANSITIONS, ProtocolError, transitionRecorder } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { alertFrame, commandFrame, DeviceBench, id, idleFrame, NOW_MS, SCHEDULE } from './device-bench.ts';

const recorder = transitionRecorder();

function bench(limits?: ConstructorParameters<typeof DeviceBench>[0] extends infer O ? (O extends { limits?: infer L } ? L : never) : never): DeviceBench {
  return new DeviceBench({ onTransition: recorder.listener, limits });
}

/** A device that has polled and waits for the answer. */
function polling(limits?: Parameters<typeof bench>[0]): DeviceBench {
  const device = bench(limits).start().poll();
  device.takeSent();
  return device;
}

/** A device that carries out command 1. */
function executing(): DeviceBench {
  return polling().receive(commandFrame(1));
}

/** A device that has sent the result of command 1. */
function answering(): DeviceBench {
  const device = executing().executed();
  device.takeSent();
  return device;
}

function errorOf(device: DeviceBench): ProtocolError {
  const event = device.lastEvent('exchangeFailed');
  if (event?.type !== 'exchangeFailed') throw new Error('no failed exchange');
  return event.error;
}

/** A document of so many maps, one in the other. */
const nested = (levels: number): wire.WireDocument => (levels === 0 ? { end: 1 } : { next: nested(levels - 1) });

describe('poll (F5.2, F5.3)', () => {
  it('arms the regular poll at the start, spread over one interval', () => {
    const device = bench().start();
    expect(device.state).toBe('atRest');
    expect(device.timers.get('poll')).toBeGreaterThanOrEqual(0);
    expect(device.timers.get('poll')).toBeLessThan(3_600_000);
  });

  it('polls when the regular time has come', () => {
    const device = bench().start().fire('poll');
    expect(device.takePoll()).toEqual({ reason: 'schedule' });
    expect(device.state).toBe('polling');
  });

  it('polls at once after a wake-up and names it', () => {
    const device = bench().start().poll('wakeUp', id(7));
    expect(device.takePoll()).toEqual({ reason: 'wakeUp', wakeUpId: id(7) });
    expect(device.timers.has('poll')).toBe(false);
  });

  it('makes one poll of many wake-ups that come while one is under way', () => {
    const device = polling();
    for (let wakeUp = 1; wakeUp <= 5; wakeUp++) device.poll('wakeUp', id(wakeUp));
    device.poll('schedule');
    expect(device.sent).toHaveLength(0);
    device.receive(idleFrame());
    expect(device.takePoll()).toEqual({ reason: 'wakeUp', wakeUpId: id(5) });
    expect(device.sent).toHaveLength(0);
    device.receive(idleFrame());
    expect(device.state).toBe('atRest');
  });

  it('takes a wake-up during a command as covered by the answer to its result', () => {
    const device = executing().poll('wakeUp', id(9)).executed();
    device.takeSent();
    device.receive(idleFrame());
    expect(device.state).toBe('atRest');
    expect(device.sent).toHaveLength(0);
  });

  it('polls again after a wake-up that came behind the result', () => {
    const device = answering().poll('wakeUp', id(9)).receive(idleFrame());
    expect(device.takePoll().wakeUpId).toEqual(id(9));
    expect(device.state).toBe('polling');
  });

  it('ignores a poll call before the start, and a poll timer that is late', () => {
    const device = bench().poll();
    expect(device.state).toBe('stopped');
    const busy = polling().fire('poll');
    expect(busy.sent).toHaveLength(0);
  });

  it('sends the push token until the server has answered a poll with it, and not again', () => {
    const device = bench().start();
    const token = new Uint8Array(32).fill(3);
    device.input({ type: 'call', call: { type: 'pushToken', token } });
    device.poll();
    expect(device.takePoll().pushToken).toEqual(token);
    device.input({ type: 'closed' });
    device.fire('backoff');
    expect(device.takePoll().pushToken).toEqual(token);
    device.receive(idleFrame());
    device.poll();
    expect(device.takePoll().pushToken).toBeUndefined();
    device.restart();
    device.input({ type: 'call', call: { type: 'pushToken', token } });
    device.poll();
    expect(device.takePoll().pushToken).toBeUndefined();
  });

  it('brings a token that came with a command under way to the server as soon as the exchange is over: a result carries none', () => {
    const token = new Uint8Array(32).fill(3);
    const device = executing();
    device.input({ type: 'call', call: { type: 'pushToken', token } });
    device.poll('resume').executed();
    device.takeSent();
    device.receive(idleFrame());
    expect(device.takePoll()).toEqual({ reason: 'resume', pushToken: token });
    device.receive(idleFrame());
    expect(device.state).toBe('atRest');
    expect(device.sent).toHaveLength(0);
  });

  it('does not take a token for delivered that came behind the poll', () => {
    const device = bench().start();
    device.input({ type: 'call', call: { type: 'pushToken', token: new Uint8Array(16).fill(1) } });
    device.poll();
    device.takeSent();
    device.input({ type: 'call', call: { type: 'pushToken', token: new Uint8Array(16).fill(2) } });
    device.receive(idleFrame()).poll();
    expect(device.takePoll().pushToken).toEqual(new Uint8Array(16).fill(2));
  });
});

describe('commands (F5.4, F5.5)', () => {
  it('journals a command, then its start, then asks for its execution, in this order', () => {
    const device = polling();
    const before = device.effects.length;
    device.receive(commandFrame(1));
    const kinds = device.effects.slice(before).map((effect) => effect.type);
    expect(kinds).toEqual(['persist', 'cancel-timer', 'emit', 'persist', 'request']);
    expect(device.requests).toMatchObject([{ type: 'execute', resumed: false, command: { commandId: id(1), type: 'LOCK_DEVICE' } }]);
    expect(device.state).toBe('executing');
  });

  it('saves the outcome and the state of the device in one commit before the result leaves', () => {
    const device = executing();
    const before = device.effects.length;
    device.executed({ status: 'done', data: { model: 'x' } });
    const after = device.effects.slice(before);
    expect(after.map((effect) => effect.type)).toEqual(['persist', 'emit', 'arm-timer', 'send']);
    expect(after[0]).toMatchObject({ writes: [{ key: 'uem/management/open' }, { key: 'os/state' }] });
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done', data: { model: 'x' } });
  });

  it('answers a failed command with its message', () => {
    const device = executing().executed({ status: 'failed', message: 'no such profile' });
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'failed', message: 'no such profile' });
  });

  it('makes a failed result of a handler that fails', () => {
    const device = executing();
    device.input({ type: 'failed', error: new ProtocolError('ERR_STORE_WRITE', 'disk full') });
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'failed', message: 'ERR_STORE_WRITE: disk full' });
  });

  it.each([
    ['an empty message', { status: 'failed', message: '' } as const, 'the command failed'],
    [
      'a document that is too deep',
      { status: 'done', data: nested(wire.LIMITS.cborDepth + 1) } as const,
      'the result of the command is too large or not valid',
    ],
    ['a document that is too large', { status: 'done', data: { text: 'x'.repeat(70_000) } } as const, 'the result of the command is too large or not valid'],
    ['a document with null', { status: 'done', data: { a: null as unknown as string } } as const, 'the result of the command is too large or not valid'],
    ['a time out of range', { status: 'deferred', retryAfterS: 0 } as const, 'the result of the command is too large or not valid'],
  ])('always answers: %s', (_name, outcome, message) => {
    const device = executing().executed(outcome);
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'failed', message });
  });

  it('cuts a long message at a whole character', () => {
    const device = executing().executed({ status: 'failed', message: '💥'.repeat(400) });
    expect(device.takeResult().message).toBe('💥'.repeat(256));
  });

  it('goes through commands one at a time until idle', () => {
    const device = executing().executed();
    expect(device.takeResult().commandId).toEqual(id(1));
    device.receive(commandFrame(2));
    expect(device.requests).toHaveLength(1);
    device.executed();
    expect(device.takeResult().commandId).toEqual(id(2));
    device.receive(idleFrame());
    expect(device.state).toBe('atRest');
    expect(device.lastEvent('idle')).toMatchObject({ commands: 2 });
    expect(device.store.has('uem/management/open')).toBe(false);
  });

  it('refuses a command whose time is over, without carrying it out', () => {
    const over = { expiresAtEpochS: NOW_MS / 1000 };
    const device = polling().receive(commandFrame(1, over));
    expect(device.requests).toHaveLength(0);
    expect(device.takeResult()).toMatchObject({ status: 'failed', message: 'the command expired before it was carried out' });
    device.receive(commandFrame(2, over));
    expect(device.takeResult()).toMatchObject({ commandId: id(2), status: 'failed' });
    device.receive(commandFrame(3, { expiresAtEpochS: NOW_MS / 1000 + 1 }));
    expect(device.requests).toHaveLength(1);
  });

  it('answers a command that it has answered before, without carrying it out again', () => {
    const device = answering().receive(idleFrame()).poll();
    device.takeSent();
    device.receive(commandFrame(1));
    expect(device.requests).toHaveLength(0);
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done' });
    device.receive(commandFrame(2)).executed({ status: 'failed', message: 'no' });
    device.takeSent();
    device.receive(commandFrame(1));
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done' });
    device.receive(commandFrame(2));
    expect(device.takeResult()).toEqual({ commandId: id(2), status: 'failed', message: 'the command failed earlier' });
    expect(device.requests).toHaveLength(0);
  });

  it('sends the same result again when the server repeats the open command', () => {
    const device = answering().receive(commandFrame(1));
    expect(device.requests).toHaveLength(0);
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done' });
    expect(device.state).toBe('answering');
  });

  it('carries a deferred command out when it comes again', () => {
    const device = executing().executed({ status: 'deferred', retryAfterS: 60 });
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'deferred', retryAfterS: 60 });
    device.receive(idleFrame({ pollAfterS: 60 }));
    expect(device.timers.get('poll')).toBe(60_000);
    device.fire('poll');
    device.takeSent();
    device.receive(commandFrame(1));
    expect(device.requests).toMatchObject([{ type: 'execute', resumed: false }]);
  });

  it('remembers the last 64 answered commands', () => {
    const device = polling();
    for (let number = 1; number <= 65; number++) {
      device.receive(commandFrame(number)).executed();
      device.takeSent();
    }
    device.receive(commandFrame(2));
    expect(device.requests).toHaveLength(0);
    device.takeSent();
    device.receive(commandFrame(1));
    expect(device.requests).toHaveLength(1);
  });
});

describe('the idle command (F5.6)', () => {
  it('takes over the schedule of the server and keeps it over a restart', () => {
    const device = polling().receive(idleFrame({ pollIntervalS: 120, pollJitterS: 0 }));
    expect(device.timers.get('poll')).toBe(120_000);
    device.restart().poll();
    device.takeSent();
    const before = device.effects.length;
    device.receive(idleFrame({ pollIntervalS: 120, pollJitterS: 0 }));
    expect(device.effects.slice(before).some((effect) => effect.type === 'persist')).toBe(false);
    device.poll();
    device.takeSent();
    device.receive(idleFrame({ pollIntervalS: 120, pollJitterS: 60 }));
    expect(device.effects.slice(before).some((effect) => effect.type === 'persist')).toBe(true);
  });

  it('spreads polls over the whole jitter of the server, and those of a fleet that starts at once over the interval', () => {
    const device = polling();
    const pauses = Array.from({ length: 64 }, () => {
      device.receive(idleFrame({ pollIntervalS: 100, pollJitterS: 50 }));
      const pauseMs = device.timers.get('poll') as number;
      device.fire('poll');
      device.takeSent();
      return pauseMs;
    });
    const starts = Array.from({ length: 64 }, (_, index) => new DeviceBench({ entropySeed: `start ${index}` }).start().timers.get('poll') as number);
    for (const [times, fromMs, toMs] of [
      [pauses, 100_000, 150_000],
      [starts, 0, SCHEDULE.pollIntervalS * 1_000],
    ] as const) {
      const eighthMs = (toMs - fromMs) / 8;
      expect(new Set(times.map((timeMs) => Math.floor((timeMs - fromMs) / eighthMs)))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    }
  });

  it('never waits longer than a timer can', () => {
    const device = polling().receive(idleFrame({ pollIntervalS: 31_536_000, pollJitterS: 0 }));
    expect(device.timers.get('poll')).toBe(2 ** 31 - 1);
  });

  it('cancels the timers of the exchange', () => {
    const device = answering().receive(idleFrame());
    expect([...device.timers.keys()]).toEqual(['poll']);
  });
});

describe('bounds and errors', () => {
  it('ends an exchange that has too many commands, and keeps what is done', () => {
    const device = polling({ commandsPerPoll: 1 }).receive(commandFrame(1)).executed();
    device.takeSent();
    device.receive(commandFrame(2));
    expect(device.state).toBe('backingOff');
    expect(device.requests).toHaveLength(0);
    expect(errorOf(device)).toMatchObject({ code: 'ERR_WIRE_LIMIT', step: 'F5.5' });
    expect(device.lastEvent('commandAnswered')).toEqual({ type: 'commandAnswered', commandId: id(1) });
    device.fire('backoff');
    expect(device.takePoll().reason).toBe('schedule');
  });

  it('ends an exchange that takes too long, but never a running command', () => {
    const device = executing().fire('exchange').executed();
    device.takeSent();
    device.receive(commandFrame(2));
    expect(device.requests).toHaveLength(0);
    expect(errorOf(device).code).toBe('ERR_PEER_TIMEOUT');
    device.fire('backoff');
    device.takeSent();
    device.receive(commandFrame(2));
    expect(device.requests).toHaveLength(1);
  });

  it('gives up waiting for an answer', () => {
    const device = polling().fire('answer');
    expect(errorOf(device).code).toBe('ERR_PEER_TIMEOUT');
    expect(device.timers.get('backoff')).toBeGreaterThanOrEqual(500);
    const late = executing().fire('answer');
    expect(late.state).toBe('executing');
  });

  it.each([
    ['a closed connection', { type: 'closed' } as const, 'ERR_TRANSPORT_CLOSED'],
    ['a transport error', { type: 'closed', error: new ProtocolError('ERR_TRANSPORT_CONNECT', 'refused') } as const, 'ERR_TRANSPORT_CONNECT'],
    ['a frame of another type', { type: 'received', frame: wire.acknowledgement.encode({ ok: true }) } as const, 'ERR_PEER_UNEXPECTED'],
    ['bytes that are no frame', { type: 'received', frame: Uint8Array.of(1, 2) } as const, 'ERR_WIRE_TRUNCATED'],
    ['a busy server', { type: 'received', frame: alertFrame('busy') } as const, 'ERR_REJECTED_BUSY'],
    ['an alert', { type: 'received', frame: alertFrame('internal') } as const, 'ERR_PEER_ALERT'],
  ])('backs off after %s', (_name, input, code) => {
    const device = polling();
    device.input(input);
    expect(device.state).toBe('backingOff');
    expect(errorOf(device)).toMatchObject({ code, step: 'F5.4' });
    device.poll('wakeUp', id(4));
    expect(device.sent).toHaveLength(0);
    device.fire('backoff');
    expect(device.takePoll()).toMatchObject({ wakeUpId: id(4) });
  });

  it('repeats the poll that failed, with its reason', () => {
    const device = bench().start().poll('activation');
    device.takeSent();
    device.input({ type: 'closed' });
    device.fire('backoff');
    expect(device.takePoll().reason).toBe('activation');
  });

  it('names a wake-up that came while the poll failed', () => {
    const device = bench().start().poll('activation');
    device.takeSent();
    device.poll('wakeUp', id(6));
    device.input({ type: 'closed' });
    device.fire('backoff');
    expect(device.takePoll()).toEqual({ reason: 'wakeUp', wakeUpId: id(6) });
  });

  it('repeats a result until the server has it', () => {
    const device = answering();
    device.input({ type: 'closed' });
    device.fire('backoff');
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done' });
    device.input({ type: 'closed' });
    device.fire('backoff');
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done' });
    device.receive(idleFrame());
    expect(device.state).toBe('atRest');
  });

  it('waits as long as the server asks, within the poll interval', () => {
    const device = polling();
    device.input({ type: 'closed', error: new ProtocolError('ERR_REJECTED_BUSY', 'busy', { details: { retryAfterS: 120 } }) });
    expect(device.timers.get('backoff')).toBe(120_000);
    device.fire('backoff');
    device.input({ type: 'closed', error: new ProtocolError('ERR_REJECTED_BUSY', 'busy', { details: { retryAfterS: 1e9 } }) });
    expect(device.timers.get('backoff')).toBe(3_600_000);
  });

  it('backs off longer from failure to failure, and begins anew after a success', () => {
    const device = polling();
    let longestMs = 0;
    for (let failure = 0; failure < 12; failure++) {
      device.input({ type: 'closed' });
      longestMs = Math.max(longestMs, device.timers.get('backoff') as number);
      device.fire('backoff');
    }
    expect(longestMs).toBeGreaterThan(2_000);
    expect(longestMs).toBeLessThanOrEqual(300_000);
    device.receive(idleFrame()).poll();
    device.input({ type: 'closed' });
    expect(device.timers.get('backoff')).toBeLessThanOrEqual(2_000);
  });

  it.each([
    ['revoked', 'ERR_REJECTED_REVOKED'],
    ['unknownDevice', 'ERR_REJECTED_UNKNOWN'],
  ] as const)('ends for good when the server says %s', (code, expected) => {
    const device = polling().receive(alertFrame(code));
    expect(device.state).toBe('ended');
    expect(device.ended).toMatchObject({ error: { code: expected, step: 'F5.4', retry: 'reactivate' } });
    expect(device.poll().receive(idleFrame()).sent).toHaveLength(0);
    const other = answering().receive(alertFrame(code));
    expect(other.state).toBe('ended');
  });

  it('asks again at the pace of its polls when its certificate is out of date by the clock of the server', () => {
    const device = polling().receive(alertFrame('expired'));
    expect(device.state).toBe('backingOff');
    expect(device.lastEvent('exchangeFailed')).toMatchObject({ error: { code: 'ERR_REJECTED_EXPIRED', step: 'F5.4' }, retryAfterMs: 3_600_000 });
    device.fire('backoff').receive(idleFrame({ pollIntervalS: 86_400 }));
    expect(device.state).toBe('atRest');
    device.poll().receive(alertFrame('expired'));
    expect(device.timers.get('backoff')).toBe(3_600_000);
    const other = answering().receive(alertFrame('expired'));
    expect(other.fire('backoff').receive(idleFrame()).state).toBe('atRest');
  });

  it('drops frames and other inputs that nothing asked for', () => {
    const device = bench().start().receive(idleFrame());
    expect(device.lastEvent('frameDropped')).toBeDefined();
    expect(device.state).toBe('atRest');
    device.input({ type: 'closed' });
    device.executed();
    device.input({ type: 'result', result: { type: 'left', writes: [] } });
    device.fire('backoff').fire('answer');
    expect(device.state).toBe('atRest');
  });

  it('does not hide a fault of its own', () => {
    const device = bench();
    device.start();
    expect(() => device.start()).toThrow(expect.objectContaining({ code: 'ERR_INTERNAL' }));
    expect(() => polling().receive(undefined as never)).toThrow(TypeError);
  });
});

describe('after a crash', () => {
  it('carries a command out that was begun, and says so', () => {
    const device = executing().restart();
    expect(device.state).toBe('executing');
    expect(device.requests).toMatchObject([{ type: 'execute', resumed: true, command: { commandId: id(1) } }]);
    device.executed();
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done' });
  });

  it('carries a command out that was received but not begun', () => {
    const device = polling();
    device.dieBefore = device.effects.length + 1;
    device.receive(commandFrame(1));
    device.restart();
    expect(device.requests).toMatchObject([{ type: 'execute', resumed: false }]);
  });

  it('refuses a command that was received and has expired since', () => {
    const device = polling();
    device.dieBefore = device.effects.length + 1;
    device.receive(commandFrame(1, { expiresAtEpochS: NOW_MS / 1000 + 60 }));
    device.nowMs += 61_000;
    device.restart();
    expect(device.requests).toHaveLength(0);
    expect(device.takeResult()).toMatchObject({ commandId: id(1), status: 'failed' });
  });

  it('finishes a command that was begun, also when it has expired since', () => {
    const device = polling().receive(commandFrame(1, { expiresAtEpochS: NOW_MS / 1000 + 60 }));
    device.nowMs += 61_000;
    device.restart();
    expect(device.requests).toHaveLength(1);
  });

  it('answers from the journal what was done', () => {
    const device = executing()
      .executed({ status: 'done', data: { battery: 80 } })
      .restart();
    expect(device.requests).toHaveLength(0);
    expect(device.takeResult()).toEqual({ commandId: id(1), status: 'done', data: { battery: 80 } });
    device.receive(commandFrame(2));
    expect(device.requests).toHaveLength(1);
  });
});

describe('leaving management', () => {
  const leaving = (): DeviceBench => {
    const device = executing().executed({ status: 'done' }, true);
    device.takeSent();
    return device;
  };

  it.each([
    ['the idle command', idleFrame()],
    ['another command', commandFrame(2)],
    ['the word that it is revoked', alertFrame('revoked')],
  ])('destroys the identity once the result is answered by %s', (_name, frame) => {
    const device = leaving().receive(frame);
    expect(device.state).toBe('leaving');
    expect(device.requests).toEqual([{ type: 'leave' }]);
    device.input({ type: 'result', result: { type: 'left', writes: [{ key: 'os/state', value: null }] } });
    expect(device.ended).toEqual({ output: { reason: 'left' } });
    expect(device.store.size).toBe(0);
    expect(device.state).toBe('ended');
  });

  it('leaves again after a crash, without asking the server', () => {
    const device = leaving().receive(idleFrame()).restart();
    expect(device.requests).toEqual([{ type: 'leave' }]);
    expect(device.sent).toHaveLength(0);
  });

  it('answers first after a crash before the answer', () => {
    const device = leaving().restart();
    expect(device.requests).toHaveLength(0);
    expect(device.takeResult().status).toBe('done');
  });

  it('tries again to report, and leaves unreported after a day', () => {
    const device = leaving();
    device.input({ type: 'closed' });
    device.fire('backoff');
    expect(device.takeResult().status).toBe('done');
    device.nowMs += 86_400_000;
    device.input({ type: 'closed' });
    expect(device.requests).toEqual([{ type: 'leave' }]);
  });

  it('tries again to destroy the identity', () => {
    const device = leaving().receive(idleFrame());
    device.requests = [];
    device.input({ type: 'failed', error: new ProtocolError('ERR_STORE_WRITE', 'disk full') });
    expect(errorOf(device)).toMatchObject({ code: 'ERR_STORE_WRITE', step: 'F5.5' });
    device.poll();
    device.fire('backoff');
    expect(device.requests).toEqual([{ type: 'leave' }]);
  });
});

it('takes every row of the table of the device', () => {
  expect(recorder.missing(MANAGEMENT_DEVICE_TRANSITIONS)).toEqual([]);
});
