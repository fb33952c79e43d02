import { ProtocolError } from '@uemkit/protocol';
import { nodeEntropy } from '@uemkit/protocol/node';
import { fakeClock } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { forEachBounded } from '../../src/concurrency/for-each-bounded.ts';
import { type ActivationTask, driveActivations } from '../../src/fleet/activation-driver.ts';
import { PushTracker } from '../../src/fleet/push-tracker.ts';
import type { Timing } from '../../src/metrics/series.ts';
import { OrderProof } from '../../src/run/order-proof.ts';
import { Condition, OutstandingCommands } from '../../src/run/outstanding.ts';

describe('driveActivations', () => {
  interface Seen {
    readonly activated: Map<number, Timing>;
    readonly failed: Map<number, unknown>;
    most: number;
  }

  function drive(tasks: readonly ActivationTask[], inFlight: number, signal = new AbortController().signal) {
    const clock = fakeClock(0);
    const seen: Seen = { activated: new Map(), failed: new Map(), most: 0 };
    const run = driveActivations(tasks, {
      clock,
      entropy: nodeEntropy(),
      plan: { inFlight },
      attempts: 3,
      signal,
      activated: (index, timing) => seen.activated.set(index, timing),
      failed: (index, error) => seen.failed.set(index, error),
    });
    return { clock, seen, run };
  }

  it('begins at the planned times and keeps the cap; waiting for it shows in the response time and not as lag', async () => {
    const clock = fakeClock(0);
    let running = 0;
    let most = 0;
    const timings: Timing[] = [];
    const tasks = [0, 1, 2, 3].map((index) => ({
      index,
      atMs: index * 10,
      attempt: async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => clock.setTimer(100, resolve));
        running--;
      },
    }));
    const run = driveActivations(tasks, {
      clock,
      entropy: nodeEntropy(),
      plan: { inFlight: 2 },
      attempts: 1,
      signal: new AbortController().signal,
      activated: (_index, timing) => timings.push(timing),
      failed: (_index, error) => {
        throw error;
      },
    });
    await clock.advance(1_000);
    await run;
    expect(most).toBe(2);
    const start = timings[0]?.intendedMs ?? 0;
    expect(timings.map(({ intendedMs, releasedMs, sentMs, endedMs }) => [intendedMs, releasedMs, sentMs, endedMs].map((at) => (at ?? 0) - start))).toEqual([
      [0, 0, 0, 100],
      [10, 10, 10, 110],
      [20, 20, 100, 200],
      [30, 30, 110, 210],
    ]);
  });

  it('tries again after an error that allows it, and gives up on one that does not', async () => {
    let tries = 0;
    const tasks = [
      {
        index: 0,
        atMs: 0,
        attempt: async () => {
          if (++tries < 3) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'closed');
        },
      },
      { index: 1, atMs: 0, attempt: () => Promise.reject(new ProtocolError('ERR_REJECTED_CREDENTIALS', 'wrong')) },
      { index: 2, atMs: 0, attempt: () => Promise.reject(new ProtocolError('ERR_TRANSPORT_CLOSED', 'always')) },
    ];
    const { clock, seen, run } = drive(tasks, 8);
    await clock.advance(60_000);
    await run;
    expect([...seen.activated.keys()]).toEqual([0]);
    expect([...seen.failed.keys()].sort()).toEqual([1, 2]);
  });

  it('ends when it is aborted, also with devices that wait for the cap', async () => {
    const controller = new AbortController();
    const tasks = [0, 1].map((index) => ({
      index,
      atMs: 0,
      attempt: (signal: AbortSignal) => new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }));
    const { clock, seen, run } = drive(tasks, 1, controller.signal);
    const ended = expect(run).rejects.toThrow('stop');
    await clock.settle();
    controller.abort(new Error('stop'));
    await ended;
    expect(seen.failed.size).toBe(0);
  });
});

describe('PushTracker', () => {
  it('has a lost push recovered by the next poll that no push caused, and says how long it took', () => {
    const pushes = new PushTracker();
    pushes.dropped(100);
    expect(pushes.asleep).toBe(true);
    pushes.dropped(150);
    pushes.pollBegan('schedule');
    expect(pushes.idle(400)).toEqual({ served: [], recoveredAfterMs: [300, 250] });
    expect([pushes.asleep, pushes.lost]).toEqual([false, 0]);
  });

  it('does not count a poll that was under way when the push was lost, nor one that a push caused, nor one that failed', () => {
    const pushes = new PushTracker();
    pushes.pollBegan('schedule');
    pushes.dropped(10);
    expect(pushes.idle(20).recoveredAfterMs).toEqual([]);
    pushes.pollBegan('wakeUp');
    expect(pushes.idle(30).recoveredAfterMs).toEqual([]);
    pushes.pollBegan('schedule');
    pushes.pollFailed();
    expect(pushes.idle(40).recoveredAfterMs).toEqual([]);
    expect(pushes.lost).toBe(1);
  });

  it('settles what was lost when the device leaves management', () => {
    const pushes = new PushTracker();
    pushes.dropped(10);
    expect(pushes.ended(25)).toEqual([15]);
    expect([pushes.lost, pushes.ended(30)]).toEqual([0, []]);
  });

  it('measures a push that arrived from its sending and from its arrival', () => {
    const pushes = new PushTracker();
    pushes.received(5, 8);
    pushes.pollBegan('wakeUp');
    pushes.received(9, 9);
    expect(pushes.idle(18).served).toEqual([
      { sinceSentMs: 13, sinceReceivedMs: 10 },
      { sinceSentMs: 9, sinceReceivedMs: 9 },
    ]);
    expect(pushes.idle(20).served).toEqual([]);
  });
});

describe('OrderProof', () => {
  it('counts pairs that were pending together, and finds the one in the wrong order', () => {
    const proof = new OrderProof();
    proof.accepted(1, 'info', 'REQUEST_DEVICE_INFO', 1);
    proof.accepted(1, 'policy', 'UPDATE_IT_POLICY', 2);
    proof.accepted(1, 'lock', 'LOCK_DEVICE', 3);
    for (const [place, id] of ['lock', 'policy', 'info'].entries()) proof.received(1, id, 10 + place);
    expect(proof.report()).toEqual({
      pairs: 3,
      wrong: [],
      lockAndInventory: 1,
      example: {
        device: 1,
        sent: ['REQUEST_DEVICE_INFO', 'UPDATE_IT_POLICY', 'LOCK_DEVICE'],
        received: ['LOCK_DEVICE', 'UPDATE_IT_POLICY', 'REQUEST_DEVICE_INFO'],
      },
    });
    proof.accepted(2, 'info2', 'REQUEST_DEVICE_INFO', 1);
    proof.accepted(2, 'lock2', 'LOCK_DEVICE', 2);
    proof.received(2, 'info2', 5);
    proof.received(2, 'lock2', 6);
    expect(proof.report().wrong).toEqual([{ device: 2, first: 'REQUEST_DEVICE_INFO', second: 'LOCK_DEVICE' }]);
  });

  it('takes no pair for proof of which one was sent too late', () => {
    const proof = new OrderProof();
    proof.received(1, 'info', 5);
    proof.accepted(1, 'info', 'REQUEST_DEVICE_INFO', 6);
    proof.accepted(1, 'lock', 'LOCK_DEVICE', 7);
    proof.received(1, 'lock', 8);
    // Asked for before the lock was taken, answered after it.
    proof.accepted(2, 'info2', 'REQUEST_DEVICE_INFO', 1);
    proof.accepted(2, 'lock2', 'LOCK_DEVICE', 3);
    proof.received(2, 'info2', 2);
    proof.received(2, 'lock2', 4);
    expect(proof.report()).toMatchObject({ pairs: 0, wrong: [] });
  });
});

describe('OutstandingCommands', () => {
  it('counts what is open, whichever of sender and device is faster', () => {
    const open = new OutstandingCommands();
    open.sent(1, 'a');
    open.answered(1, 'b');
    open.sent(1, 'b');
    expect([open.count, open.of(1)]).toEqual([1, 1]);
    open.answered(1, 'a');
    open.answered(1, 'a');
    expect(open.count).toBe(0);
    open.sent(2, 'c');
    open.gone(2);
    open.gone(3);
    expect(open.count).toBe(0);
  });
});

describe('Condition', () => {
  it('resolves when it holds, and with false when it is aborted', async () => {
    const condition = new Condition();
    let holds = false;
    const waiting = condition.until(() => holds, new AbortController().signal);
    condition.changed();
    holds = true;
    condition.changed();
    expect(await waiting).toBe(true);
    const controller = new AbortController();
    const never = condition.until(() => false, controller.signal);
    controller.abort();
    expect(await never).toBe(false);
  });
});

describe('forEachBounded', () => {
  it('keeps the width, does everything, and passes the first error on when those under way are through', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const work = async (item: number): Promise<void> => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      if (item === 5) throw new Error('five');
      done.push(item);
    };
    await forEachBounded([1, 2, 3, 4], 2, work);
    expect([most, done]).toEqual([2, [1, 2, 3, 4]]);
    await expect(forEachBounded([5, 6, 7, 8, 9], 2, work)).rejects.toThrow('five');
    expect(running).toBe(0);
    expect(done.length).toBeLessThan(9);
  });
});
