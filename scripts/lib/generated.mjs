import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** Top folder of the workspace. */
export const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Writes a generated file, or with `--check` compares it with the committed one and fails with the command that mends it.
 * `command` is what a person types to write it again.
 */
export function generated(path, text, command) {
  const name = relative(ROOT, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`wrote ${name}`);
    return;
  }
  const committed = read(path);
  if (committed === text) {
    console.log(`${name} is up to date`);
    return;
  }
  console.error(committed === undefined ? `${name} is missing` : `${name} differs from its source, first at line ${firstDifference(committed, text)}`);
  console.error(`write it again with: ${command}`);
  process.exitCode = 1;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function firstDifference(before, after) {
  const left = before.split('\n');
  const right = after.split('\n');
  const line = left.findIndex((text, index) => text !== right[index]);
  return line === -1 ? left.length : line + 1;
}

/** A Markdown table; a pipe inside a cell is escaped. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
