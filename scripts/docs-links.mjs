/** Every relative link of every Markdown file that is committed leads to a file. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './lib/generated.mjs';

const files = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
let links = 0;
const broken = [];
for (const file of files) {
  for (const [, target] of readFileSync(join(ROOT, file), 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    links += 1;
    if (!existsSync(join(ROOT, dirname(file), target))) broken.push(`${file}: ${target}`);
  }
}
for (const line of broken) console.error(`leads nowhere: ${line}`);
console.log(`${links} links in ${files.length} files`);
process.exitCode = broken.length === 0 && links > 0 ? 0 : 1;
