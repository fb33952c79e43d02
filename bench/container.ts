import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type ContainerStorage, containerVault, DEFAULT_PASSWORD_POLICY, type SecureContainer } from '../packages/dynamics-sdk/src/index.ts';
import { fileDeviceKey, openContainerStorage } from '../packages/dynamics-sdk/src/node/index.ts';
import { atLeast, type Bench, compared } from './harness.ts';

const VALUES = 5_000;
const VALUE_BYTES = 1_024;
/** So many are read again and again in one figure, and stay in the memory of the container; all are read in turn in the other, and do not fit. */
const HOT_VALUES = 500;
/** Puts that an app has under way at once. */
const WIDTH = 64;
/** Of the figures where each waits for the disk before the next begins. */
const FEW = 400;
const FILES = 200;
const FILE_BYTES = 65_536;
const ROUNDS = 5;
/** Passes before the measured ones: a write of a file is a long way of code, which Node compiles for good after some thousand writes. */
const WARM_PASSES = 2;
const WARM_PASSES_OF_FILES = 10;
const BAR = atLeast(0.6);
const PASSWORD = 'correct horse 7';

/** What is done to the container, and the same to the storage below it, without names, keys or a ledger. */
interface Side {
  put(key: string, value: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  file(key: string, bytes: Uint8Array): Promise<void>;
}

const bare = (storage: ContainerStorage): Side => ({
  put: (key, value) => storage.commit([{ key, value }]),
  get: (key) => storage.get(key),
  file: (key, value) => storage.commit([{ key, value }]),
});

const sealed = ({ values, files }: SecureContainer): Side => ({
  put: (key, value) => values.put(key, value),
  get: (key) => values.get(key),
  file: (key, bytes) => files.write(key, bytes),
});

/** The container against the storage that it stands on, in the same process and on the same disk, in turns. Puts and files are durable when they count. */
export const bench: Bench = async (progress) => {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-container-'));
  const [crypto, entropy] = [nodeCrypto(), nodeEntropy()];
  const plain = openContainerStorage({ directory: join(folder, 'plain') });
  const storage = openContainerStorage({ directory: join(folder, 'container') });
  const deviceKey = fileDeviceKey(join(folder, 'device.key'), { crypto, entropy });
  const vault = containerVault({ crypto, entropy, clock: systemClock(), storage, deviceKey });
  try {
    const created = await vault.create({ password: PASSWORD, policy: DEFAULT_PASSWORD_POLICY });
    if (created.kind !== 'open') throw new Error(created.kind);
    const sides = [sealed(created.container), bare(plain)] as const;
    const value = entropy.randomBytes(VALUE_BYTES);
    const file = entropy.randomBytes(FILE_BYTES);
    // In no order, as apps write: one after the other in the order of their keys would be the best case of a tree, and one that hashed names never have.
    const key = (n: number): string => `settings/of/value/${(n * 7_919) % VALUES}`;
    const inTurns = async (
      what: string,
      count: number,
      work: (side: Side) => Promise<unknown>,
      warmPasses = WARM_PASSES,
    ): Promise<{ readonly value: number; readonly baseline: number }[]> => {
      progress(what);
      const perSecond = async (side: Side): Promise<number> => {
        const startedMs = performance.now();
        await work(side);
        return (count * 1_000) / (performance.now() - startedMs);
      };
      for (let pass = 0; pass < warmPasses; pass++) for (const side of sides) await work(side);
      const pairs = [];
      for (let round = 0; round < ROUNDS; round++) pairs.push({ value: await perSecond(sides[0]), baseline: await perSecond(sides[1]) });
      return pairs;
    };
    const getAmong = async (side: Side, among: number): Promise<void> => {
      for (let n = 0; n < VALUES; n++) if ((await side.get(key(n % among)))?.length !== VALUE_BYTES) throw new Error('a value is not there');
    };
    const putAll = (side: Side): Promise<void> => inWidth(VALUES, (n) => side.put(key(n), value));
    for (const side of sides) await putAll(side);
    const one = await inTurns('puts and gets one after the other', 2 * FEW, async (side) => {
      for (let n = 0; n < FEW; n++) {
        await side.put(key(n), value);
        await side.get(key(VALUES - 1 - n));
      }
    });
    const puts = await inTurns('puts', VALUES, putAll);
    const both = await inTurns('puts and gets', 2 * VALUES, (side) =>
      inWidth(VALUES, async (n) => {
        await side.put(key(n), value);
        await side.get(key(VALUES - 1 - n));
      }),
    );
    const hot = await inTurns('gets of few values', VALUES, (side) => getAmong(side, HOT_VALUES));
    const cold = await inTurns('gets of all values', VALUES, (side) => getAmong(side, VALUES));
    const writeFiles = async (side: Side): Promise<void> => {
      for (let n = 0; n < FILES; n++) await side.file(`reports/${n % 20}`, file);
    };
    const files = await inTurns('files', FILES, writeFiles, WARM_PASSES_OF_FILES);
    return [
      compared('1 KiB puts and gets, one after the other', '1/s', one, BAR),
      compared(`1 KiB puts and gets, ${WIDTH} at once`, '1/s', both, BAR),
      compared(`  puts alone, ${WIDTH} at once`, '1/s', puts, BAR),
      compared(`  gets alone, ${HOT_VALUES} values again and again`, '1/s', hot, BAR),
      // More than the bar asks: each of them opens a record, and that alone costs more than a bare get (docs/performance.md).
      compared(`  gets alone, ${VALUES} values in turn`, '1/s', cold),
      compared('64 KiB files written, one after the other', '1/s', files, BAR),
    ];
  } finally {
    await vault.close();
    await plain.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

async function inWidth(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
}
