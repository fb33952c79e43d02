import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';

/** An empty file system of a few megabytes: `.ci/run` mounts a tmpfs and names it. The store faults of the other tests need none. */
const DISK = process.env.UEMKIT_TMPFS;

describe.skipIf(DISK === undefined)('lmdb store on a full disk (UEMKIT_TMPFS)', () => {
  it('reports what it cannot write, keeps what it has, and goes on when there is room again', async () => {
    const directory = mkdtempSync(join(DISK as string, 'state-'));
    const ballast = join(DISK as string, 'ballast');
    try {
      const store = openLmdbStore({ directory });
      await store.transaction((tx) => tx.put('first', Uint8Array.of(1)));
      writeFileSync(ballast, new Uint8Array(500_000));
      let failed: unknown;
      for (let n = 0; n < 2_000 && failed === undefined; n++) {
        failed = await store.transaction((tx) => tx.put(`k/${n}`, new Uint8Array(50_000))).catch((error: unknown) => error);
      }
      expect(failed).toMatchObject({ code: 'ERR_STORE_WRITE' });
      expect(store.read((view) => view.get('first'))).toEqual(Uint8Array.of(1));
      rmSync(ballast, { force: true });
      await store.transaction((tx) => tx.put('later', Uint8Array.of(2)));
      await store.close();
      const again = openLmdbStore({ directory });
      expect(again.read((view) => [view.get('first'), view.get('later')])).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
      await again.close();
    } finally {
      rmSync(ballast, { force: true });
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
