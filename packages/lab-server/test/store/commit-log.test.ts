import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenedLog, openCommitLog } from '../../src/store/commit-log.ts';
import { FaultyFiles } from '../support/faulty-files.ts';

let directory: string;
let files: FaultyFiles;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'uemkit-log-'));
  files = new FaultyFiles();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (through = 0): OpenedLog => openCommitLog({ directory, through, files });
const commit = (n: number, lengthBytes = 3): ReadonlyMap<string, Uint8Array> => new Map([[`k/${n}`, new Uint8Array(lengthBytes).fill(n)]]);
const found = (through?: number): readonly (readonly [number, readonly string[]])[] =>
  open(through).commits.map(({ sequence, writes }) => [sequence, [...writes.keys()]]);
const only = (): string => join(directory, readdirSync(directory).sort()[0] as string);

describe('log of commits', () => {
  it('gives the commits again that are not elsewhere, after a stop at any time', async () => {
    const { log, commits } = open();
    expect(commits).toEqual([]);
    for (const n of [1, 2, 3]) await log.append(commit(n));
    expect(found()).toEqual([
      [1, ['k/1']],
      [2, ['k/2']],
      [3, ['k/3']],
    ]);
    expect(found(2)).toEqual([[3, ['k/3']]]);
    expect(found(3)).toEqual([]);
    await log.close();
    const again = open();
    await again.log.append(commit(4));
    expect(again.log.last).toBe(4);
    expect(found().at(-1)).toEqual([4, ['k/4']]);
    await again.log.close();
  });

  it('leaves out a commit that was cut off at any byte: nobody was told of it', async () => {
    const { log } = open();
    await log.append(commit(1));
    const { lengthBytes } = log;
    await log.append(commit(2));
    const whole = readFileSync(only()).subarray(0, log.lengthBytes);
    await log.close();
    for (let end = lengthBytes; end < whole.length; end++) {
      writeFileSync(only(), whole.subarray(0, end));
      expect(found()).toEqual([[1, ['k/1']]]);
    }
    const again = open();
    await again.log.append(commit(3));
    expect(found()).toEqual([
      [1, ['k/1']],
      [2, ['k/3']],
    ]);
    await again.log.close();
  });

  it('is refused when a commit is damaged before others, in one file or in another', async () => {
    const { log } = open();
    await log.append(commit(1));
    const second = log.lengthBytes;
    await log.append(commit(2));
    await log.append(commit(3));
    const bytes = readFileSync(only());
    bytes[second + 20] = 0xff;
    writeFileSync(only(), bytes);
    const damaged = expect.objectContaining({ code: 'ERR_STORE_READ' });
    expect(() => open()).toThrow(damaged);
    truncateSync(only(), second);
    log.cut();
    await log.append(commit(4));
    expect(() => open()).toThrow(damaged);
    await log.close();
  });

  it.each(['nothing', 'half', 'all'] as const)('does not find what could not be written, of which %s was there', async (write) => {
    const { log } = open();
    await log.append(commit(1));
    files.write = write;
    await expect(log.append(commit(2))).rejects.toThrow('ENOSPC');
    expect(found()).toEqual([[1, ['k/1']]]);
    files.write = undefined;
    await log.append(commit(3));
    expect(found()).toEqual([
      [1, ['k/1']],
      [2, ['k/3']],
    ]);
    await log.close();
  });

  it('writes nothing behind what it could not take back, and not into another file either', async () => {
    const { log } = open();
    await log.append(commit(1));
    files.write = 'all';
    files.truncate = true;
    await expect(log.append(commit(2, 500))).rejects.toThrow('ENOSPC');
    files.write = undefined;
    await expect(log.append(commit(3))).rejects.toThrow('EIO');
    log.cut();
    files.truncate = false;
    await log.append(commit(4));
    expect(readdirSync(directory).length).toBe(1);
    expect(found()).toEqual([
      [1, ['k/1']],
      [2, ['k/4']],
    ]);
    files.write = 'all';
    files.truncate = true;
    await expect(log.append(commit(5))).rejects.toThrow('ENOSPC');
    files.truncate = false;
    await log.close();
    expect(found().length).toBe(2);
  });

  it('deletes files whose commits are all elsewhere, and never the one that it writes', async () => {
    const first = open().log;
    files.write = 'half';
    files.truncate = true;
    // A file with the beginning of its first commit, as a crash leaves it.
    await expect(first.append(commit(1))).rejects.toThrow();
    files.write = undefined;
    files.truncate = false;
    const { log } = open();
    await log.append(commit(1));
    await log.forget(0);
    expect(found()).toEqual([[1, ['k/1']]]);
    log.cut();
    await log.append(commit(2));
    files.remove = true;
    await expect(log.forget(1)).rejects.toThrow('EPERM');
    files.remove = false;
    expect(found(1)).toEqual([[2, ['k/2']]]);
    const again = open(1).log;
    await again.forget(1);
    expect(readdirSync(directory).length).toBe(1);
    await first.close();
    await log.close();
    await again.close();
  });

  it('is for its owner only, and grows in steps', async () => {
    const { log } = open();
    await log.append(commit(1));
    expect(statSync(only()).mode & 0o777).toBe(0o600);
    expect(statSync(only()).size).toBe(262_144);
    await log.append(commit(2, 300_000));
    expect(statSync(only()).size).toBe(524_288);
    await log.close();
  });
});
