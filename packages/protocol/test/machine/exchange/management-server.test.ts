import { describe, expect, it } from 'vitest';
import {
  answerManagement,
  commandPriority,
  endsManagement,
  MANAGEMENT_SERVER_TRANSITIONS,
  type ManagementReply,
  type QueueEntry,
  transitionRecorder,
} from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { id, NOW_MS, SCHEDULE } from './device-bench.ts';

const recorder = transitionRecorder();
const poll = wire.poll.encode({ reason: 'wakeUp', wakeUpId: id(99) });

function entry(number: number, type: string, more: Partial<QueueEntry> = {}): QueueEntry {
  return { commandId: id(number), type, priority: commandPriority(type), properties: {}, createdAtMs: NOW_MS + number, state: 'queued', ...more };
}

function answer(frame: Uint8Array, queue: readonly QueueEntry[], nowMs = NOW_MS + 1_000): ManagementReply {
  return answerManagement(frame, queue, nowMs, { schedule: SCHEDULE, onTransition: recorder.listener });
}

function result(number: number, more: Partial<wire.CommandResult> = {}): Uint8Array {
  return wire.commandResult.encode({ commandId: id(number), status: 'done', ...more });
}

function commandOf(reply: ManagementReply): wire.Command {
  return wire.command.decode(wire.parseFrame(reply.frame));
}

function idleOf(reply: ManagementReply): wire.Idle {
  return wire.idle.decode(wire.parseFrame(reply.frame));
}

describe('priority (F5.4)', () => {
  it('hands out administration first, then configuration, then requests', () => {
    const queue = [entry(1, 'REQUEST_DEVICE_INFO'), entry(2, 'UPDATE_IT_POLICY'), entry(3, 'LOCK_DEVICE'), entry(4, 'UNLOCK_DEVICE')];
    const order: string[] = [];
    let left = queue;
    while (left.length > 0) {
      const { type, commandId } = commandOf(answer(poll, left));
      order.push(type);
      left = left.filter((other) => other.commandId[15] !== commandId[15]);
    }
    expect(order).toEqual(['LOCK_DEVICE', 'UNLOCK_DEVICE', 'UPDATE_IT_POLICY', 'REQUEST_DEVICE_INFO']);
  });

  it('takes the older of two, whatever their place in the queue', () => {
    expect(commandOf(answer(poll, [entry(2, 'LOCK_DEVICE'), entry(1, 'UNLOCK_DEVICE')])).commandId).toEqual(id(1));
    const sameTime = { createdAtMs: NOW_MS };
    expect(commandOf(answer(poll, [entry(2, 'LOCK_DEVICE', sameTime), entry(1, 'LOCK_DEVICE', sameTime)])).commandId).toEqual(id(2));
  });

  it('knows the class of each documented command; others wait behind', () => {
    expect(['LOCK_WORK_SPACE', 'UPDATE_IT_POLICY', 'GET_DEVICE_LOGS'].map(commandPriority)).toEqual([0, 1, 2]);
    expect(commandPriority('toString')).toBe(2);
    expect(['DELETE_DEVICE_DATA', 'DELETE_WORK_SPACE_DATA', 'LOCK_DEVICE', 'toString'].map(endsManagement)).toEqual([true, true, false, false]);
  });
});

describe('poll', () => {
  it('answers idle when nothing is there', () => {
    const reply = answer(poll, [entry(1, 'LOCK_DEVICE', { state: 'done' }), entry(2, 'LOCK_DEVICE', { state: 'failed' })]);
    expect(idleOf(reply)).toEqual({ ...SCHEDULE, serverTimeEpochS: Math.floor((NOW_MS + 1_000) / 1000) });
    expect(reply).toMatchObject({ step: 'F5.6', changes: [], poll: { reason: 'wakeUp', wakeUpId: id(99) } });
    expect(reply.commandId).toBeUndefined();
  });

  it('marks what it hands out as sent', () => {
    const reply = answer(poll, [entry(1, 'LOCK_DEVICE', { properties: { message: 'lost' }, expiresAtMs: NOW_MS + 60_500 })]);
    expect(reply).toMatchObject({ step: 'F5.4', commandId: id(1), changes: [{ type: 'sent', commandId: id(1) }], poll: { reason: 'wakeUp' } });
    expect(commandOf(reply)).toEqual({
      commandId: id(1),
      type: 'LOCK_DEVICE',
      properties: { message: 'lost' },
      issuedAtEpochS: NOW_MS / 1000,
      expiresAtEpochS: NOW_MS / 1000 + 61,
    });
  });

  it('repeats the command in flight, byte for byte, whatever else waits', () => {
    const queue = [entry(1, 'REQUEST_DEVICE_INFO', { state: 'sent', expiresAtMs: NOW_MS }), entry(2, 'LOCK_DEVICE')];
    const first = answer(poll, queue);
    const second = answer(poll, queue, NOW_MS + 99_000);
    expect(commandOf(first).commandId).toEqual(id(1));
    expect(second.frame).toEqual(first.frame);
    expect(second.changes).toEqual([]);
  });

  it('gives up commands whose time is over before they were handed out', () => {
    const reply = answer(poll, [entry(1, 'LOCK_DEVICE', { expiresAtMs: NOW_MS + 1_000 }), entry(2, 'UNLOCK_DEVICE', { expiresAtMs: NOW_MS + 1_001 })]);
    expect(reply.changes).toEqual([
      { type: 'expired', commandId: id(1) },
      { type: 'sent', commandId: id(2) },
    ]);
  });

  it('says when the next deferred command is due', () => {
    const queue = [entry(1, 'LOCK_DEVICE', { notBeforeMs: NOW_MS + 61_000 }), entry(2, 'LOCK_DEVICE', { notBeforeMs: NOW_MS + 31_500 })];
    expect(idleOf(answer(poll, queue)).pollAfterS).toBe(31);
    expect(commandOf(answer(poll, queue, NOW_MS + 31_500)).commandId).toEqual(id(2));
    const far = [entry(1, 'LOCK_DEVICE', { notBeforeMs: NOW_MS + 9e9 })];
    expect(idleOf(answer(poll, far)).pollAfterS).toBe(604_800);
  });
});

describe('result', () => {
  it('completes the command in flight and hands out the next', () => {
    const queue = [entry(1, 'LOCK_DEVICE', { state: 'sent' }), entry(2, 'REQUEST_DEVICE_INFO')];
    const reply = answer(result(1, { data: { ok: true } }), queue);
    expect(reply.changes).toEqual([
      { type: 'completed', commandId: id(1), commandType: 'LOCK_DEVICE', result: { commandId: id(1), status: 'done', data: { ok: true } } },
      { type: 'sent', commandId: id(2) },
    ]);
    expect(reply.poll).toBeUndefined();
  });

  it('answers the last one with idle', () => {
    const reply = answer(result(1, { status: 'failed', message: 'no' }), [entry(1, 'LOCK_DEVICE', { state: 'sent' })]);
    expect(reply.changes).toMatchObject([{ type: 'completed', result: { status: 'failed', message: 'no' } }]);
    expect(idleOf(reply).pollAfterS).toBeUndefined();
  });

  it('puts a deferred command back and goes on with others', () => {
    const queue = [entry(1, 'LOCK_DEVICE', { state: 'sent' }), entry(2, 'REQUEST_DEVICE_INFO')];
    const reply = answer(result(1, { status: 'deferred', retryAfterS: 60 }), queue);
    expect(reply.changes).toEqual([
      { type: 'deferred', commandId: id(1), notBeforeMs: NOW_MS + 61_000 },
      { type: 'sent', commandId: id(2) },
    ]);
    expect(idleOf(answer(result(1, { status: 'deferred', retryAfterS: 60 }), queue.slice(0, 1))).pollAfterS).toBe(60);
  });

  it.each([
    ['done already', entry(1, 'LOCK_DEVICE', { state: 'done' })],
    ['waiting again', entry(1, 'LOCK_DEVICE', { notBeforeMs: NOW_MS + 9_000 })],
    ['not known', entry(7, 'LOCK_DEVICE', { state: 'failed' })],
  ])('ignores a result for a command that is %s, and answers like a poll', (_name, known) => {
    const ignored = { type: 'ignored', commandId: id(1) };
    expect(answer(result(1), [known])).toMatchObject({ step: 'F5.6', changes: [ignored] });
    const due = answer(result(1), [known, entry(2, 'LOCK_DEVICE')]);
    expect(due.changes).toEqual([ignored, { type: 'sent', commandId: id(2) }]);
    const inFlight = answer(result(1), [known, entry(2, 'LOCK_DEVICE', { state: 'sent' })]);
    expect(inFlight).toMatchObject({ commandId: id(2), changes: [ignored] });
  });

  it('hands out nothing after a delete command that was carried out', () => {
    const queue = [entry(1, 'DELETE_DEVICE_DATA', { state: 'sent' }), entry(2, 'LOCK_DEVICE')];
    expect(answer(result(1), queue)).toMatchObject({ step: 'F5.6', changes: [{ type: 'completed', commandType: 'DELETE_DEVICE_DATA' }] });
    expect(answer(result(1, { status: 'failed', message: 'no' }), queue)).toMatchObject({ step: 'F5.4', commandId: id(2) });
  });
});

describe('refuses', () => {
  it.each([
    ['a frame that is neither poll nor result', wire.pushAck.encode({ wakeUpId: id(1) }), 'ERR_PEER_UNEXPECTED'],
    ['a deferred result without a time', result(1, { status: 'deferred' }), 'ERR_WIRE_FIELD'],
    ['a failed result without a message', result(1, { status: 'failed' }), 'ERR_WIRE_FIELD'],
    ['bytes that are no frame', Uint8Array.of(1), 'ERR_WIRE_TRUNCATED'],
  ])('%s', (_name, frame, code) => {
    expect(() => answer(frame, [entry(1, 'LOCK_DEVICE', { state: 'sent' })])).toThrow(expect.objectContaining({ code }));
  });
});

it('takes every row of the table of the server', () => {
  expect(recorder.missing(MANAGEMENT_SERVER_TRANSITIONS)).toEqual([]);
});
