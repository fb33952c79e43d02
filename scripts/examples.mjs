/**
 * Runs the examples as a reader would: a lab server of its own in a temporary folder, each example against its connection file,
 * each scenario file through `plan`, which reads it whole, and the third shell of the README word for word against a small fleet.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './lib/generated.mjs';
import { run, tool } from './lib/run.mjs';

const SOURCE = ['--conditions=@uemkit/source', '--import', 'tsx'];
const EXAMPLES = join(ROOT, 'examples');

/** Starts a lab server; resolves when its first line says that it listens. */
function startLab(data, origin) {
  const forPages = ['--allow-unbound-links', '--allow-origin', origin];
  const child = spawn(process.execPath, [...SOURCE, 'packages/lab-server/src/bin.ts', 'start', '--data', data, '--json', ...forPages], {
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
  for (const [line] of output.matchAll(/(SKIPPED|a week of the app took).*$/gm)) console.log(line);
}

const scenarios = readdirSync(join(EXAMPLES, 'scenarios')).filter((file) => file.endsWith('.yaml'));
for (const file of scenarios)
  await must(`scenario ${file}`, [process.execPath, ...SOURCE, 'packages/device-emulator/src/bin.ts', 'plan', join(EXAMPLES, 'scenarios', file)]);

/** Starts a fleet of six devices; resolves when it is up. Ctrl-C ends it. */
async function startFleet(data, state) {
  const scenario = join(EXAMPLES, 'scenarios/rollout.yaml');
  const args = ['run', scenario, '--size', '6', '--target', join(data, 'connection.json'), '--state', state];
  const child = spawn(process.execPath, [...SOURCE, 'packages/device-emulator/src/bin.ts', ...args], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((done) => child.once('exit', done));
  let said = '';
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('the fleet stays up')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the fleet ended with ${code}: ${said}`)));
  });
  return {
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** The shell lines of the README from `lab()` on, as they stand there. */
function administratorOfReadme() {
  const block = readFileSync(join(ROOT, 'README.md'), 'utf8').match(/```sh\n(lab\(\) [\s\S]*?)```/);
  if (block === null) throw new Error('README.md has no block of shell lines that begins with lab()');
  return block[1];
}

/** Runs the lines where `.lab` is the data folder, and looks whether the lock was finished before the question that was sent earlier. */
async function walkReadme(home) {
  const { code, output } = await run(['bash', '-euc', administratorOfReadme()], { cwd: home });
  const finished = (type) =>
    output
      .match(new RegExp(`^${type} .* finished (\\S+)$`, 'gm'))
      ?.at(-1)
      ?.split(' ')
      .at(-1);
  const [lock, question] = [finished('LOCK_DEVICE'), finished('REQUEST_DEVICE_INFO')];
  const right = code === 0 && lock !== undefined && question !== undefined && lock < question;
  if (!right) failures.push(`README, third shell: ended with ${code}, lock finished ${lock}, question finished ${question}\n${output}`);
  console.log(`${right ? 'ok    ' : 'failed'} README, third shell: lock finished ${lock}, question finished ${question}`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Those that have a lab of their own unless one is named. */
const ALONE = ['browser-page', 'chat', 'directory', 'wiki-reader'];
/** The lab has to know it before the page is there. */
const PAGE_PORT = await freePort();
/** What takes a minute runs whole once only. */
const SMALLER = { 'admin-scripts': ['--count', '20', '--devices', '2'], 'browser-page': ['--port', String(PAGE_PORT)] };
const program = (name) => [process.execPath, ...SOURCE, join(EXAMPLES, name, 'src/main.ts')];

/** The administrator's morning once more: nobody is enrolled again, each device that the export lists is locked, and a wrong target is an error that says what to do. */
async function repeatAdminScripts(out) {
  const { code, output } = await run([...program('admin-scripts'), '--out', out]);
  const [, locked] = output.match(/^Done: (\d+) devices are locked\.$/m) ?? [];
  const rows = readFileSync(join(out, 'inventory.csv'), 'utf8').trim().split('\n').length - 1;
  const people = readFileSync(join(out, 'passwords.csv'), 'utf8').trim().split('\n').length - 1;
  const completed = output.match(/ COMMAND_COMPLETED /g)?.length ?? 0;
  const nowhere = await run([...program('admin-scripts'), '--target', join(out, 'nothing.json')]);
  const right =
    code === 0 &&
    /^ {2}0 enrolled now, 500 were enrolled already/m.test(output) &&
    locked === '5' &&
    completed === 5 &&
    rows === 5 &&
    people === 500 &&
    nowhere.code === 2;
  if (!right)
    failures.push(
      `admin-scripts again: ended with ${code}, ${people} people, ${locked} locked, ${rows} in the inventory, no target ${nowhere.code}\n${output}`,
    );
  console.log(`${right ? 'ok    ' : 'failed'} example admin-scripts again: ${people} people, ${locked} devices locked, ${rows} in the inventory`);
}

const programs = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'src/main.ts')));
await must('example app-test', [tool('vitest'), 'run', 'examples/app-test']);
const home = mkdtempSync(join(tmpdir(), 'uemkit-examples-'));
const data = join(home, '.lab');
const lab = startLab(data, `https://localhost:${PAGE_PORT}`);
try {
  await lab.listening;
  for (const name of programs) await must(`example ${name}`, [...program(name), '--target', join(data, 'connection.json'), ...(SMALLER[name] ?? [])]);
  for (const name of ALONE) await must(`example ${name}, with a lab of its own`, program(name));
  await must('example admin-scripts, whole, with a lab of its own', [...program('admin-scripts'), '--out', join(home, 'own')]);
  await repeatAdminScripts(join(home, 'own'));
  const fleet = await startFleet(data, join(home, 'fleet'));
  try {
    await walkReadme(home);
  } finally {
    await fleet.stop();
  }
} finally {
  await lab.stop();
  rmSync(home, { recursive: true, force: true });
}
if (scenarios.length === 0 || programs.length === 0) failures.push('there is nothing to run under examples/');
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
