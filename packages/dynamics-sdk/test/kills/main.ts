/** Kills NOC, UEM and Proxy at every step of an activation and of a connection, 20 times each unless told otherwise: `pnpm step-kills [--rounds 20]`. */
import { parseArgs } from 'node:util';
import { stepKills } from './step-kills.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const begunMs = performance.now();
let shown = 0;
const { places, rounds, noticed, faults } = await stepKills({
  rounds: Number(values.rounds),
  progress(done, all) {
    const tenth = Math.floor((done * 10) / all);
    if (tenth > shown) process.stdout.write(`${done} of ${all} rounds\n`);
    shown = tenth;
  },
});
for (const part of ['activation', 'noc', 'direct'] as const) {
  const moments = new Set(places.filter((place) => place.part === part).map(({ moment, nth }) => `${moment}${nth === 0 ? '' : ` (${nth + 1})`}`));
  process.stdout.write(`${part}: ${[...moments].join(', ')}\n`);
}
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(`${places.length} places, the app noticed ${noticed} of ${rounds} deaths, ${((performance.now() - begunMs) / 1_000).toFixed(1)} s\n`);
process.stdout.write(`${rounds - faults.length} passed, ${faults.length} failed\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
