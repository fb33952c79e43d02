import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charged, fullBudget, refilled, refunded, TRY_RULES, type TryBudget } from '../../src/state/try-budget.ts';

const rules = TRY_RULES.password;
const MINUTE = 60_000;

describe('tries of a secret', () => {
  it('are five, and one comes back every ten minutes', () => {
    let budget = fullBudget(rules, 0);
    for (let n = 0; n < 5; n++) budget = charged(budget, rules, 0) as TryBudget;
    expect(charged(budget, rules, 0)).toBeUndefined();
    expect(charged(budget, rules, 10 * MINUTE - 1)).toBeUndefined();
    expect(refilled(budget, rules, 25 * MINUTE)).toEqual({ left: 2, countedAtMs: 20 * MINUTE, charges: 5 });
    expect(refilled(budget, rules, 500 * MINUTE).left).toBe(5);
  });

  it('keep the rest of the ten minutes when one is taken in between', () => {
    const one = charged(charged(fullBudget(rules, 0), rules, 0) as TryBudget, rules, 9 * MINUTE) as TryBudget;
    expect(refilled(one, rules, 10 * MINUTE).left).toBe(4);
  });

  it('are dead after thirty charges however long one waits, but a right proof takes its own charge back', () => {
    const worn: TryBudget = { left: 5, countedAtMs: 0, charges: 29 };
    const last = charged(worn, rules, 0) as TryBudget;
    expect(charged(last, rules, 1e12)).toBeUndefined();
    expect(charged(refunded(last, rules), rules, 0)).toBeDefined();
  });

  it('neither come nor go with a clock that goes back', () => {
    const empty: TryBudget = { left: 0, countedAtMs: 100 * MINUTE, charges: 5 };
    expect(refilled(empty, rules, 0)).toEqual(empty);
    expect(charged(empty, rules, 50 * MINUTE)).toBeUndefined();
    expect(refilled(empty, rules, 110 * MINUTE).left).toBe(1);
  });

  it('of a QR secret bound the rate only', () => {
    const qr = TRY_RULES.qr;
    let budget: TryBudget = { ...fullBudget(qr, 0), charges: 1_000_000 };
    for (let n = 0; n < qr.capacity; n++) budget = charged(budget, qr, 0) as TryBudget;
    expect(charged(budget, qr, 99)).toBeUndefined();
    expect(charged(budget, qr, 100)).toBeDefined();
  });

  it('never exceed what time allows, over any order of charges, refunds and jumps of the clock', () => {
    const step = fc.record({ afterMs: fc.integer({ min: -20 * MINUTE, max: 30 * MINUTE }), refund: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let budget = fullBudget(rules, 0);
        let nowMs = 1_000 * MINUTE;
        let latest = 0;
        let unrefunded = 0;
        for (const { afterMs, refund } of steps) {
          nowMs = Math.max(0, nowMs + afterMs);
          latest = Math.max(latest, nowMs);
          const taken = charged(budget, rules, nowMs);
          if (taken !== undefined) {
            budget = refund ? refunded(taken, rules) : taken;
            if (!refund) unrefunded++;
          }
          expect(budget.left).toBeGreaterThanOrEqual(0);
          expect(budget.left).toBeLessThanOrEqual(5);
          expect(unrefunded).toBeLessThanOrEqual(Math.min(30, 5 + Math.floor(latest / (10 * MINUTE))));
        }
      }),
    );
  });
});
