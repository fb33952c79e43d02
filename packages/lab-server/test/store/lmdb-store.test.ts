import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/store/commit-frame.ts';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';

const folders: string[] = [];
const folder = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'uemkit-lmdb-'));
  folders.push(directory);
  return directory;
};

afterEach(() => {
  for (const directory of folders.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const source = (path: string): string => new URL(`../../src/${path}`, import.meta.url).pathname;

describe('lmdb store', () => {
  it('finds everything again after it was closed', async () => {
    const directory = join(folder(), 'new', 'state');
    const first = openLmdbStore({ directory });
    await Promise.all(Array.from({ length: 500 }, (_, index) => first.transaction((tx) => tx.put(`k/${index}`, Uint8Array.of(index & 255)))));
    await first.close();
    const second = openLmdbStore({ directory });
    expect(second.read((view) => view.range({ prefix: 'k/', limit: 1_000 })).length).toBe(500);
    await second.close();
    expect(statSync(directory).mode & 0o077).toBe(0);
  });

  it('is for its owner only, also in a folder that others may look into', async () => {
    const directory = folder();
    chmodSync(directory, 0o755);
    const store = openLmdbStore({ directory });
    await store.transaction((tx) => tx.put('k', Uint8Array.of(1)));
    await store.close();
    const files = readdirSync(directory);
    expect(files).toContain('data.mdb');
    for (const name of files) expect([name, statSync(join(directory, name)).mode & 0o077]).toEqual([name, 0]);
  });

  it('keeps every transaction that was reported, when the process is killed', async () => {
    const directory = folder();
    const program = `
      import { openLmdbStore } from ${JSON.stringify(source('store/lmdb-store.ts'))};
      const store = openLmdbStore({ directory: ${JSON.stringify(directory)} });
      for (let n = 0; ; n++) {
        await store.transaction((tx) => { tx.put('n/' + n, Uint8Array.of(1)); tx.put('twin/' + n, Uint8Array.of(1)); });
        process.stdout.write(n + '\\n');
      }`;
    const child = spawn(process.execPath, ['--conditions=@uemkit/source', '--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const ended = new Promise((resolve) => child.on('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      child.on('exit', (code) => reject(new Error(`ended with ${code}`)));
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.split('\n').length > 50) resolve();
      });
    });
    child.kill('SIGKILL');
    await ended;
    const reported = output.split('\n').filter((line) => line !== '').length;
    const store = openLmdbStore({ directory });
    const [kept, twins] = store.read((view) => [view.range({ prefix: 'n/', limit: 10_000 }).length, view.range({ prefix: 'twin/', limit: 10_000 }).length]);
    expect(kept).toBeGreaterThanOrEqual(reported);
    expect(twins).toBe(kept);
    await store.close();
  });

  it('does not take what it has carried over from a log that is still there', async () => {
    const directory = folder();
    const first = openLmdbStore({ directory });
    await first.transaction((tx) => tx.put('k', Uint8Array.of(1)));
    const [name] = readdirSync(directory).filter((file) => file.startsWith('commits-')) as [string];
    const log = readFileSync(join(directory, name));
    await first.transaction((tx) => tx.put('k', Uint8Array.of(2)));
    await first.close();
    expect(existsSync(join(directory, name))).toBe(false);
    writeFileSync(join(directory, name), log, { mode: 0o600 });
    const second = openLmdbStore({ directory });
    expect(second.read((view) => view.get('k'))).toEqual(Uint8Array.of(2));
    await second.close();
  });

  it('refuses a log in which a commit is missing, and lets go of the folder', async () => {
    const directory = folder();
    writeFileSync(join(directory, 'commits-0000000000000009.log'), encodeFrame(9, new Map([['k', Uint8Array.of(1)]])), { mode: 0o600 });
    expect(() => openLmdbStore({ directory })).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
    expect(existsSync(join(directory, 'owner.pid'))).toBe(false);
  });

  it('refuses a folder that another running process uses', () => {
    const directory = folder();
    writeFileSync(join(directory, 'owner.pid'), String(process.ppid));
    expect(() => openLmdbStore({ directory })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
  });

  it('takes over a folder of a process that is gone', async () => {
    const directory = folder();
    const gone = execFileSync(process.execPath, ['-p', 'process.pid']).toString().trim();
    writeFileSync(join(directory, 'owner.pid'), gone);
    const store = openLmdbStore({ directory });
    await store.close();
    expect(existsSync(join(directory, 'owner.pid'))).toBe(false);
  });

  it('says that the folder cannot be used when it is a file', () => {
    const directory = folder();
    writeFileSync(join(directory, 'file'), '');
    expect(() => openLmdbStore({ directory: join(directory, 'file') })).toThrow(expect.objectContaining({ code: 'ERR_STORE_WRITE' }));
    chmodSync(join(directory, 'file'), 0o600);
  });
});
