/**
 * Seeded sequences of administrator actions, lost pushes, crashes, restarts and clock jumps against a reference model, in virtual time.
 *
 *   pnpm whole-system [--count 1000] [--from 1]
 *   pnpm whole-system --seed N [--verbose]
 *   pnpm whole-system --bug 0|1|2       plants a mistake: it has to be found
 */
import { parseArgs } from 'node:util';
import { BUGS } from './bug.ts';
import { COMMAND_NAMES, KINDS } from './kinds.ts';
import { added, describeFailure, NOTHING, runSeed, shrink } from './whole-system.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    bug: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const bug = values.bug === undefined ? undefined : BUGS[Number(values.bug)];
const options = bug === undefined ? {} : { bug };
const [from, count] = values.seed === undefined ? [Number(values.from), Number(values.count)] : [Number(values.seed), 1];
const say = (text: string): void => void process.stdout.write(`${text}\n`);
if (bug !== undefined) say(`planted: ${bug.name}`);

/** Failures that are shown; each costs the time of making it short. */
const MOST_FAILURES = 3;
const begunMs = performance.now();
let failed = 0;
let actions = 0;
let counts = NOTHING;
for (let seed = from; seed < from + count; seed++) {
  const outcome = await runSeed(seed, { ...options, ...(values.verbose ? { log: say } : {}) });
  actions += outcome.actions.length;
  counts = added(counts, outcome.counts);
  if (outcome.differences.length === 0) continue;
  failed++;
  say(describeFailure(await shrink(outcome, options)));
  // One cause may fail many seeds.
  if (failed >= MOST_FAILURES) break;
}
say(`${counts.devices} devices in ${counts.lives} lives, ${counts.sent} commands sent, ${counts.carriedOut} carried out, updates of the policy among them`);
const never = COMMAND_NAMES.filter((name) => !counts.commands.has(name));
say(
  `${counts.kinds.size} of ${KINDS.length} kinds, ${counts.commands.size} of ${COMMAND_NAMES.length} commands${never.length === 0 ? '' : `, never ${never.join(', ')}`}`,
);
say(`${count} sequences, ${actions} actions, ${((performance.now() - begunMs) / 1_000).toFixed(1)} s`);
say(`${failed === 0 ? count : 0} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
