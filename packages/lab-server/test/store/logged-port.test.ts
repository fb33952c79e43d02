import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCommitLog, type Writes } from '../../src/store/commit-log.ts';
import { createGroupCommit } from '../../src/store/group-commit.ts';
import type { LabStore } from '../../src/store/lab-store.ts';
import { createLoggedPort, type LogLimits, type OrderedStore } from '../../src/store/logged-port.ts';
import { OverlayView } from '../../src/store/overlay-view.ts';
import { FaultyFiles } from '../support/faulty-files.ts';

/** An ordered store in memory, which outlives who uses it. */
class Ordered implements OrderedStore {
  readonly view = new OverlayView({ get: () => undefined, range: () => [] });
  through = 0;
  steps = 0;
  fault = false;
  /** Called after each step. */
  afterStep: () => void = () => {};

  async write(writes: Writes, through?: number): Promise<void> {
    await Promise.resolve();
    if (this.fault) throw new Error('ENOSPC');
    for (const [key, value] of writes) this.view.set(key, value === null ? null : value.slice());
    this.through = through ?? this.through;
    this.steps += 1;
    this.afterStep();
  }

  async close(): Promise<void> {}

  copy(): Ordered {
    const copy = new Ordered();
    for (const [key, value] of this.view.writes) copy.view.set(key, value);
    copy.through = this.through;
    return copy;
  }
}

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-logged-'));
  folders.push(folder);
  return folder;
};
let directory: string;
let ordered: Ordered;
let files: FaultyFiles;

beforeEach(() => {
  directory = newFolder();
  ordered = new Ordered();
  files = new FaultyFiles();
});
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const start = (limits: Partial<LogLimits>, at = directory, store = ordered): LabStore => {
  const opened = openCommitLog({ directory: at, through: store.through, files });
  return createGroupCommit(createLoggedPort({ ...opened, store, limits }));
};
const keyOf = (n: number): string => `k/${String(n).padStart(2, '0')}`;
const put = (store: LabStore, n: number): Promise<void> =>
  store.transaction((tx) => {
    tx.put(keyOf(n), Uint8Array.of(n));
    tx.put('last', Uint8Array.of(n));
    if (n > 3) tx.delete(keyOf(n - 3));
  });
const contentOf = (store: LabStore): unknown => store.read((view) => view.range({ prefix: '', limit: 100 }).map(({ key, value }) => [key, value[0]]));
const after = (n: number): unknown => [
  ...Array.from({ length: Math.min(n, 3) }, (_, index) => n - Math.min(n, 3) + 1 + index).map((k) => [keyOf(k), k]),
  ['last', n],
];
const NEVER = { carryBytes: 1e9 };
const OFTEN = { carryBytes: 1, stepWrites: 2 };

describe('a store with a log before it', () => {
  it('reads what is in the log only, and finds it again after a crash', async () => {
    const store = start(NEVER);
    for (let n = 1; n <= 7; n++) await put(store, n);
    expect(contentOf(store)).toEqual(after(7));
    expect(ordered.steps).toBe(0);
    expect(contentOf(start(NEVER))).toEqual(after(7));
    await store.close();
  });

  it('has everything in the ordered store and no log when it was closed', async () => {
    const store = start(NEVER);
    for (let n = 1; n <= 5; n++) await put(store, n);
    await store.close();
    expect(ordered.through).toBe(5);
    expect(openCommitLog({ directory, through: 5, files }).commits).toEqual([]);
    expect([ordered.view.get('last'), ordered.view.get(keyOf(1))]).toEqual([Uint8Array.of(5), undefined]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('has what was kept, and nothing else, whenever it crashes while the log is carried over', async () => {
    const crashes: { readonly folder: string; readonly store: Ordered; readonly kept: number }[] = [];
    let kept = 0;
    ordered.afterStep = () => {
      const folder = newFolder();
      cpSync(directory, folder, { recursive: true });
      crashes.push({ folder, store: ordered.copy(), kept });
    };
    const store = start(OFTEN);
    for (let n = 1; n <= 12; n++) {
      await put(store, n);
      kept = n;
      expect(contentOf(store)).toEqual(after(n));
    }
    await store.close();
    expect(crashes.length).toBeGreaterThan(12);
    for (const crash of crashes) {
      const again = start(NEVER, crash.folder, crash.store);
      const found = again.read((view) => view.get('last'))?.[0] ?? 0;
      // The one that was on its way may be there or not.
      expect([crash.kept, crash.kept + 1]).toContain(found);
      if (found > 0) expect(contentOf(again)).toEqual(after(found));
      await again.close();
      expect(crash.store.through).toBe(found);
    }
  });

  it('goes on while the ordered store cannot be written, and carries over later', async () => {
    const store = start(OFTEN);
    ordered.fault = true;
    for (let n = 1; n <= 5; n++) await put(store, n);
    expect(contentOf(store)).toEqual(after(5));
    expect(contentOf(start(NEVER))).toEqual(after(5));
    ordered.fault = false;
    for (let n = 6; n <= 8; n++) await put(store, n);
    await store.close();
    expect(ordered.through).toBe(8);
    expect(contentOf(start(NEVER))).toEqual(after(8));
  });

  it('refuses commits when the log has no room, and takes them again when it has', async () => {
    const store = start({ carryBytes: 1, mostBytes: 200 });
    ordered.fault = true;
    const outcomes: string[] = [];
    for (let n = 1; n <= 20; n++) {
      outcomes.push(
        await put(store, n).then(
          () => 'kept',
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(new Set(outcomes)).toEqual(new Set(['kept', 'ERR_STORE_WRITE']));
    const kept = outcomes.indexOf('ERR_STORE_WRITE');
    expect(outcomes.lastIndexOf('kept')).toBe(kept - 1);
    expect(contentOf(store)).toEqual(after(kept));
    ordered.fault = false;
    await put(store, kept + 1);
    expect(contentOf(store)).toEqual(after(kept + 1));
    await store.close();
  });

  it('is closed also when the ordered store cannot be written: the log has everything', async () => {
    const store = start(NEVER);
    await put(store, 1);
    ordered.fault = true;
    await store.close();
    ordered.fault = false;
    expect(contentOf(start(NEVER))).toEqual(after(1));
  });

  it('refuses what the log cannot take, and does not show it', async () => {
    const store = start(NEVER);
    await put(store, 1);
    files.write = 'all';
    await expect(put(store, 2)).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
    expect(contentOf(store)).toEqual(after(1));
    files.write = undefined;
    expect(contentOf(start(NEVER))).toEqual(after(1));
    await store.close();
  });

  it('holds in memory only what the ordered store does not have', async () => {
    const store = start(OFTEN);
    await put(store, 1);
    await expect.poll(() => ordered.through).toBe(1);
    await put(store, 2);
    await expect.poll(() => ordered.through).toBe(2);
    await expect.poll(() => readdirSync(directory).length).toBe(0);
    ordered.view.set(keyOf(1), Uint8Array.of(99));
    expect(store.read((view) => view.get(keyOf(1)))).toEqual(Uint8Array.of(99));
    await store.close();
  });

  it('does not carry old commits over again when their file could not be deleted', async () => {
    files.remove = true;
    const store = start(OFTEN);
    for (let n = 1; n <= 4; n++) await put(store, n);
    await store.close();
    expect(readdirSync(directory).length).toBeGreaterThan(0);
    expect(openCommitLog({ directory, through: ordered.through, files }).commits).toEqual([]);
  });
});
