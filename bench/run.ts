import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundledProgram } from '../scripts/lib/bundled-program.mjs';
import { type Bench, type BenchReport, commit, type Figure, machine } from './harness.ts';

const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  record: () => import('./record.ts'),
  handshake: () => import('./handshake.ts'),
  activation: () => import('./activation.ts'),
  poll: () => import('./poll.ts'),
  idle: () => import('./idle.ts'),
  drain: () => import('./drain.ts'),
  scale: () => import('./scale.ts'),
  size: () => import('./size.ts'),
  push: () => import('./push.ts'),
  rest: () => import('./rest.ts'),
  queue: () => import('./queue.ts'),
  relay: () => import('./relay.ts'),
  direct: () => import('./direct.ts'),
  requests: () => import('./requests.ts'),
  sessions: () => import('./sessions.ts'),
  'app-activation': () => bundled(new URL('./app-activation.ts', import.meta.url)),
  container: () => import('./container.ts'),
};

/** As the package is built: `tsx` gives each function inside of another one its name when it is made, which costs more than many of them do. */
async function bundled(source: URL): Promise<{ readonly bench: Bench }> {
  return (await import(pathToFileURL(await bundledProgram(source)).href)) as { readonly bench: Bench };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`unknown benchmark: ${unknown.join(', ')}`);
  console.error(`usage: pnpm bench [--json] [${Object.keys(BENCHES).join(' | ')}] …`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

let failed = false;
for (const name of names) {
  const load = BENCHES[name] as (typeof BENCHES)[string];
  const { bench } = await load();
  console.error(`${name} …`);
  const results = await bench((line) => console.error(`  ${line}`));
  const report: BenchReport = { name, node: process.version, commit: commit(), machine: machine(), results };
  if (values.json) console.log(JSON.stringify(report));
  else printTable(report);
  failed ||= results.some((figure) => figure.ok === false);
}
process.exitCode = failed ? 1 : 0;

function printTable(report: BenchReport): void {
  console.log(`\n${report.name} (Node ${report.node}, ${report.commit}, ${report.machine})`);
  for (const figure of report.results) console.log(`  ${line(figure)}`);
}

function line(figure: Figure): string {
  const against = figure.ratio === undefined ? '' : `  baseline ${figure.baseline}  ratio ${figure.ratio}`;
  const verdict = figure.bar === undefined ? '' : `  (${figure.bar}: ${figure.ok ? 'ok' : 'MISSED'})`;
  return `${figure.metric.padEnd(44)} ${String(figure.value).padStart(10)} ${figure.unit}${against}${verdict}`;
}
