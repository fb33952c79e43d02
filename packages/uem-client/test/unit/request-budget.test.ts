import { describe, expect, it } from 'vitest';
import { RequestBudget } from '../../src/apps/request-budget.ts';

describe('the requests of apps', () => {
  it('come back one by one, as each leaves the window', () => {
    const budget = new RequestBudget(2, 100);
    expect([0, 60, 99, 100, 159, 160].map((nowMs) => budget.take('mail', nowMs))).toEqual([true, true, false, true, false, true]);
  });

  it('are counted for 256 apps at a time', () => {
    const budget = new RequestBudget(2, 100);
    for (let app = 0; app < 256; app++) expect(budget.take(`app ${app}`, 0)).toBe(true);
    expect(budget.take('one more', 99)).toBe(false);
    expect(budget.take('app 0', 99)).toBe(true);
    expect(budget.take('one more', 100)).toBe(true);
    // Who is still in its window is remembered.
    expect([budget.take('app 0', 100), budget.take('app 0', 101)]).toEqual([true, false]);
  });
});
