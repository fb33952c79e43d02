/**
 * Everything that has to hold before a change is merged, in order: what is cheap and says most comes first.
 * Stops at the first step that fails; `--keep-going` runs all. `--only a,b` runs some, `--list` names them.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './lib/generated.mjs';
import { pnpm, run, tool } from './lib/run.mjs';

const SOURCE = [process.execPath, '--conditions=@uemkit/source', '--import', 'tsx'];
const generator = (file) => [...SOURCE, join(ROOT, 'scripts', file), '--check'];

/** `hint` says what to type when the step fails. */
const STEPS = [
  {
    name: 'format',
    says: 'format, lint, import cycles',
    command: [tool('biome'), 'ci', '--error-on-warnings', '--colors=off', '--max-diagnostics=40'],
    hint: 'pnpm format, then pnpm lint',
  },
  { name: 'types', says: 'TypeScript over everything', command: [...pnpm(), 'run', 'types'], hint: 'pnpm types' },
  { name: 'deps', says: 'import rules', command: [...pnpm(), 'run', 'deps'], hint: 'docs/architecture.md has the picture, .dependency-cruiser.cjs the rules' },
  {
    name: 'deps-probe',
    says: 'each import rule finds a planted violation',
    command: [process.execPath, 'scripts/deps-probe.mjs'],
    hint: 'every rule needs a plant in scripts/deps-probe.mjs',
  },
  { name: 'dead', says: 'unused files, exports and packages', command: [tool('knip'), '--no-progress'], hint: 'remove what nothing uses' },
  { name: 'exports', says: 'public names are the committed ones', command: generator('export-names.mjs'), hint: 'pnpm exports, and a changeset' },
  { name: 'errors', says: 'docs/errors.md is up to date', command: generator('docs-errors.mjs'), hint: 'pnpm docs:errors' },
  { name: 'commands', says: 'docs/commands.md is up to date', command: generator('docs-commands.mjs'), hint: 'pnpm docs:commands' },
  { name: 'limits', says: 'docs/limits.md is up to date', command: generator('docs-limits.mjs'), hint: 'pnpm docs:limits' },
  { name: 'openapi', says: 'docs/openapi.json is up to date', command: generator('docs-openapi.mjs'), hint: 'pnpm docs:openapi' },
  {
    name: 'links',
    says: 'links between documents lead somewhere',
    command: [process.execPath, 'scripts/docs-links.mjs'],
    hint: 'mend the link or write the page',
  },
  { name: 'diagrams', says: 'state diagrams are up to date', command: generator('diagrams.mjs'), hint: 'pnpm diagrams' },
  {
    name: 'flows',
    says: 'pictures of F1, F3 and F5 in docs/flows are up to date',
    command: [...SOURCE, 'packages/device-emulator/scripts/docs-flows.ts', '--check'],
    hint: 'pnpm docs:flows',
  },
  {
    name: 'vectors',
    says: 'vectors agree with the second implementation',
    command: ['python3', 'packages/protocol/scripts/derive_vectors.py', '--check'],
    hint: 'python3 packages/protocol/scripts/derive_vectors.py',
    optional: 'python3',
  },
  { name: 'test', says: 'tests with coverage', command: [tool('vitest'), 'run', '--coverage'], hint: 'pnpm test', echo: true },
  { name: 'build', says: 'build of every package', command: [...pnpm(), 'run', 'build'], hint: 'pnpm build' },
  { name: 'packaging', says: 'publint, are-the-types-wrong, install and import', command: [...pnpm(), 'run', 'packaging'], hint: 'pnpm packaging' },
  { name: 'examples', says: 'examples as a reader runs them', command: [...pnpm(), 'run', 'examples'], hint: 'pnpm examples' },
];

const { values } = parseArgs({ options: { only: { type: 'string' }, 'keep-going': { type: 'boolean' }, list: { type: 'boolean' } } });
const wanted = values.only?.split(',');
const unknown = (wanted ?? []).filter((name) => !STEPS.some((step) => step.name === name));
if (values.list || unknown.length > 0) {
  for (const { name, says } of STEPS) console.log(`${name.padEnd(12)} ${says}`);
  if (unknown.length > 0) console.error(`no such step: ${unknown.join(', ')}`);
  process.exit(unknown.length === 0 ? 0 : 2);
}

/** A missing referee is a skipped step on a developer's machine and a failure where CI is set. */
async function missing(program) {
  if (program === undefined || (await run([program, '--version'])).code === 0) return undefined;
  return process.env.CI ? 'failed' : 'skipped';
}

/** Tests counted by the closing line of a step, or the step itself as one. */
function counts(output, state) {
  const line = output.split('\n').findLast((text) => /^\d+ passed, \d+ failed/.test(text));
  const [passed, failed] = line === undefined ? [0, 0] : line.match(/\d+/g).map(Number);
  return { passed: line === undefined && state === 'ok' ? 1 : passed, failed: state === 'failed' ? Math.max(1, failed) : failed };
}

const results = [];
for (const step of STEPS.filter(({ name }) => wanted === undefined || wanted.includes(name))) {
  console.log(`\n── ${step.name}: ${step.says}`);
  const started = performance.now();
  const absent = await missing(step.optional);
  const { code, output } =
    absent === undefined
      ? await run(step.command, { echo: step.echo ?? false, env: { NO_COLOR: '1' } })
      : { code: absent === 'failed' ? 1 : 0, output: `${step.optional} is not installed` };
  const seconds = (performance.now() - started) / 1_000;
  const state = absent ?? (code === 0 ? 'ok' : 'failed');
  results.push({ name: step.name, state, seconds, ...counts(output, state) });
  if (state === 'ok') console.log(`   ok (${seconds.toFixed(1)} s)`);
  else {
    if (!step.echo) console.log(output.split('\n').slice(-150).join('\n'));
    console.log(`   ${state} (${seconds.toFixed(1)} s)${state === 'failed' ? `; what to do: ${step.hint}` : ''}`);
  }
  if (state === 'failed' && !values['keep-going']) break;
}

const failed = results.filter(({ state }) => state === 'failed');
const left = (wanted?.length ?? STEPS.length) - results.length;
console.log('\n── summary');
for (const { name, state, seconds } of results) console.log(`${state.padEnd(8)} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s`);
if (failed.length > 0) console.log(`gate failed: ${failed.map(({ name }) => name).join(', ')}${left > 0 ? ` (${left} more steps not run)` : ''}`);
else console.log(`gate passed: ${results.length} steps in ${results.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0)} s`);
console.log(`${results.reduce((sum, { passed }) => sum + passed, 0)} passed, ${results.reduce((sum, step) => sum + step.failed, 0)} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
