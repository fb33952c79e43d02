import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createUemRole } from '../../src/roles/uem/uem-role.ts';
import { putDevice } from '../../src/state/devices.ts';
import type { LabStore, ReadView } from '../../src/store/lab-store.ts';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';
import { TestDevice } from '../support/test-device.ts';
import { crypto, frameIn, NOW_MS, UemBench } from '../support/uem-bench.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The bench on another store, with everything that the memory store holds. */
async function moveTo(uem: UemBench, store: LabStore): Promise<void> {
  const entries = uem.store.read((view) => view.range({ prefix: '', limit: 10_000 }));
  await store.transaction((tx) => {
    for (const { key, value } of entries) tx.put(key, value);
  });
  use(uem, store);
}

function use(uem: UemBench, store: LabStore): void {
  const { clock, entropy, journal, authority } = uem;
  uem.role = createUemRole({
    ...{ clock, crypto, entropy, store, journal, authority },
    addresses: { device: 'localhost:1' },
    guard: { roleOf: () => 'noc', tenantOf: () => ({ refused: 'nobody' }), proxyOf: () => ({ refused: 'nobody' }) },
    noc: { tell: () => {}, flush: async () => {} },
  });
}

it('activates and manages on the durable store, and goes on where it was after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'uemkit-uem-'));
  folders.push(directory);
  const uem = await UemBench.start();
  await uem.addUser();
  const secret = await uem.addQr();
  const first = openLmdbStore({ directory });
  await moveTo(uem, first);
  const device = new TestDevice(uem);
  expect(await device.activate(secret, { onSend: (name) => name !== 'activationDone' })).toBe('lost');
  await first.close();

  const second = openLmdbStore({ directory });
  use(uem, second);
  expect(frameIn(await device.done()).name).toBe('acknowledgement');
  expect(frameIn(await device.poll()).name).toBe('idle');
  await second.close();
});

it('reads as much for a poll among two thousand devices as among one', async () => {
  const uem = await UemBench.start();
  await uem.addUser();
  const device = new TestDevice(uem);
  await device.activate(await uem.addQr());
  let reads = 0;
  const counting = (view: ReadView): ReadView => ({
    get(key) {
      reads++;
      return view.get(key);
    },
    range(query) {
      const entries = view.range(query);
      reads += 1 + entries.length;
      return entries;
    },
  });
  const { store } = uem;
  use(uem, { read: (fn) => store.read((view) => fn(counting(view))), transaction: (fn) => store.transaction(fn), close: () => store.close() });
  const readsOfPoll = async (): Promise<number> => {
    reads = 0;
    expect(frameIn(await device.poll()).name).toBe('idle');
    return reads;
  };
  const alone = await readsOfPoll();
  await store.transaction((tx) => {
    for (let n = 0; n < 2_000; n++) {
      putDevice(tx, {
        deviceId: `device-${n}`,
        userGuid: `user-${n % 7}`,
        userId: 'u',
        info: { platform: 'ios', osVersion: '1', model: 'm', clientVersion: '1' },
        status: 'active',
        keyId: `key-${n}`,
        serials: [],
        activationType: 't',
        profileId: 'default',
        pollIntervalS: 1,
        pollJitterS: 0,
        createdAtMs: NOW_MS,
      });
    }
  });
  expect(await readsOfPoll()).toBe(alone);
  expect(alone).toBeLessThan(6);
});
