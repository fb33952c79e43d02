/**
 * Runs the examples as a reader would: a lab server of its own in a temporary folder, each example against its connection file,
 * and each scenario file through `plan`, which reads it whole.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './lib/generated.mjs';
import { run } from './lib/run.mjs';

const SOURCE = ['--conditions=@uemkit/source', '--import', 'tsx'];
const EXAMPLES = join(ROOT, 'examples');

/** Starts a lab server; resolves when its first line says that it listens. */
function startLab(data) {
  const child = spawn(process.execPath, [...SOURCE, 'packages/lab-server/src/bin.ts', 'start', '--data', data, '--json'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((done) => child.once('exit', done));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const listening = new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the lab server ended with ${code}: ${errors}`)));
  });
  return {
    listening,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const failures = [];
async function must(what, command) {
  const { code, output } = await run(command);
  if (code !== 0) failures.push(`${what} ended with ${code}\n${output}`);
  console.log(`${code === 0 ? 'ok    ' : 'failed'} ${what}`);
}

const scenarios = readdirSync(join(EXAMPLES, 'scenarios')).filter((file) => file.endsWith('.yaml'));
for (const file of scenarios)
  await must(`scenario ${file}`, [process.execPath, ...SOURCE, 'packages/device-emulator/src/bin.ts', 'plan', join(EXAMPLES, 'scenarios', file)]);

const programs = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'src/main.ts')));
const data = mkdtempSync(join(tmpdir(), 'uemkit-examples-'));
const lab = startLab(data);
try {
  await lab.listening;
  for (const name of programs)
    await must(`example ${name}`, [process.execPath, ...SOURCE, join(EXAMPLES, name, 'src/main.ts'), '--target', join(data, 'connection.json')]);
} finally {
  await lab.stop();
  rmSync(data, { recursive: true, force: true });
}
if (scenarios.length === 0 || programs.length === 0) failures.push('there is nothing to run under examples/');
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
