/**
 * Takes each verification line, and each secret out of what is wiped, away in turn and wants to see a test go red (`pnpm mutants`).
 * Works on copies in a temporary folder, so the working tree is never touched. Ends with 1 when a mutant survives.
 * `--only TEXT` keeps mutants whose file or name contains the text, `--since COMMIT` those whose file is another one than at that commit, `--list` names them,
 * `--workers N` runs N copies at a time.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './lib/generated.mjs';
import { mutantsOf } from './lib/verification-lines.mjs';

const PACKAGE = 'packages/protocol';
const FOLDERS = ['wire', 'record', 'key-schedule', 'machine', 'x509', 'http-signature'];
/** The tests of each folder. A line is checked where it stands, not by luck in another layer. */
const TESTS = [
  [/^wire\//, ['wire']],
  [/^record\//, ['record']],
  [/^key-schedule\//, ['key-schedule']],
  [/^x509\//, ['x509']],
  [/^http-signature\//, ['http-signature']],
  [/^machine\/activation\//, ['machine/activation']],
  [/^machine\/exchange\//, ['machine/exchange']],
  [/^machine\/handshake\/inner-handshake/, ['machine/key-hand-over', 'machine/app-activation']],
  [/^machine\/handshake\//, ['machine/handshake']],
  [/^machine\/app-activation\//, ['machine/app-activation']],
  [/^machine\/key-hand-over\//, ['machine/key-hand-over']],
  [/^machine\/key-forward\//, ['machine/key-forward']],
  [/^machine\/app-update\//, ['machine/app-update']],
  [/^machine\/service-session\//, ['machine/service-session']],
  [/^machine\/core-session\//, ['machine/key-forward', 'machine/app-update']],
  [/^machine\/proxy-session\//, ['machine/proxy-session']],
  [/^machine\//, ['machine']],
];
/** A mutant that never ends is caught too: after this many times what the tests take without one, and at least this long. */
const TIMEOUT_FACTOR = 5;
const MIN_TIMEOUT_MS = 30_000;

/** Lines whose loss changes nothing that anybody could see, each with the reason. `text` is part of the mutant's name. */
const EXCUSED = [
  {
    path: 'x509/der-reader.ts',
    text: 'if (first === undefined)',
    reason: 'a length that is not there reads as width 0, which the next check refuses with the same error',
  },
  { path: 'x509/der-reader.ts', text: 'without width === 0', reason: 'width 0 gives length 0, which is not the shortest form: refused with the same error' },
  { path: 'x509/certificate-reader.ts', text: 'without unused === undefined', reason: 'the length has been checked; the line tells the compiler' },
  { path: 'x509/certificate-reader.ts', text: 'without bits === undefined', reason: 'the length has been checked; the line tells the compiler' },
  {
    path: 'http-signature/signed-answer.ts',
    text: "without purpose.kind !== 'leaf'",
    reason: 'verifyChain has refused anything else; the line tells the compiler',
  },
  {
    path: 'machine/activation/activation-initiator.ts',
    text: 'wipe without witness?.w1',
    reason: 'before A4 no provider has seen w1, and after A4 it is wiped already',
  },
  {
    path: 'machine/handshake/handshake-initiator.ts',
    text: 'this.#schedule.wipe();',
    reason: 'after M3 each step has wiped what it used; the line keeps that so (the same line in #fail is seen)',
  },
  {
    path: 'machine/handshake/handshake-responder.ts',
    text: 'schedule.wipe();',
    reason: 'after M3 each step has wiped what it used; the line keeps that so (the same line in #fail is seen)',
  },
  { path: 'x509/identifiers.ts', text: 'without point.length', reason: 'the prefix holds the length of the whole structure' },
];

const { values } = parseArgs({ options: { only: { type: 'string' }, since: { type: 'string' }, list: { type: 'boolean' }, workers: { type: 'string' } } });

const changed = values.since === undefined ? undefined : changedSince(values.since);

const mutants = FOLDERS.flatMap((folder) => {
  const files = readdirSync(join(ROOT, PACKAGE, 'src', folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.sort().flatMap((file) => {
    const path = `${folder}/${file}`;
    return mutantsOf(`/${path}`, readFileSync(join(ROOT, PACKAGE, 'src', path), 'utf8')).map((mutant) => ({ path, ...mutant }));
  });
})
  .filter(({ path, name }) => values.only === undefined || path.includes(values.only) || name.includes(values.only))
  .filter(({ path }) => changed === undefined || changed.has(`${PACKAGE}/src/${path}`));

if (values.list) {
  for (const { path, line, name } of mutants) console.log(`${path}:${line}  ${name}`);
  process.exit(0);
}

const top = mkdtempSync(join(tmpdir(), 'uemkit-mutants-'));
const children = new Set();
let timeoutMs = 600_000;
/** Runs that were ended because they took too long. */
let endless = 0;
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(top, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    console.error(`ended by ${signal}`);
    process.exit(130);
  });

/** Files of the package that are not as they were at a commit, those of the working tree included. */
function changedSince(commit) {
  return new Set(execFileSync('git', ['diff', '--name-only', commit, '--', PACKAGE], { cwd: ROOT, encoding: 'utf8' }).split('\n'));
}

/** A copy of the package that one worker changes at will. */
function workspace(number) {
  const folder = join(top, `${number}`);
  const copy = join(folder, PACKAGE);
  mkdirSync(copy, { recursive: true });
  // Links are followed to where they lead, so whatever imports the sources has to be a copy.
  for (const part of ['src', 'test']) cpSync(join(ROOT, PACKAGE, part), join(copy, part), { recursive: true });
  for (const part of ['node_modules', 'vectors', 'scripts', 'package.json']) symlinkSync(join(ROOT, PACKAGE, part), join(copy, part));
  for (const part of ['node_modules', 'docs']) symlinkSync(join(ROOT, part), join(folder, part));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    `const conditions = ['@uemkit/source', 'node', 'import', 'module', 'default'];
export default { resolve: { conditions }, ssr: { resolve: { conditions } }, test: {
  include: ['${PACKAGE}/test/**/*.test.ts'], setupFiles: [${JSON.stringify(join(ROOT, 'scripts/lib/property-sizes.ts'))}], testTimeout: 600_000,
} };
`,
  );
  return folder;
}

/**
 * True when all tests in the given folders of the package pass. `echo` shows what they print. A busy machine is no verdict: a test may take as long as it
 * likes, and the whole is ended only where it takes many times what it took unchanged, as it does when a mutant never ends.
 */
function passes(folder, tests, echo = false) {
  const filters = tests.map((test) => join(PACKAGE, 'test', test) + (test.endsWith('.ts') ? '' : '/'));
  const args = [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...filters,
    '--bail=1',
    '--pool=threads',
    '--maxWorkers=1',
    '--no-isolate',
    '--reporter=dot',
  ];
  return new Promise((done) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: echo ? ['ignore', 'inherit', 'inherit'] : 'ignore',
      env: { ...process.env, NO_COLOR: '1' },
    });
    children.add(child);
    const timer = setTimeout(() => {
      endless += 1;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('close', (code) => {
      clearTimeout(timer);
      children.delete(child);
      done(code === 0);
    });
  });
}

function testsOf(path) {
  return TESTS.find(([pattern]) => pattern.test(path))[1];
}

/** The test files that are named like the source or its folder: they notice first, if any does. */
function nearestTests(path) {
  const names = path.replace(/\.ts$/, '').split('/').slice(1);
  const [folder] = testsOf(path);
  const files = readdirSync(join(ROOT, PACKAGE, 'test', folder)).filter((file) => names.includes(file.replace(/\.test\.ts$/, '')));
  return files.map((file) => `${folder}/${file}`);
}

/** Runs the tests that should notice, the nearest first. */
async function survives(folder, { path, text }) {
  const file = join(folder, PACKAGE, 'src', path);
  const original = readFileSync(file, 'utf8');
  writeFileSync(file, text);
  try {
    const nearest = nearestTests(path);
    if (nearest.length > 0 && !(await passes(folder, nearest))) return false;
    return await passes(folder, testsOf(path));
  } finally {
    writeFileSync(file, original);
  }
}

const workers = Math.min(Number(values.workers ?? Math.min(2, availableParallelism())), mutants.length);
const folders = Array.from({ length: workers }, (_, number) => workspace(number));
const started = performance.now();
if (workers > 0 && !(await passes(folders[0], [...new Set(mutants.flatMap(({ path }) => testsOf(path)))], true))) {
  console.error('the tests are red without any mutant: nothing can be said');
  process.exit(1);
}
timeoutMs = Math.max(MIN_TIMEOUT_MS, TIMEOUT_FACTOR * (performance.now() - started));
console.log(`${mutants.length} verification lines, ${workers} at a time`);

const waiting = [...mutants];
const survivors = [];
const excused = [];
let done = 0;
await Promise.all(
  folders.map(async (folder) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      if (await survives(folder, mutant)) {
        const { path, name } = mutant;
        const excuse = EXCUSED.find((entry) => entry.path === path && name.includes(entry.text));
        if (excuse === undefined) {
          survivors.push(mutant);
          console.log(`SURVIVED ${path}:${mutant.line}  ${name}`);
        } else {
          excused.push({ ...mutant, reason: excuse.reason });
        }
      }
      done += 1;
      if (done % 25 === 0) console.log(`${done} of ${mutants.length}`);
    }
  }),
);

for (const { path, line, name, reason } of excused) console.log(`excused ${path}:${line}  ${name}\n        ${reason}`);
const unused =
  values.only === undefined && changed === undefined
    ? EXCUSED.filter(({ path, text }) => !excused.some((mutant) => mutant.path === path && mutant.name.includes(text)))
    : [];
for (const { path, text } of unused) console.log(`not needed any more: the excuse for ${path} "${text}"`);
const killed = mutants.length - survivors.length - excused.length;
if (endless > 0) console.log(`${endless} test runs did not end by themselves`);
console.log(`${killed} killed, ${survivors.length} survived, ${excused.length} excused, ${((performance.now() - started) / 1_000).toFixed(0)} s`);
process.exitCode = survivors.length + unused.length > 0 || mutants.length === 0 ? 1 : 0;
