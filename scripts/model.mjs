/**
 * Asks Maude about the symbolic models in docs/model and prints a table: claim, result, positive control. Exit code 1 when a claim falls, or when a control or a known limit is not found.
 *
 *   pnpm model [--claim TEXT] [--verbose]
 *
 * Maude is a Debian package; where it is missing the step is skipped loudly, and in CI it fails.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ACTIVATION_CLAIMS } from './lib/model-activation-claims.mjs';
import { HANDSHAKE_CLAIMS } from './lib/model-claims.mjs';

const { values } = parseArgs({ options: { claim: { type: 'string' }, verbose: { type: 'boolean', default: false } } });
const MODELS = fileURLToPath(new URL('../docs/model/', import.meta.url));
/** One model with all its searches; a hang of Maude ends here. */
const PATIENCE_MS = 170_000;
const VARIABLES = {
  handshake: 'vars K L : Know . vars PR : Proc . vars N T Z M : Msg . vars X Y S : Exp .',
  activation: 'vars K : Know . vars PR : Proc . vars N M C D : Msg . vars I J : Nat .',
};

if (spawnSync('maude', ['--version']).error !== undefined) {
  console.log('SKIPPED: there is no maude here (Debian: apt-get install maude); nothing of the model was checked');
  process.exit(process.env.CI === undefined || process.env.CI === '' ? 0 : 1);
}

/** Every search of a claim and of its controls, in order; `weak` is what the model leaves out. */
function questionsOf(claims) {
  return claims.flatMap((claim) => [
    ...claim.searches.map((search) => ({ search, weak: [] })),
    ...claim.controls.flatMap(({ weak, searches }) => searches.map((search) => ({ search, weak }))),
  ]);
}

/** Runs all searches on one model; for each: was a state found, and how many were looked at. */
function ask(model, claims) {
  const questions = questionsOf(claims);
  const modules = new Map();
  for (const { weak } of questions) {
    const name = `WITHOUT${weak.map((one) => `-${one.toUpperCase()}`).join('') || '-NOTHING'}`;
    const equations = weak.map((one) => `eq weak(${one}) = true .`).join(' ');
    modules.set(name, `mod ${name} is including ${model.toUpperCase()} . ${VARIABLES[model]} ${equations} endm`);
  }
  const lines = questions.map(({ search, weak }) => `search [1] in WITHOUT${weak.map((one) => `-${one.toUpperCase()}`).join('') || '-NOTHING'} : ${search} .`);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-model-'));
  try {
    const file = join(folder, 'questions.maude');
    writeFileSync(
      file,
      [`load ${join(MODELS, `${model}.maude`)}`, ...modules.values(), 'set show command off .', 'set show timing off .', ...lines, 'quit', ''].join('\n'),
    );
    const { stdout, stderr, status } = spawnSync('maude', ['-no-banner', '-no-ansi-color', file], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      maxBuffer: 2 ** 28,
    });
    const answers = [...stdout.matchAll(/^(Solution 1 \(state (\d+)\)|No solution\.)\s*\nstates: (\d+)/gm)];
    if (status !== 0 || stderr.includes('Warning') || stdout.includes('Warning') || answers.length !== questions.length) {
      throw new Error(`maude answered ${answers.length} of ${questions.length} searches\n${stderr}\n${stdout.slice(-2_000)}`);
    }
    return answers.map(([, answer, , states]) => ({ found: answer.startsWith('Solution'), states: Number(states) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes the answers of each claim off the front. */
function judge(claims, answers) {
  let at = 0;
  const take = (count) => {
    at += count;
    return answers.slice(at - count, at);
  };
  return claims.map(({ claim, kind, searches, controls }) => {
    const own = take(searches.length);
    const found = own.filter((answer) => answer.found).length;
    const holds = kind === 'claim' ? found === 0 : found === own.length;
    const shown = controls.map(({ what, searches: tried }) => ({ what, found: take(tried.length).every((answer) => answer.found) }));
    const states = own.reduce((sum, answer) => sum + answer.states, 0);
    const result = kind === 'claim' ? (holds ? 'holds' : 'ATTACK') : holds ? 'found' : 'NOT FOUND';
    return { claim, result, controls: shown, searches: own.length, states, ok: holds && shown.every((one) => one.found) };
  });
}

const begunMs = performance.now();
const rows = [];
for (const [model, all] of [
  ['activation', ACTIVATION_CLAIMS],
  ['handshake', HANDSHAKE_CLAIMS],
]) {
  const claims = all.filter(({ claim }) => values.claim === undefined || claim.includes(values.claim));
  if (claims.length > 0) rows.push(...judge(claims, ask(model, claims)).map((row) => ({ model, ...row })));
}

const width = Math.max(...rows.map(({ claim }) => claim.length));
console.log(`${'claim'.padEnd(width)}  result     states  control (must be found)`);
for (const { claim, result, controls, states } of rows) {
  const shown = controls.map(({ what, found }) => `${found ? 'found' : 'NOT FOUND'}: ${what}`).join('; ') || '-';
  console.log(`${claim.padEnd(width)}  ${result.padEnd(9)} ${String(states).padStart(7)}  ${shown}`);
}
const failed = rows.filter(({ ok }) => !ok).length;
console.log(`\n${rows.length} rows in ${((performance.now() - begunMs) / 1_000).toFixed(1)} s`);
console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
