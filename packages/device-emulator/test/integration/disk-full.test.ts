import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLabServer } from '@uemkit/lab-server';
import { isProtocolError, type Store } from '@uemkit/protocol';
import { fileStore } from '@uemkit/uem-client/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FleetStore } from '../../src/fleet/fleet-store.ts';

/** A small file system of its own that may be filled up, for example a tmpfs of four megabytes. CI mounts one; without it there is nothing to fill. */
const DISK = process.env['UEMKIT_TMPFS'];
const RECORD_BYTES = 512;

/** Fills the disk to the last byte; the file is the ballast that makes room again when it is removed. */
function fill(folder: string): string {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(Number(bavail) * Number(bsize)));
  return ballast;
}

/** Commits record after record until one is refused; returns how many were acknowledged and why it ended. */
async function commitUntilRefused(store: Store, most: number): Promise<{ readonly acknowledged: number; readonly error: unknown }> {
  for (let index = 0; index < most; index++) {
    try {
      await store.commit([{ key: `record/${index}`, value: new Uint8Array(RECORD_BYTES).fill(index) }]);
    } catch (error) {
      return { acknowledged: index, error };
    }
  }
  return { acknowledged: most, error: undefined };
}

describe.skipIf(DISK === undefined)('a full disk', () => {
  let home = '';
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => {
    unhandled.push(reason);
  };
  beforeEach(() => {
    home = mkdtempSync(join(DISK as string, 'full-'));
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
    rmSync(home, { recursive: true, force: true });
  });

  test.each([
    ['the store of a device in a file', () => ({ open: () => fileStore(join(home, 'device.json')), close: async () => undefined })],
    [
      'the store of a fleet',
      () => {
        let fleet: FleetStore | undefined;
        return {
          open: () => {
            fleet = new FleetStore(join(home, 'fleet'));
            return fleet.device(0);
          },
          close: async () => fleet?.close(),
        };
      },
    ],
  ])('refuses with ERR_STORE_WRITE and keeps every acknowledged write: %s', async (_name, subject) => {
    const first = subject();
    const store = first.open();
    await store.commit([{ key: 'before', value: Uint8Array.of(7) }]);
    const ballast = fill(home);
    const { acknowledged, error } = await commitUntilRefused(store, 20_000);
    expect(isProtocolError(error) ? error.code : error).toBe('ERR_STORE_WRITE');

    const together = Array.from({ length: 20 }, (_, index) => store.commit([{ key: `together/${index}`, value: new Uint8Array(4_096) }]));
    for (const result of await Promise.allSettled(together)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_WRITE' } });
    }

    rmSync(ballast);
    await store.commit([{ key: 'after', value: Uint8Array.of(9) }]);
    await first.close();

    const second = subject();
    const reopened = second.open();
    expect(await reopened.get('before')).toEqual(Uint8Array.of(7));
    expect(await reopened.get('after')).toEqual(Uint8Array.of(9));
    for (let index = 0; index < acknowledged; index++) expect(await reopened.get(`record/${index}`)).toEqual(new Uint8Array(RECORD_BYTES).fill(index));
    expect(await reopened.get(`record/${acknowledged}`)).toBeUndefined();
    await second.close();
    expect(unhandled).toEqual([]);
  });

  test('lets the lab server refuse users without losing one that it has confirmed', async () => {
    const folder = join(home, 'lab');
    mkdirSync(folder);
    const lab = await startLabServer({ folder });
    const confirmed: string[] = [];
    const ballast = fill(home);
    let refusal: unknown;
    while (refusal === undefined && confirmed.length < 5_000) {
      const username = `user-${confirmed.length}`;
      try {
        await lab.admin.createUser({ username });
        confirmed.push(username);
      } catch (error) {
        refusal = error;
      }
    }
    expect(isProtocolError(refusal) ? refusal.code : refusal).toBe('ERR_STORE_WRITE');

    rmSync(ballast);
    await lab.admin.createUser({ username: 'after' });
    await lab.close();
    expect(existsSync(join(folder, 'connection.json'))).toBe(true);

    const again = await startLabServer({ folder });
    const known = new Set(Array.from(again.admin.users(), (user) => user.username));
    expect([...confirmed, 'after'].filter((username) => !known.has(username))).toEqual([]);
    expect(known.size).toBe(confirmed.length + 1);
    await again.close();
    expect(unhandled).toEqual([]);
  });
});
