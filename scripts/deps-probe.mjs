/**
 * Proves that the import rules bite: plants one forbidden import for each rule in a throw-away workspace of the same shape
 * and expects the checker to name that rule. A rule that no plant hits is an error too.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const SCOPE = ['protocol', 'uem-client', 'dynamics-sdk', 'lab-server', 'device-emulator'];

/** Files that every plant may import. */
const GROUND = {
  'packages/protocol/src/index.ts': 'export const protocol = 1;',
  'packages/protocol/src/testing/index.ts': 'export const testing = 1;',
  'packages/protocol/src/providers/node/index.ts': "import 'node:crypto';\nexport const node = 1;",
  'packages/protocol/src/providers/noble/index.ts': 'export const noble = 1;',
  'packages/protocol/src/machine/machine.ts': 'export const machine = 1;',
  'packages/protocol/src/drive/drive.ts': 'export const drive = 1;',
  'packages/protocol/src/wire/frame.ts': 'export const frame = 1;',
  'packages/protocol/src/record/cbc.ts': 'export const cbc = 1;',
  'packages/protocol/src/key-schedule/hc.ts': 'export const hc = 1;',
  'packages/protocol/test/tool.ts': 'export const tool = 1;',
  'packages/uem-client/src/index.ts': 'export const client = 1;',
  'packages/uem-client/src/apps/index.ts': 'export const apps = 1;',
  'packages/uem-client/src/inner.ts': 'export const inner = 1;',
  'packages/dynamics-sdk/src/index.ts': 'export const sdk = 1;',
  'packages/lab-server/src/index.ts': 'export const lab = 1;',
  'packages/device-emulator/src/index.ts': 'export const emulator = 1;',
};

/** [rule, folder, text, more files]. The plant must raise the rule; it may raise others too. */
const PLANTS = [
  ['no-cycles', 'packages/lab-server/src', "import './other.ts';", { 'packages/lab-server/src/other.ts': "import './plant-0.ts';" }],
  ['could-not-resolve', 'packages/lab-server/src', "import './nowhere.ts';"],
  ['no-undeclared-packages', 'packages/lab-server/src', "import 'undici';"],
  ['protocol-imports-no-package', 'packages/protocol/src/wire', "import '@uemkit/lab-server';"],
  ['uem-client-imports-protocol-only', 'packages/uem-client/src', "import '@uemkit/lab-server';"],
  ['dynamics-sdk-imports-protocol-only', 'packages/dynamics-sdk/src', "import '@uemkit/uem-client';"],
  ['lab-server-imports-no-client', 'packages/lab-server/src', "import '@uemkit/uem-client';"],
  ['client-tests-know-no-other-client', 'packages/uem-client/test', "import '@uemkit/dynamics-sdk';"],
  ['only-device-emulator-knows-both-halves', 'packages/lab-server/test', "import '@uemkit/device-emulator';"],
  ['entry-points-only', 'packages/device-emulator/src', "import '../../uem-client/src/inner.ts';"],
  ['examples-by-package-name', 'examples/plant', "import '../../packages/uem-client/src/index.ts';"],
  ['src-imports-no-test', 'packages/protocol/src/wire', "import '../../test/tool.ts';"],
  ['protocol-is-pure', 'packages/protocol/src/wire', "import 'node:fs';"],
  ['protocol-crypto-behind-the-port', 'packages/protocol/src/record', "import '@noble/hashes/sha2.js';"],
  ['noble-provider-is-portable', 'packages/protocol/src/providers/noble', "import 'undici';"],
  ['testing-is-for-tests', 'packages/lab-server/src', "import '@uemkit/protocol/testing';"],
  [
    'testing-is-for-tests',
    'packages/dynamics-sdk/src',
    "import './testing/index.ts';",
    { 'packages/dynamics-sdk/src/testing/index.ts': 'export const testing = 1;' },
  ],
  ['testing-needs-no-test-runner', 'packages/protocol/src/testing', "import 'vitest';"],
  ['protocol-layer-errors', 'packages/protocol/src/errors', "import '../wire/frame.ts';"],
  ['protocol-layer-bytes', 'packages/protocol/src/bytes', "import '../wire/frame.ts';"],
  ['protocol-layer-ports', 'packages/protocol/src/ports', "import '../wire/frame.ts';"],
  ['protocol-layer-events', 'packages/protocol/src/events', "import '../wire/frame.ts';"],
  ['protocol-layer-retry', 'packages/protocol/src/retry', "import '../wire/frame.ts';"],
  ['protocol-layer-wire', 'packages/protocol/src/wire', "import '../machine/machine.ts';"],
  ['protocol-layer-key-schedule', 'packages/protocol/src/key-schedule', "import '../record/cbc.ts';"],
  ['protocol-layer-record', 'packages/protocol/src/record', "import '../machine/machine.ts';"],
  ['protocol-layer-x509', 'packages/protocol/src/x509', "import '../record/cbc.ts';"],
  ['protocol-layer-http-signature', 'packages/protocol/src/http-signature', "import '../machine/machine.ts';"],
  ['protocol-layer-machine', 'packages/protocol/src/machine', "import '../drive/drive.ts';"],
  ['protocol-layer-drive', 'packages/protocol/src/drive', "import '../providers/noble/index.ts';"],
  ['protocol-layer-providers', 'packages/protocol/src/providers/noble', "import '../../machine/machine.ts';"],
  ['no-import-of-own-index', 'packages/lab-server/src', "import './index.ts';"],
  ['uem-client-portable-core', 'packages/uem-client/src', "import 'undici';"],
  ['uem-client-portable-core-no-node', 'packages/uem-client/src', "import 'node:https';"],
  ['uem-client-core-without-apps', 'packages/uem-client/src', "import './apps/index.ts';"],
  ['dynamics-sdk-portable-core', 'packages/dynamics-sdk/src/container', "import 'lmdb';"],
  ['dynamics-sdk-portable-core-no-node', 'packages/dynamics-sdk/src/container', "import 'node:fs';"],
];

function put(root, file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function workspace(root) {
  for (const [file, text] of Object.entries(GROUND)) put(root, file, text);
  mkdirSync(join(root, 'node_modules/@uemkit'), { recursive: true });
  for (const name of SCOPE) {
    const exports = { '.': { '@uemkit/source': './src/index.ts' } };
    if (name === 'protocol') exports['./testing'] = { '@uemkit/source': './src/testing/index.ts' };
    const dependencies = Object.fromEntries([...SCOPE.map((other) => `@uemkit/${other}`), '@noble/hashes', 'vitest'].map((key) => [key, '*']));
    if (name === 'uem-client') dependencies.undici = '*';
    if (name === 'dynamics-sdk') dependencies.lmdb = '*';
    put(root, `packages/${name}/package.json`, JSON.stringify({ name: `@uemkit/${name}`, type: 'module', exports, dependencies }));
    symlinkSync(`../../packages/${name}`, join(root, 'node_modules/@uemkit', name));
  }
  for (const [name, file] of [
    ['undici', 'index.js'],
    ['lmdb', 'index.js'],
    ['vitest', 'index.js'],
    ['@noble/hashes', 'sha2.js'],
  ]) {
    put(root, `node_modules/${name}/${file}`, 'export {};');
    put(root, `node_modules/${name}/package.json`, JSON.stringify({ name, type: 'module', main: file }));
  }
  put(root, 'package.json', JSON.stringify({ name: 'plants', type: 'module', private: true }));
  put(root, 'tsconfig.json', JSON.stringify({ compilerOptions: { module: 'NodeNext', allowImportingTsExtensions: true, noEmit: true } }));
  cpSync(join(ROOT, '.dependency-cruiser.cjs'), join(root, '.dependency-cruiser.cjs'));
}

/** Violations as `file rule`. */
function broken(root) {
  const cli = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const run = spawnSync(process.execPath, [cli, 'packages', 'examples', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.stdout.trim() === '') throw new Error(`dependency-cruiser printed nothing: ${run.stderr}`);
  return JSON.parse(run.stdout).summary.violations.map((violation) => `${violation.from} ${violation.rule.name}`);
}

const rules = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')).forbidden.map((rule) => rule.name);
const failures = rules.filter((rule) => !PLANTS.some(([name]) => name === rule)).map((rule) => `no plant for rule ${rule}`);
const root = mkdtempSync(join(tmpdir(), 'uemkit-deps-'));
try {
  workspace(root);
  mkdirSync(join(root, 'examples'), { recursive: true });
  for (const seen of broken(root)) failures.push(`the workspace without plants already breaks a rule: ${seen}`);
  const planted = PLANTS.map(([rule, folder, text, more = {}], index) => {
    const file = `${folder}/plant-${index}.ts`;
    for (const [path, content] of Object.entries({ [file]: text, ...more })) put(root, path, content);
    return { rule, text, files: [file, ...Object.keys(more)] };
  });
  const seen = new Set(broken(root));
  for (const { rule, text, files } of planted)
    if (!files.some((file) => seen.has(`${file} ${rule}`))) failures.push(`${rule}: not raised by "${text}" in ${files[0]}`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
for (const failure of failures) console.error(failure);
console.log(`${PLANTS.length - failures.length} of ${PLANTS.length} planted imports found`);
process.exitCode = failures.length === 0 ? 0 : 1;
