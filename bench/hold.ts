import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { bareClient, barePush } from './bare/activation.ts';
import type { BareConnection } from './bare/connection.ts';
import { post } from './bare/post.ts';
import { benchDevice, inParallel, observePolls, once, type PollMaterial, qrCodes, surroundings } from './devices.ts';
import { cpuMicros } from './harness.ts';
import type { Connection } from './lab-process.ts';

/*
 * A client process of its own, so that its memory and CPU are those of the devices alone. First line of standard input: a `HoldTask`; its answer is one JSON
 * line, a `Held`. Run with --expose-gc.
 */
export type HoldTask =
  | { readonly mode: 'activate'; readonly connection: Connection; readonly folder: string; readonly count: number }
  | { readonly mode: 'devices'; readonly folder: string; readonly count: number; readonly from?: number | undefined; readonly polls: number }
  | {
      readonly mode: 'bare';
      readonly connection: BareConnection;
      readonly folder: string;
      readonly count: number;
      readonly from?: number | undefined;
      readonly polls: number;
    };

export interface Held {
  /** Growth of the resident memory of the process from `from` devices to `count`, for each of them, KiB. */
  readonly memoryKiB: number;
  /** Of a warm poll, µs; 0 when none was asked for. */
  readonly pollMicros: number;
}

const WIDTH = 16;
/** Devices that are there at the first reading unless the task says so; enough for a figure that nobody looks at. */
const FEW = 50;

/** Polls before any is measured: with few of them the code of the small fleets would be younger than that of the large ones. */
const WARM_POLLS = 10_000;
const warmRounds = (count: number): number => Math.ceil(WARM_POLLS / count);

/** Resident memory stays when it changes by less than this from one collection to the next. */
const STABLE_KIB = 64;
const MAX_COLLECTIONS = 40;

/** Resident memory, KiB, collected until three collections in a row change nothing: native memory goes some turns after the objects that hold it. */
async function settledRss(): Promise<number> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  let last = Number.NaN;
  for (let same = 0, done = 0; same < 3 && done < MAX_COLLECTIONS; done++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = process.memoryUsage.rss() / 1_024;
    same = Math.abs(now - last) < STABLE_KIB ? same + 1 : 0;
    last = now;
  }
  return last;
}

async function activate({ connection, folder, count }: Extract<HoldTask, { mode: 'activate' }>): Promise<Held> {
  const fleet = new FleetStore(folder);
  const shared = surroundings();
  const contents = await qrCodes(connection, 'hold', count);
  const materials: PollMaterial[] = new Array(count);
  await inParallel(count, WIDTH, async (index) => {
    const observed = observePolls(index);
    const client = benchDevice(shared, { index, store: fleet.device(index), wrap: observed.wrap });
    await client.open();
    await client.activate({ kind: 'qr', content: contents[index] as string });
    await client.poll();
    materials[index] = await observed.material();
    await client.close();
  });
  await fleet.close();
  writeFileSync(materialsFile(folder), JSON.stringify({ ca: connection.ca, materials }));
  return { memoryKiB: 0, pollMicros: 0 };
}

const materialsFile = (folder: string): string => join(folder, 'polls.json');

/** Opens what was activated before, so that the memory of activating is not in the figure. */
async function holdDevices({ folder, count, from = FEW, polls }: Extract<HoldTask, { mode: 'devices' }>): Promise<Held> {
  const fleet = new FleetStore(folder);
  const shared = surroundings({ releaseAfterMs: 50 });
  const open = async (index: number): Promise<ReturnType<typeof benchDevice>> => {
    const client = benchDevice(shared, { index, store: fleet.device(index) });
    await client.open();
    const ready = Promise.all([once(client, 'pushopen'), once(client, 'idle')]);
    client.start();
    await ready;
    return client;
  };
  const clients: Awaited<ReturnType<typeof open>>[] = [];
  const hold = async (index: number): Promise<void> => void clients.push(await open(index));
  await inParallel(from, WIDTH, hold);
  await atRest(() => shared.clock.waiting);
  const before = await settledRss();
  await inParallel(count - from, WIDTH, (index) => hold(from + index));
  await atRest(() => shared.clock.waiting);
  const memoryKiB = ((await settledRss()) - before) / (count - from);
  let pollMicros = 0;
  if (polls > 0) {
    for (const client of clients) await client.stop();
    const warm = surroundings({ releaseAfterMs: 600_000 });
    const polling = await Promise.all(
      clients.map(async (client, index) => {
        await client.close();
        const again = benchDevice(warm, { index, store: fleet.device(index) });
        await again.open();
        return again;
      }),
    );
    const round = (): Promise<void> => inParallel(polling.length, WIDTH, (index) => (polling[index] as (typeof polling)[number]).poll());
    await repeat(warmRounds(count), round);
    pollMicros = (await cpuMicros(async () => repeat(polls, round))) / (polls * polling.length);
    await Promise.all(polling.map((client) => client.close()));
  }
  return { memoryKiB, pollMicros };
}

async function holdBare({ connection, folder, count, from = FEW, polls }: Extract<HoldTask, { mode: 'bare' }>): Promise<Held> {
  const context = createSecureContext({ ca: connection.ca, minVersion: 'TLSv1.3' });
  const sockets: Awaited<ReturnType<typeof barePush>>[] = [];
  const hold = async (): Promise<void> => void sockets.push(await barePush(connection.push, context, 48));
  await inParallel(from, WIDTH, hold);
  const before = await settledRss();
  await inParallel(count - from, WIDTH, hold);
  const memoryKiB = ((await settledRss()) - before) / (count - from);
  for (const socket of sockets) socket.terminate();
  let pollMicros = 0;
  if (polls > 0) {
    const { ca, materials } = JSON.parse(readFileSync(materialsFile(folder), 'utf8')) as { readonly ca: string; readonly materials: readonly PollMaterial[] };
    const clients = materials.slice(0, count).map(({ address, key, cert, frame }) => ({
      client: bareClient(address, createSecureContext({ ca, key, cert, minVersion: 'TLSv1.3' })),
      body: Buffer.from(frame, 'base64'),
    }));
    const round = (): Promise<void> =>
      inParallel(count, WIDTH, async (index) => {
        const { client, body } = clients[index] as (typeof clients)[number];
        await post(client, '/uemkit/1/device', body);
      });
    await repeat(warmRounds(count), round);
    pollMicros = (await cpuMicros(async () => repeat(polls, round))) / (polls * count);
    await Promise.all(clients.map(({ client }) => client.close()));
  }
  return { memoryKiB, pollMicros };
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await work();
}

/** Waits until the number of timers stays: polls are released and nothing else is under way. */
async function atRest(count: () => number): Promise<void> {
  for (let same = 0, last = -1; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    same = count() === last ? same + 1 : 0;
    last = count();
  }
}

const run = async (task: HoldTask): Promise<Held> => {
  if (task.mode === 'activate') return activate(task);
  return task.mode === 'devices' ? holdDevices(task) : holdBare(task);
};

if (process.send !== undefined) {
  process.once('message', (task: HoldTask) => {
    run(task).then(
      (held) => process.send?.(held, () => process.exit(0)),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
