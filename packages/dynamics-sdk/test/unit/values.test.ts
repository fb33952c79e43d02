import { utf8 } from '@uemkit/protocol';
import { storeCases } from '@uemkit/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { MAX_NAME_BYTES, MAX_VALUE_BYTES, MAX_WAITING_BYTES, MAX_WAITING_COMMITS } from '../../src/container/limits.ts';
import type { SecureContainer } from '../../src/index.ts';
import { collect, createContainer, openContainer, testDevice } from '../support/device.ts';

describe('the key-value store is a Store', () => {
  for (const { name, run } of storeCases) {
    it(name, async () => {
      let device = testDevice();
      let container: SecureContainer | undefined;
      const open = async () => {
        if (container === undefined) container = await createContainer(device.vault);
        else {
          await container.close();
          device = device.restart();
          container = await openContainer(device.vault);
        }
        return container.values;
      };
      await run({ open });
    });
  }
});

describe('the key-value store', () => {
  it('is a map, over restarts, whatever is done to it', async () => {
    const names = fc.constantFrom('a', 'b', 'c/d', 'ä', 'x'.repeat(300));
    const value = fc.uint8Array({ maxLength: 40 });
    const action = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), name: names, value }),
      fc.record({ kind: fc.constant('delete' as const), name: names }),
      fc.record({ kind: fc.constant('restart' as const) }),
      fc.record({ kind: fc.constant('fail' as const), name: names, value }),
      fc.record({ kind: fc.constant('batch' as const), writes: fc.array(fc.record({ key: names, value: fc.option(value) }), { maxLength: 6 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const model = new Map<string, Uint8Array>();
        let device = testDevice();
        let container = await createContainer(device.vault);
        for (const step of actions) {
          if (step.kind === 'put') await container.values.put(step.name, step.value).then(() => model.set(step.name, step.value));
          if (step.kind === 'delete') await container.values.delete(step.name).then(() => model.delete(step.name));
          if (step.kind === 'batch') {
            await container.values.commit(step.writes);
            for (const { key, value: put } of step.writes) put === null ? model.delete(key) : model.set(key, put);
          }
          if (step.kind === 'fail') {
            device.storage.failCommits(new Error('disk full'));
            await expect(container.values.put(step.name, step.value)).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
            device.storage.failCommits(undefined);
          }
          if (step.kind === 'restart') {
            device = device.restart();
            container = await openContainer(device.vault);
          }
          for (const name of ['a', 'b', 'c/d', 'ä', 'x'.repeat(300)]) expect(await container.values.get(name)).toEqual(model.get(name));
        }
        expect((await collect(container.values.names())).sort()).toEqual([...model.keys()].sort());
      }),
      { numRuns: sized(30, 400) },
    );
  });

  it('refuses names and values over their bounds, and takes those at them', async () => {
    const { values } = await createContainer(testDevice().vault);
    for (const name of ['', '\ud800', 'x'.repeat(MAX_NAME_BYTES + 1)]) {
      await expect(values.put(name, utf8('a'))).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
      await expect(values.get(name)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
    await expect(values.put('a', new Uint8Array(MAX_VALUE_BYTES + 1))).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    const name = 'x'.repeat(MAX_NAME_BYTES);
    await values.put(name, new Uint8Array(MAX_VALUE_BYTES));
    expect((await values.get(name))?.length).toBe(MAX_VALUE_BYTES);
  });

  it('writes puts that come at once in one commit, and each finds what those before it wrote', async () => {
    const { vault, storage } = testDevice();
    const { values } = await createContainer(vault);
    storage.commits.splice(0);
    await Promise.all(Array.from({ length: 100 }, (_, index) => values.put(`n${index % 10}`, Uint8Array.of(index))));
    expect(storage.commits.length).toBeLessThanOrEqual(2);
    expect(await values.get('n3')).toEqual(Uint8Array.of(93));
  });

  it('bounds what waits, by number and by bytes', async () => {
    const { vault } = testDevice();
    const { values } = await createContainer(vault);
    const many = Array.from({ length: MAX_WAITING_COMMITS + 1 }, () => values.put('a', Uint8Array.of(1)).catch((error: unknown) => error));
    expect((await Promise.all(many)).filter((error) => error !== undefined)).toMatchObject([{ code: 'ERR_REJECTED_BUSY' }]);
    const large = Array.from({ length: MAX_WAITING_BYTES / MAX_VALUE_BYTES + 1 }, () =>
      values.put('a', new Uint8Array(MAX_VALUE_BYTES)).catch((error: unknown) => error),
    );
    expect((await Promise.all(large)).filter((error) => error !== undefined)).toMatchObject([{ code: 'ERR_REJECTED_BUSY' }]);
    await values.put('a', Uint8Array.of(2));
  });

  it('does nothing any more once it is closed', async () => {
    const container = await createContainer(testDevice().vault);
    const waiting = container.values.put('a', Uint8Array.of(1));
    await container.close();
    await waiting.catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_USAGE_STATE' }));
    const closed = { code: 'ERR_USAGE_STATE' };
    await expect(container.values.get('a')).rejects.toMatchObject(closed);
    await expect(container.values.put('a', Uint8Array.of(1))).rejects.toMatchObject(closed);
    await expect(collect(container.values.names())).rejects.toMatchObject(closed);
    await expect(container.files.write('a', Uint8Array.of(1))).rejects.toMatchObject(closed);
    await expect(collect(container.files.read('a'))).rejects.toMatchObject(closed);
    await expect(container.limitTries({ ...(await import('../support/device.ts')).POLICY })).rejects.toMatchObject(closed);
  });
});
