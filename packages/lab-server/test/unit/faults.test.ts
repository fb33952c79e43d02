import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFaults, type FaultRule, type Faults, MAX_FAULT_RULES } from '../../src/faults/faults.ts';
import { createRoleHost, type RoleHost } from '../../src/host/role-host.ts';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import type { Role, RoleRequest } from '../../src/roles/role.ts';

describe('fault rules', () => {
  it('meet requests by role, service and count', () => {
    const faults = createFaults();
    faults.add({ kind: 'drop', role: 'uem', service: 'device', count: 2 });
    expect(faults.meet('uem', 'activation')).toBeUndefined();
    expect(faults.meet('infrastructure', 'device')).toBeUndefined();
    expect([1, 2, 3].map(() => faults.meet('uem', 'device')?.kind)).toEqual(['drop', 'drop', undefined]);
    expect(faults.list()).toMatchObject([{ seen: 2, applied: 2 }]);
  });

  it('choose their share by seed: the same seed, the same requests', () => {
    const chosen = (seed: number): string => {
      const faults = createFaults();
      faults.add({ kind: 'drop', share: 0.1, seed });
      return Array.from({ length: 1_000 }, () => (faults.meet('uem', 'device') === undefined ? '.' : 'x')).join('');
    };
    expect(chosen(7)).toBe(chosen(7));
    expect(chosen(7)).not.toBe(chosen(8));
    const hits = chosen(7).split('x').length - 1;
    expect(hits).toBeGreaterThan(70);
    expect(hits).toBeLessThan(130);
  });

  it('wake-ups are met only by rules that name them', () => {
    const faults = createFaults();
    faults.add({ kind: 'drop' });
    expect(faults.meet('notification', 'wakeUp')).toBeUndefined();
    faults.add({ kind: 'drop', service: 'wakeUp' });
    expect(faults.meet('notification', 'wakeUp')?.kind).toBe('drop');
  });

  it.each<[string, FaultRule]>([
    ['a share of nothing', { kind: 'drop', share: 0 }],
    ['a share over the whole', { kind: 'drop', share: 1.1 }],
    ['a count of nothing', { kind: 'drop', count: 0 }],
    ['a delay without a time', { kind: 'delay' }],
    ['a time without a delay', { kind: 'drop', delayMs: 1 }],
    ['a status without a number', { kind: 'status' }],
    ['a status that is no server error', { kind: 'status', status: 404 }],
    ['a place for something else than drop', { kind: 'refuse', at: 'answer' }],
    ['a service that there is not', { kind: 'drop', service: 'wakeup' }],
    ['a name that every object has in place of a service', { kind: 'drop', service: 'toString' }],
    ['a status for a wake-up', { kind: 'status', status: 500, service: 'wakeUp' }],
  ])('refuse %s', (_what, rule) => {
    expect(() => createFaults().add(rule)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it('are bounded, can be removed one by one and all at once', () => {
    const faults = createFaults();
    const [first] = Array.from({ length: MAX_FAULT_RULES }, () => faults.add({ kind: 'drop' }));
    expect(() => faults.add({ kind: 'drop' })).toThrow();
    expect(faults.remove(first?.id as string)).toBe(true);
    expect(faults.remove(first?.id as string)).toBe(false);
    faults.clear();
    expect(faults.list()).toEqual([]);
  });
});

describe('a role behind its faults', () => {
  const request: RoleRequest = { service: 'device', frame: wire.poll.encode({ reason: 'schedule' }), peer: { kind: 'anonymous', source: 'test' } };
  const frame = wire.acknowledgement.encode({ ok: true });
  let clock: FakeClock;
  let faults: Faults;
  let journal: RingJournal;
  let handled: number;
  let created: number;
  let host: RoleHost<Role>;

  beforeEach(async () => {
    clock = fakeClock(0);
    faults = createFaults();
    journal = createRingJournal();
    handled = 0;
    created = 0;
    const create = async (): Promise<Role> => {
      created += 1;
      return {
        name: 'uem',
        services: ['device'],
        async handle() {
          handled += 1;
          return { status: 'answered', frame };
        },
      };
    };
    host = await createRoleHost({ clock, faults, journal, create, end: () => {} });
  });

  it('answers without a fault', async () => {
    expect(await host.exchange(request)).toEqual({ status: 'answered', frame });
  });

  it('drop loses the request before the role sees it', async () => {
    faults.add({ kind: 'drop' });
    expect(await host.exchange(request)).toEqual({ status: 'dropped' });
    expect(handled).toBe(0);
    expect(journal.entries()).toMatchObject([{ request: 'poll', answer: 'dropped', reason: 'fault fault-1: drop' }]);
  });

  it('drop of the answer lets the role do its work', async () => {
    faults.add({ kind: 'drop', at: 'answer' });
    expect(await host.exchange(request)).toEqual({ status: 'dropped' });
    expect(handled).toBe(1);
  });

  it('delay waits by the clock of the lab', async () => {
    faults.add({ kind: 'delay', delayMs: 5_000 });
    const answer = host.exchange(request);
    await clock.advance(4_999);
    expect(handled).toBe(0);
    await clock.advance(1);
    expect(await answer).toEqual({ status: 'answered', frame });
  });

  it('duplicate gives the request to the role twice', async () => {
    faults.add({ kind: 'duplicate' });
    expect(await host.exchange(request)).toEqual({ status: 'answered', frame });
    expect(handled).toBe(2);
  });

  it('refuse answers an alert, status an HTTP status', async () => {
    faults.add({ kind: 'refuse', count: 1 });
    faults.add({ kind: 'status', status: 502 });
    const alert = await host.exchange(request);
    expect(alert.status === 'answered' && wire.alert.decode(wire.parseFrame(alert.frame))).toEqual({ code: 'busy' });
    expect(await host.exchange(request)).toEqual({ status: 'http', code: 502 });
    expect(handled).toBe(0);
  });

  it('restart starts the role again and breaks its connections', async () => {
    let broken = 0;
    host.onRestart(() => {
      broken += 1;
    });
    faults.add({ kind: 'restart', count: 1 });
    expect(await host.exchange(request)).toEqual({ status: 'dropped' });
    expect([created, broken, handled]).toEqual([2, 1, 0]);
    expect(await host.exchange(request)).toEqual({ status: 'answered', frame });
  });

  it('an answer of a role that was ended meanwhile is lost', async () => {
    let finish: () => void = () => {};
    const slow = await createRoleHost<Role>({
      clock,
      faults,
      journal,
      create: async () => ({
        name: 'uem',
        services: ['device'],
        handle: () => new Promise((resolve) => (finish = () => resolve({ status: 'answered', frame }))),
      }),
      end: () => {},
    });
    const answer = slow.exchange(request);
    await slow.restart();
    finish();
    expect(await answer).toEqual({ status: 'dropped' });
  });
});

describe('the journal', () => {
  const entry = { timeMs: 0, role: 'uem', service: 'device', request: 'poll', answer: 'idle', source: 'test' } as const;

  it('keeps the newest entries and their numbers', () => {
    const journal = createRingJournal({ capacity: 3 });
    for (let n = 1; n <= 5; n++) journal.record({ ...entry, deviceId: `d${n % 2}` });
    expect(journal.last).toBe(5);
    expect(journal.entries().map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
    expect(journal.entries({ after: 4 }).map(({ sequence }) => sequence)).toEqual([5]);
    expect(journal.entries({ deviceId: 'd1' }).map(({ sequence }) => sequence)).toEqual([3, 5]);
    expect(journal.entries({ max: 1 })).toHaveLength(1);
  });

  it('cuts texts and takes out control characters', () => {
    const journal = createRingJournal();
    journal.record({ ...entry, reason: `a\nb${'x'.repeat(1_000)}` });
    expect(journal.entries()[0]?.reason).toHaveLength(256);
    expect(journal.entries()[0]?.reason).toMatch(/^a bx/);
  });

  it('tells listeners until they end', () => {
    const journal = createRingJournal();
    const seen: number[] = [];
    const end = journal.subscribe(({ sequence }) => void seen.push(sequence));
    journal.record(entry);
    end();
    journal.record(entry);
    expect(seen).toEqual([1]);
  });

  it('remembers an unknown request after its entry is gone', () => {
    const journal = createRingJournal({ capacity: 1 });
    journal.assertNoUnknownRequests();
    journal.record({ ...entry, request: 'GET', unknown: true });
    journal.record(entry);
    expect(() => journal.assertNoUnknownRequests()).toThrow(/1 unknown requests/);
  });
});
