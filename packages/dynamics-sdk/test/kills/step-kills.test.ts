import { expect, it } from 'vitest';
import { stepKills } from './step-kills.ts';

// A third of the places, once each; `pnpm step-kills` visits all of them 20 times.
it('an app comes through whichever of NOC, UEM and Proxy dies at whichever step (F3.7 to F3.11, F10.1 to F10.4, F11.1 to F11.4)', async () => {
  const { places, rounds, noticed, faults } = await stepKills({ rounds: 1, every: 3 });
  expect(faults).toEqual([]);
  expect(rounds).toBe(Math.ceil(places.length / 3));
  const steps = new Set(places.map(({ moment }) => moment.split(' ')[0]));
  expect([...steps].sort()).toEqual(['F10.1', 'F10.2', 'F10.3', 'F10.4', 'F11.1', 'F11.3', 'F11.4', 'F3.10', 'F3.11', 'F3.7', 'F3.8', 'F3.9']);
  // A death that nobody notices kills nothing.
  expect(noticed).toBeGreaterThan(rounds / 3);
});
