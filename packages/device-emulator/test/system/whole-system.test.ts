import { describe, expect, it } from 'vitest';
import { shareOf, sized } from '../../../../scripts/lib/test-sizes.ts';
import { actionsOf } from './action.ts';
import { BUGS } from './bug.ts';
import { COMMAND_NAMES, KINDS } from './kinds.ts';
import { added, describeFailure, NOTHING, runSeed, shrink } from './whole-system.ts';

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
/** Bounds a hang. */
const PATIENCE_MS = 120_000;

/** Sequences that are as the reference model says; `pnpm whole-system` runs a thousand. */
const RIGHT = SEEDS.slice(0, sized(12, SEEDS.length));

describe('whole system, seeded', () => {
  it('makes the same actions of the same seed, and others of another', () => {
    expect(actionsOf(7)).toEqual(actionsOf(7));
    expect(actionsOf(7)).not.toEqual(actionsOf(8));
  });

  it(
    'is as the reference model says; a failure names its seed (pnpm whole-system --seed N --verbose)',
    async () => {
      let counts = NOTHING;
      for (const seed of RIGHT) {
        const outcome = await runSeed(seed);
        counts = added(counts, outcome.counts);
        expect(outcome.differences.length === 0 ? '' : describeFailure(outcome)).toBe('');
      }
      // Sequences in which nothing happens would always agree.
      expect(counts.devices).toBeGreaterThan(RIGHT.length / 2);
      expect(counts.lives).toBeGreaterThan(counts.devices);
      expect(counts.carriedOut).toBeGreaterThan(3 * RIGHT.length);
      expect(counts.kinds.size).toBe(KINDS.length);
      expect(counts.commands.size).toBeGreaterThan(COMMAND_NAMES.length / sized(3, 2));
    },
    PATIENCE_MS,
  );

  it('gives the same outcome of the same seed', async () => {
    const [bug] = BUGS;
    if (bug === undefined) throw new Error('there is no such bug');
    expect((await runSeed(1, { bug })).differences).toEqual((await runSeed(1, { bug })).differences);
  });

  it.each(shareOf(BUGS, 3).map((bug) => [bug.name, bug] as const))(
    'finds a planted mistake within 30 seeds, and makes the sequence shorter: %s',
    async (_name, bug) => {
      for (const seed of SEEDS) {
        const outcome = await runSeed(seed, { bug });
        if (outcome.differences.length === 0) continue;
        const shortest = await shrink(outcome, { bug });
        expect(shortest.differences.length).toBeGreaterThan(0);
        expect(shortest.actions.length).toBeLessThan(outcome.actions.length);
        // Without the mistake the same actions do no harm.
        expect((await runSeed(seed)).differences).toEqual([]);
        return;
      }
      expect.fail('30 seeds did not find it');
    },
    PATIENCE_MS,
  );
});
