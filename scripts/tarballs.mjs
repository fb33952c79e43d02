/** Builds and packs every package into a folder, from where a project of your own installs them: `pnpm tarballs ../my-project/vendor`. */
import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pack, packageNames } from './lib/pack.mjs';
import { pnpm, run } from './lib/run.mjs';

const [target, ...rest] = process.argv.slice(2);
if (target === undefined || target.startsWith('-') || rest.length > 0) {
  console.error('tarballs FOLDER   builds every package and packs it into FOLDER, for npm install FOLDER/*.tgz in a project of yours');
  process.exit(target === '--help' ? 0 : 2);
}
// npm scripts run in the root of the workspace; the folder is meant from where the user stands.
const folder = resolve(process.env.INIT_CWD ?? process.cwd(), target);
mkdirSync(folder, { recursive: true });

async function must(what, work) {
  console.log(what);
  const { code, output } = await work;
  if (code === 0) return;
  console.error(output);
  process.exit(1);
}

// One line for each package: on a busy machine a build takes minutes, and silence looks like a hang.
const built = (line) => {
  const [, name] = /^packages\/(\S+) build: Done/.exec(line) ?? [];
  if (name !== undefined) console.log(`  ${name} built`);
};
await must(`building ${packageNames().length} packages (a minute or two, more on a busy machine) …`, run([...pnpm(), 'run', 'build'], { line: built }));
for (const name of packageNames()) await must(`packing ${name} …`, pack(name, folder));
console.log(`\n${readdirSync(folder).filter((file) => file.endsWith('.tgz')).length} tarballs in ${folder}; in your project:\n`);
console.log(`  npm install ${folder}/*.tgz`);
