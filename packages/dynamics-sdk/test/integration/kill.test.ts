import { expect, it } from 'vitest';
import { killRounds } from '../crash/kill-rounds.ts';

// `pnpm container-kills` does the same 200 times.
it('loses no committed write, and leaves no store that cannot be read, when the process is killed', async () => {
  expect(await killRounds(4, 'test')).toEqual([]);
}, 600_000);
