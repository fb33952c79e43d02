import { utf8 } from '@uemkit/protocol';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { Committer } from '../../src/container/committer.ts';
import { FileStore } from '../../src/container/files.ts';
import { ContainerKeys } from '../../src/container/keys.ts';
import { Ledger } from '../../src/container/ledger.ts';
import { CHUNK_BYTES, MAX_CHUNKS_DELETED_AT_ONCE, WRITE_WINDOW_CHUNKS } from '../../src/container/limits.ts';
import { collect, content, createContainer, crypto, OPEN_FAILED, openContainer, type TestDevice, testDevice } from '../support/device.ts';
import { memoryStorage } from '../support/memory-storage.ts';

/** More than one window, so that a write takes several commits. */
const LONG = (WRITE_WINDOW_CHUNKS + 3) * CHUNK_BYTES + 5;

function pattern(lengthBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let at = 0; at < lengthBytes; at++) bytes[at] = at * seed * 31 + (at >> 8);
  return bytes;
}

async function* inParts(bytes: Uint8Array, partBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.slice(at, at + partBytes);
}

const rowsOf = ({ storage }: TestDevice, prefix: string): string[] => [...storage.rows.keys()].filter((key) => key.startsWith(prefix)).sort();

describe('a file', () => {
  it.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, WRITE_WINDOW_CHUNKS * CHUNK_BYTES, LONG])(
    'of %d bytes is read as it was written, however it came',
    async (length) => {
      const device = testDevice();
      const { files } = await createContainer(device.vault);
      const bytes = pattern(length);
      await files.write('whole', bytes);
      await files.write('parts', inParts(bytes, 30_011));
      const after = await openContainer(device.restart().vault);
      for (const name of ['whole', 'parts']) {
        expect(Buffer.compare(await content(after.files.read(name)), bytes)).toBe(0);
        expect(await after.files.status(name)).toEqual({ sizeBytes: length, modifiedMs: 1_700_000_000_000 });
      }
      expect(rowsOf(device, 'c')).toHaveLength(2 * Math.ceil(length / CHUNK_BYTES));
      expect(rowsOf(device, 'p')).toEqual([]);
    },
  );

  it('is there once it is written to its end, and until then the old one is', async () => {
    const device = testDevice();
    const { files } = await createContainer(device.vault);
    await files.write('a', utf8('old'));
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield pattern(LONG);
      expect(await content(files.read('a'))).toEqual(utf8('old'));
      expect(rowsOf(device, 'p')).toHaveLength(1);
      yield pattern(1);
    }
    await files.write('a', slow());
    expect((await files.status('a'))?.sizeBytes).toBe(LONG + 1);
    expect(rowsOf(device, 'p')).toEqual([]);
    expect(rowsOf(device, 'c')).toHaveLength(Math.ceil((LONG + 1) / CHUNK_BYTES));
  });

  it('keeps few chunks in memory, whatever its length', async () => {
    const { vault, storage } = testDevice();
    const { files } = await createContainer(vault);
    storage.commits.splice(0);
    await files.write('a', inParts(pattern(5 * LONG), 1_000_003));
    expect(Math.max(...storage.commits.map((keys) => keys.filter((key) => key.startsWith('c')).length))).toBeLessThanOrEqual(WRITE_WINDOW_CHUNKS);
    expect(storage.commits.length).toBeGreaterThan(5);
  });

  it('leaves nothing when its source fails, or the caller gives up', async () => {
    const device = testDevice();
    const { files } = await createContainer(device.vault);
    await files.write('a', utf8('old'));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield pattern(LONG);
      throw new Error('source');
    }
    await expect(files.write('a', failing())).rejects.toThrow('source');
    const controller = new AbortController();
    async function* aborted(): AsyncGenerator<Uint8Array> {
      yield pattern(LONG);
      controller.abort(new Error('given up'));
      yield pattern(1);
    }
    await expect(files.write('a', aborted(), { signal: controller.signal })).rejects.toThrow('given up');
    await expect(files.write('a', utf8(''), { signal: controller.signal })).rejects.toThrow('given up');
    expect(await content(files.read('a'))).toEqual(utf8('old'));
    expect([rowsOf(device, 'c').length, rowsOf(device, 'p').length]).toEqual([1, 0]);
  });

  it('is not there, and what it left goes at the next opening, when the process dies or the disk is full in the middle', async () => {
    for (const fail of [1, 2, 3]) {
      const device = testDevice();
      const { files } = await createContainer(device.vault);
      await files.write('a', utf8('old'));
      let commits = 0;
      device.storage.beforeCommit = () => {
        commits += 1;
        if (commits >= fail) throw new Error('disk full');
      };
      await expect(files.write('a', inParts(pattern(2 * LONG), 100_000))).rejects.toMatchObject({ code: 'ERR_STORE_WRITE' });
      device.storage.beforeCommit = undefined;
      const after = await openContainer(device.restart().vault);
      expect(await content(after.files.read('a'))).toEqual(utf8('old'));
      expect([rowsOf(device, 'c').length, rowsOf(device, 'p').length]).toEqual([1, 0]);
    }
  });

  it('that is replaced or deleted is read to its end by who has begun', async () => {
    for (const length of [3 * CHUNK_BYTES, (MAX_CHUNKS_DELETED_AT_ONCE + 2) * CHUNK_BYTES]) {
      const device = testDevice();
      const { files } = await createContainer(device.vault);
      const bytes = pattern(length);
      await files.write('a', bytes);
      const [first, second] = [files.read('a'), files.read('a')];
      const begun = [(await first.next()).value as Uint8Array, (await second.next()).value as Uint8Array] as const;
      await files.write('a', utf8('new'));
      expect(Buffer.compare(Buffer.concat([begun[0], await content(first)]), bytes)).toBe(0);
      expect(rowsOf(device, 'p')).toHaveLength(1);
      // Whoever stops early lets go of it, too.
      await second.return(undefined);
      expect(rowsOf(device, 'p')).toEqual([]);
      expect(rowsOf(device, 'c')).toHaveLength(1);
      await files.delete('a');
      await files.delete('a');
      expect([await files.status('a'), rowsOf(device, 'c').length]).toEqual([undefined, 0]);
    }
  });

  it('that is long goes in parts', async () => {
    const device = testDevice();
    const { files } = await createContainer(device.vault);
    await files.write('a', inParts(pattern((2 * 256 + 3) * CHUNK_BYTES), 1_000_000));
    device.storage.commits.splice(0);
    await files.delete('a');
    expect(device.storage.commits.map(({ length }) => length)).toEqual([3, 256, 256, 4]);
    expect([rowsOf(device, 'c').length, rowsOf(device, 'p').length]).toEqual([0, 0]);
  });

  it('has another name after a rename, and the file that had it is gone', async () => {
    const device = testDevice();
    const { files } = await createContainer(device.vault);
    await files.write('a', utf8('content of a'));
    await files.write('b', utf8('content of b'));
    await files.rename('a', 'b');
    expect(await content(files.read('b'))).toEqual(utf8('content of a'));
    expect(await files.status('a')).toBeUndefined();
    await files.rename('b', 'b');
    expect(await content(files.read('b'))).toEqual(utf8('content of a'));
    expect(rowsOf(device, 'c')).toHaveLength(1);
    await expect(files.rename('a', 'c')).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    await expect(files.rename('b', '')).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    await expect(collect(files.read('a'))).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    for (const use of [files.write('', utf8('')), files.delete(''), files.status(''), collect(files.read(''))])
      await expect(use).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });

  it('does not share its name with a value', async () => {
    const { files, values } = await createContainer(testDevice().vault);
    await files.write('a', utf8('file'));
    await values.put('a', utf8('value'));
    expect([await content(files.read('a')), await values.get('a')]).toEqual([utf8('file'), utf8('value')]);
    expect(await collect(values.names())).toEqual(['a']);
    expect((await collect(files.list())).map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([['a', 4]]);
  });

  it('has no more chunks than are allowed', async () => {
    const storage = memoryStorage();
    const keys = new ContainerKeys(crypto, new Uint8Array(32).fill(1) as never);
    const entropy = seededEntropy('long file');
    const committer = new Committer({ crypto, entropy, storage }, keys, new Ledger());
    const files = new FileStore({ crypto, entropy, storage, keys, committer, clock: fakeClock(0), maxChunks: 10 } as never);
    await files.write('a', pattern(10 * CHUNK_BYTES));
    await expect(files.write('a', pattern(10 * CHUNK_BYTES + 1))).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    expect([...storage.rows.keys()].filter((key) => key.startsWith('c') || key.startsWith('p'))).toHaveLength(10);
  });
});

describe('a file whose chunks were changed', () => {
  async function threeChunks(): Promise<{ readonly device: TestDevice; readonly chunks: readonly string[] }> {
    const device = testDevice();
    const { files } = await createContainer(device.vault);
    await files.write('a', pattern(2 * CHUNK_BYTES + 7));
    return { device, chunks: rowsOf(device, 'c') };
  }
  const mustFail = async ({ vault }: TestDevice, partsBefore: number): Promise<void> => {
    const { files } = await openContainer(vault);
    const parts = files.read('a');
    for (let n = 0; n < partsBefore; n++) await parts.next();
    await expect(parts.next()).rejects.toMatchObject(OPEN_FAILED);
  };
  const chunk = ({ storage }: TestDevice, key: string | undefined): Uint8Array => storage.rows.get(key as string) as Uint8Array;

  it('is refused where one is missing, also the last', async () => {
    for (const missing of [0, 1, 2]) {
      const { device, chunks } = await threeChunks();
      device.storage.rows.delete(chunks[missing] as string);
      await mustFail(device.restart(), missing);
    }
  });

  it('is refused where two are swapped', async () => {
    const { device, chunks } = await threeChunks();
    const [first, second] = [chunk(device, chunks[0]), chunk(device, chunks[1])];
    device.storage.rows.set(chunks[0] as string, second).set(chunks[1] as string, first);
    await mustFail(device.restart(), 0);
  });

  it('is refused where one is of another file, or of this file before', async () => {
    const { device, chunks } = await threeChunks();
    const old = chunk(device, chunks[1]);
    const { files } = await openContainer(device.restart().vault);
    await files.write('a', pattern(2 * CHUNK_BYTES + 7));
    const now = rowsOf(device, 'c');
    device.storage.rows.set(now[1] as string, old);
    await mustFail(device.restart(), 1);
  });

  it('is refused where any byte is another, or the end is cut off', async () => {
    for (const at of [0, 100, -1]) {
      const { device, chunks } = await threeChunks();
      const bytes = chunk(device, chunks[2]).slice();
      const index = at < 0 ? bytes.length + at : Math.min(at, bytes.length - 20);
      bytes[index] = (bytes[index] as number) ^ 1;
      device.storage.rows.set(chunks[2] as string, bytes);
      await mustFail(device.restart(), 2);
      device.storage.rows.set(chunks[2] as string, bytes.subarray(0, 10));
      await mustFail(device.restart(), 2);
    }
  });

  it('is refused when its record says fewer chunks: the last one says that it is not the last', async () => {
    const keys = new ContainerKeys(crypto, new Uint8Array(32).fill(1) as never);
    const { openChunk, sealChunk } = await import('../../src/container/chunk.ts');
    const gcm = keys.file(new Uint8Array(16));
    const sealed = sealChunk(gcm, { index: 1, last: false }, utf8('x'));
    expect(openChunk(gcm, { index: 1, last: false }, sealed)).toEqual(utf8('x'));
    expect(() => openChunk(gcm, { index: 1, last: true }, sealed)).toThrow(expect.objectContaining(OPEN_FAILED));
    expect(() => openChunk(gcm, { index: 2, last: false }, sealed)).toThrow(expect.objectContaining(OPEN_FAILED));
  });
});

it('files are a map, whatever is done to them', async () => {
  const names = fc.constantFrom('a', 'b/c', 'd');
  const action = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), name: names, length: fc.nat({ max: 3 * CHUNK_BYTES }) }),
    fc.record({ kind: fc.constant('delete' as const), name: names }),
    fc.record({ kind: fc.constant('rename' as const), name: names, to: names }),
    fc.record({ kind: fc.constant('restart' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 15 }), async (actions) => {
      const model = new Map<string, number>();
      let device = testDevice();
      let container = await createContainer(device.vault);
      for (const [seed, step] of actions.entries()) {
        if (step.kind === 'write') {
          await container.files.write(step.name, pattern(step.length, seed));
          model.set(step.name, step.length + seed / 100);
        }
        if (step.kind === 'delete') {
          await container.files.delete(step.name);
          model.delete(step.name);
        }
        if (step.kind === 'rename' && model.has(step.name)) {
          await container.files.rename(step.name, step.to);
          const moved = model.get(step.name) as number;
          model.delete(step.name);
          model.set(step.to, moved);
        }
        if (step.kind === 'restart') {
          device = device.restart();
          container = await openContainer(device.vault);
        }
      }
      const listed = (await collect(container.files.list())).map(({ name }) => name);
      expect(listed.sort()).toEqual([...model.keys()].sort());
      for (const [name, mark] of model) {
        const length = Math.floor(mark);
        const seed = Math.round((mark - length) * 100);
        expect(Buffer.compare(await content(container.files.read(name)), pattern(length, seed))).toBe(0);
      }
      expect(rowsOf(device, 'p')).toEqual([]);
    }),
    { numRuns: sized(15, 200) },
  );
});
