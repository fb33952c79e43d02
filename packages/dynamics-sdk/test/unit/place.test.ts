import { utf8 } from '@uemkit/protocol';
import { describe, expect, it } from 'vitest';
import { ContainerKeys } from '../../src/container/keys.ts';
import { VERSIONS_OF_A_KEY } from '../../src/container/limits.ts';
import { openNamed, sealRecord } from '../../src/container/record.ts';
import { versionOf } from '../../src/container/sealed-row.ts';
import { collect, createContainer, crypto, OPEN_FAILED, openContainer, type TestDevice, testDevice } from '../support/device.ts';

/** The rows of values, by name: what a thief of the storage could find out by watching one write. */
async function written(device: TestDevice, work: () => Promise<unknown>, space: 'v' | 'f' | 'c' = 'v'): Promise<string> {
  device.storage.commits.splice(0);
  await work();
  const row = device.storage.commits.flat().find((key) => key.startsWith(space));
  if (row === undefined) throw new Error('nothing was written');
  return row;
}

/** A device with values a and b, and the storage as somebody changes it while the container is closed. */
async function changed(
  change: (rows: Map<string, Uint8Array>, at: { readonly a: string; readonly b: string; readonly aBefore: Uint8Array }) => void,
): Promise<TestDevice> {
  const device = testDevice();
  const container = await createContainer(device.vault);
  const { rows } = device.storage;
  const a = await written(device, () => container.values.put('a', utf8('first a')));
  const b = await written(device, () => container.values.put('b', utf8('only b.')));
  const aBefore = rows.get(a) as Uint8Array;
  await container.values.put('a', utf8('later a'));
  await container.close();
  change(rows, { a, b, aBefore });
  return device.restart();
}

const mustFail = async (device: TestDevice, name = 'a'): Promise<void> => {
  const { values } = await openContainer(device.vault);
  await expect(values.get(name)).rejects.toMatchObject(OPEN_FAILED);
  await expect(values.put(name, utf8('new'))).rejects.toMatchObject(OPEN_FAILED);
  await expect(collect(values.names())).rejects.toMatchObject(OPEN_FAILED);
};

const row = (rows: ReadonlyMap<string, Uint8Array>, key: string): Uint8Array => rows.get(key) as Uint8Array;

describe('a storage that was changed while the container was closed', () => {
  it('opens when nothing was', async () => {
    const { values } = await openContainer((await changed(() => {})).vault);
    expect(await values.get('a')).toEqual(utf8('later a'));
  });

  it('is found when a record is older', async () => {
    await mustFail(await changed((rows, { a, aBefore }) => rows.set(a, aBefore)));
  });

  it('is found when a record is missing', async () => {
    await mustFail(await changed((rows, { a }) => rows.delete(a)));
  });

  it('is found when a deleted record is back', async () => {
    const device = testDevice();
    const container = await createContainer(device.vault);
    const a = await written(device, () => container.values.put('a', utf8('deleted')));
    const before = row(device.storage.rows, a);
    await container.values.delete('a');
    await container.close();
    device.storage.rows.set(a, before);
    await mustFail(device.restart());
  });

  it('is found when two records are swapped', async () => {
    const swap = (rows: Map<string, Uint8Array>, { a, b }: { readonly a: string; readonly b: string }): void => {
      const [first, second] = [row(rows, a), row(rows, b)];
      rows.set(a, second).set(b, first);
    };
    await mustFail(await changed(swap));
    await mustFail(await changed(swap), 'b');
  });

  it('is found when the ledger alone is older, or missing', async () => {
    let ledger = new Uint8Array(0) as Uint8Array;
    const device = testDevice();
    const container = await createContainer(device.vault);
    await container.values.put('a', utf8('one'));
    ledger = row(device.storage.rows, 'l');
    await container.values.put('a', utf8('two'));
    await container.close();
    device.storage.rows.set('l', ledger);
    await mustFail(device.restart());
    device.storage.rows.delete('l');
    await expect(device.restart().vault.open('correct horse 7')).rejects.toMatchObject(OPEN_FAILED);
  });

  it('is found when any byte of a record or of the ledger is another', async () => {
    for (const which of ['a', 'l'] as const) {
      for (const at of [0, 4, 8, 9, 20, 21, 30, -1]) {
        const device = await changed((rows, places) => {
          const key = which === 'a' ? places.a : 'l';
          const bytes = row(rows, key).slice();
          const index = at < 0 ? bytes.length + at : at;
          bytes[index] = (bytes[index] as number) ^ 1;
          rows.set(key, bytes);
        });
        const outcome = openContainer(device.vault).then(({ values }) => values.get('a'));
        await expect(outcome, `${which} ${at}`).rejects.toMatchObject(OPEN_FAILED);
      }
    }
  });

  it('is found when a record or the ledger is cut', async () => {
    for (const length of [0, 1, 9, 36, 37, 40]) {
      const cut = (key: 'a' | 'l') =>
        changed((rows, places) => rows.set(key === 'a' ? places.a : 'l', row(rows, key === 'a' ? places.a : 'l').subarray(0, length)));
      const { values } = await openContainer((await cut('a')).vault);
      await expect(values.get('a')).rejects.toMatchObject(OPEN_FAILED);
      await expect(collect(values.names())).rejects.toMatchObject(OPEN_FAILED);
      await expect((await cut('l')).vault.open('correct horse 7')).rejects.toMatchObject(OPEN_FAILED);
    }
  });

  it('is found when it took only a part of a commit', async () => {
    const device = testDevice();
    const container = await createContainer(device.vault);
    await container.values.put('a', utf8('one'));
    device.storage.tearNext(1);
    await container.values.put('a', utf8('two'));
    await container.close();
    await mustFail(device.restart());
  });
});

describe('a record', () => {
  it('is bound to row, version and name', () => {
    const keys = new ContainerKeys(crypto, new Uint8Array(32).fill(1) as never);
    const [a, b] = [keys.rowOf('v', 'a'), keys.rowOf('v', 'b')];
    const sealed = sealRecord(keys, new Uint8Array(12), a, 7, { name: 'a', content: utf8('one') });
    expect(openNamed(keys, a, 'a', sealed)).toEqual(utf8('one'));
    const otherVersion = sealed.slice();
    otherVersion[8] = 8;
    for (const refused of [
      () => openNamed(keys, b, 'a', sealed),
      () => openNamed(keys, `f${a.slice(1)}`, 'a', sealed),
      () => openNamed(keys, a, 'a', otherVersion),
      () => openNamed(keys, a, 'b', sealed),
      () => openNamed(keys, a, 'a', sealed.subarray(0, 36)),
    ])
      expect(refused).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  it('has another key after 2^24 versions, and after any number of others its own again', () => {
    const gcms: string[] = [];
    const counting = {
      ...crypto,
      gcm(key: Uint8Array) {
        gcms.push(Buffer.from(key).toString('hex'));
        return crypto.gcm(key);
      },
    };
    const keys = new ContainerKeys(counting, new Uint8Array(32).fill(1) as never);
    const row = keys.rowOf('v', 'a');
    const sealed = [0, VERSIONS_OF_A_KEY - 1, VERSIONS_OF_A_KEY, 2 ** 40].map((version) =>
      sealRecord(keys, new Uint8Array(12), row, version, { name: 'a', content: utf8(`${version}`) }),
    );
    expect([gcms.length, new Set(gcms).size]).toEqual([3, 3]);
    for (const value of sealed) expect(openNamed(keys, row, 'a', value)).toEqual(utf8(`${versionOf(value)}`));
  });

  it('is sealed otherwise each time, for the same name and value, and under no nonce twice', async () => {
    const device = testDevice();
    const { values } = await createContainer(device.vault);
    const seen = new Set<string>();
    for (let n = 0; n < 50; n++) {
      const at = await written(device, () => values.put('a', utf8('same')));
      seen.add(Buffer.from(row(device.storage.rows, at).subarray(9, 21)).toString('hex'));
    }
    expect(seen.size).toBe(50);
  });

  it('has another row in another container', async () => {
    const rowsOfA = await Promise.all(
      [testDevice(), testDevice()].map(async (device) => {
        const { values } = await createContainer(device.vault);
        return written(device, () => values.put('a', utf8('same')));
      }),
    );
    expect(rowsOfA[0]).not.toBe(rowsOfA[1]);
  });
});
