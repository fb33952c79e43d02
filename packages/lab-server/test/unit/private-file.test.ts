import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePrivateFile } from '../../src/data/private-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'private-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE = new URL('../../src/data/private-file.ts', import.meta.url).pathname;

describe('a private file', () => {
  it('is for its owner only', () => {
    const path = join(folder, 'new', 'file');
    writePrivateFile(path, 'content');
    expect(readFileSync(path, 'utf8')).toBe('content');
    expect([statSync(path).mode & 0o077, statSync(join(folder, 'new')).mode & 0o077]).toEqual([0, 0]);
  });

  it('keeps its old content when there is no room for all of the new one', async () => {
    const path = join(folder, 'file');
    writePrivateFile(path, 'old');
    // A limit on the size of files does what a full disk does: a part is written, and the next write fails.
    const program = `
      import { writePrivateFile } from ${JSON.stringify(SOURCE)};
      try { writePrivateFile(${JSON.stringify(path)}, 'n'.repeat(3_000_000)); console.log('written'); } catch (error) { console.log(error.code); }`;
    const run = 'ulimit -f 1024; exec "$0" --conditions=@uemkit/source --import tsx --input-type=module -e "$1"';
    const output = await new Promise<string>((resolve, reject) => {
      execFile('bash', ['-c', run, process.execPath, program], (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
    });
    expect(output.trim()).toBe('ERR_STORE_WRITE');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
