import { beforeEach, describe, expect, it } from 'vitest';
import { RequestBudget } from '../../../src/machine/key-hand-over/request-budget.ts';

let budget: RequestBudget;
const takes = (platformId: string, ...timesMs: readonly number[]): readonly boolean[] => timesMs.map((nowMs) => budget.take(platformId, nowMs) !== undefined);

beforeEach(() => {
  budget = new RequestBudget({ requestsPerApp: 2, requestWindowMs: 100, unreachedWindowMs: 10 });
});

describe('the requests of apps', () => {
  it('come back one by one, as each leaves the window', () => {
    expect(takes('mail', 0, 60, 99, 100, 159, 160)).toEqual([true, true, false, true, false, true]);
  });

  it('are counted for 256 apps at a time', () => {
    for (let app = 0; app < 256; app++) expect(takes(`app ${app}`, 0)).toEqual([true]);
    expect(takes('one more', 99)).toEqual([false]);
    expect(takes('app 0', 99)).toEqual([true]);
    expect(takes('one more', 100)).toEqual([true]);
    // Who is still in its window is remembered.
    expect(takes('app 0', 100, 101)).toEqual([true, false]);
  });
});

describe('a request that never reached UEM', () => {
  it('counts for a shorter time, and others of the app as long as before', () => {
    budget.take('mail', 0);
    budget.take('mail', 1)?.unreached();
    expect(takes('mail', 10, 11, 12, 99, 100, 110, 111)).toEqual([false, true, false, false, true, false, true]);
  });

  it('does count: an app that asks while UEM is away is not admitted without end', () => {
    let admitted = 0;
    for (let nowMs = 0; nowMs < 100; nowMs++) {
      const request = budget.take('mail', nowMs);
      if (request !== undefined) admitted += 1;
      request?.unreached();
    }
    expect(admitted).toBe(20);
  });

  it('is not counted longer for being said late, or twice', () => {
    const late = budget.take('mail', 0);
    expect(takes('mail', 50)).toEqual([true]);
    late?.unreached();
    late?.unreached();
    expect(takes('mail', 51, 52)).toEqual([true, false]);
    const over = budget.take('chat', 0);
    expect(takes('chat', 100)).toEqual([true]);
    over?.unreached();
    expect(takes('chat', 101, 102)).toEqual([true, false]);
  });

  it('counts no longer than others where the limits say so', () => {
    budget = new RequestBudget({ requestsPerApp: 1, requestWindowMs: 100, unreachedWindowMs: 1_000 });
    budget.take('mail', 0)?.unreached();
    expect(takes('mail', 99, 100)).toEqual([false, true]);
  });
});
