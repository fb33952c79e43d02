/** Kills a process that writes into a container, 200 times unless told otherwise: `pnpm container-kills [--rounds 200] [--seed 1]`. Two lines of rounds go side by side. */
import { parseArgs } from 'node:util';
import { killRounds } from './kill-rounds.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } } });
const rounds = Number(values.rounds);
const half = Math.ceil(rounds / 2);
const faults = (await Promise.all([killRounds(half, `${values.seed}/a`), killRounds(rounds - half, `${values.seed}/b`)])).flat();
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`${rounds - faults.length} passed, ${faults.length} failed\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
