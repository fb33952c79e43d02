/**
 * Packs every package as it would be published and looks at the result as its users do:
 * publint and are-the-types-wrong on the tarball, no trace of the workspace in its manifest, and each entry imported from a fresh folder
 * where the tarballs are installed by npm. There the tests of `examples/own-project` run, too, as a reader of the READMEs would copy them. Needs a build first.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './lib/generated.mjs';
import { pack, packageNames } from './lib/pack.mjs';
import { run, tool } from './lib/run.mjs';

const failures = [];

async function must(what, command, options) {
  const { code, output } = await run(command, options);
  if (code !== 0) failures.push(`${what} (exit code ${code})\n${output}`);
  return { code, output };
}

/** Packs one package; the manifest in the tarball has `publishConfig.exports` in place, which leaves out the source condition. */
async function packed(name, target) {
  const folder = join(target, name);
  mkdirSync(folder);
  const { code, output } = await pack(name, folder);
  if (code !== 0) failures.push(`pack ${name} (exit code ${code})\n${output}`);
  const file = readdirSync(folder).find((entry) => entry.endsWith('.tgz'));
  if (file === undefined) throw new Error(`pnpm pack made no tarball of ${name}\n${failures.join('\n')}`);
  const tarball = join(folder, file);
  await must(`unpack ${name}`, ['tar', '-xzf', tarball, '-C', folder]);
  const manifest = readFileSync(join(folder, 'package/package.json'), 'utf8');
  for (const trace of ['@uemkit/source', 'workspace:', './src/']) if (manifest.includes(trace)) failures.push(`${name}: the published manifest names ${trace}`);
  return { name, tarball, manifest: JSON.parse(manifest) };
}

const target = mkdtempSync(join(tmpdir(), 'uemkit-pack-'));
try {
  const packages = [];
  for (const name of packageNames()) packages.push(await packed(name, target));
  for (const { name, tarball } of packages) {
    await must(`publint ${name}`, [tool('publint'), tarball, '--strict']);
    await must(`are the types wrong: ${name}`, [tool('attw'), tarball, '--profile', 'esm-only']);
  }

  const user = join(target, 'user');
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  await must('install the tarballs with npm', ['npm', 'install', '--no-audit', '--no-fund', '--loglevel', 'error', ...packages.map(({ tarball }) => tarball)], {
    cwd: user,
  });
  const entries = packages.flatMap(({ manifest }) => Object.keys(manifest.exports).map((entry) => `${manifest.name}${entry.slice(1)}`));
  const imports = entries.map((entry) => (entry.endsWith('.json') ? `await import('${entry}', { with: { type: 'json' } });` : `await import('${entry}');`));
  writeFileSync(join(user, 'all.mjs'), imports.join('\n'));
  await must('import every entry', [process.execPath, '--disable-warning=ExperimentalWarning', 'all.mjs'], { cwd: user });
  for (const { manifest } of packages) {
    for (const command of Object.keys(manifest.bin ?? {})) await must(`${command} --help`, [join(user, 'node_modules/.bin', command), '--help'], { cwd: user });
  }
  for (const example of [
    'lock.test.mjs',
    'container.test.mjs',
    'authorize.test.mjs',
    'connections.test.mjs',
    'siblings.test.mjs',
    'updates.test.mjs',
    'services.test.mjs',
    'phone.test.mjs',
  ]) {
    copyFileSync(join(ROOT, 'examples/own-project', example), join(user, example));
    await must(`${example} in a project of its own`, [process.execPath, '--test', example], { cwd: user });
  }
  console.log(
    `${packages.length} packages, ${entries.length} entries, ${packages.reduce((sum, { manifest }) => sum + Object.keys(manifest.bin ?? {}).length, 0)} commands`,
  );
} finally {
  rmSync(target, { recursive: true, force: true });
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
