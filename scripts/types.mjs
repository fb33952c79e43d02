// Checks the types of every project, as many at once as there are cores: `pnpm types`.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

// The longest first.
const projects = ['tsconfig.json', 'tsconfig.dom.json', ...readdirSync('packages').map((name) => `packages/${name}`)];

/** @param {string} project @returns {Promise<string | undefined>} what it found */
function check(project) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', project]);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        said += text;
      });
    child.once('close', (code) => resolve(code === 0 ? undefined : said || `tsc ended with ${code}`));
  });
}

const waiting = [...projects];
async function work() {
  for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) {
    const found = await check(project);
    if (found === undefined) continue;
    console.error(`${project}:\n${found}`);
    process.exitCode = 1;
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
