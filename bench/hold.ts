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
import { atRest, settledRss } from './settled-memory.ts';

/*
 * A client process of its own, so that its memory and CPU are those of the devices alone. The first message is a `HoldTask`, its answer a `Held`. Then each message
 * `slice` makes some polls and is answered with a `Slice`, until `end`. Run with --expose-gc.
 */
export type HoldTask =
  | { readonly mode: 'activate'; readonly connection: Connection; readonly folder: string; readonly count: number }
  | { readonly mode: 'devices'; readonly folder: string; readonly count: number; readonly from?: number | undefined; readonly polls: boolean }
  | {
      readonly mode: 'bare';
      readonly connection: BareConnection;
      readonly folder: string;
      readonly count: number;
      readonly from?: number | undefined;
      /** Polls are to be made, and are warm before the answer comes. */
      readonly polls: boolean;
    };

export interface Held {
  /** Growth of the resident memory of the process from `from` devices to `count`, for each of them, KiB. */
  readonly memoryKiB: number;
}

export interface Slice {
  /** CPU of the process for each poll, µs. */
  readonly pollMicros: number;
}

/** What a process holds: how much, and one poll of each device. */
interface Holding extends Held {
  readonly round?: (() => Promise<void>) | undefined;
}

const WIDTH = 16;
/** Devices that are there at the first reading unless the task says so; enough for a figure that nobody looks at. */
const FEW = 50;

/** Polls before any is measured: with few of them the code of the small fleets would be younger than that of the large ones. */
const WARM_POLLS = 20_000;
/** Polls of a slice, at least: short against the time in which the machine changes its speed. */
const SLICE_POLLS = 2_000;
const roundsFor = (polls: number, count: number): number => Math.ceil(polls / count);

async function activate({ connection, folder, count }: Extract<HoldTask, { mode: 'activate' }>): Promise<Holding> {
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
  return { memoryKiB: 0 };
}

const materialsFile = (folder: string): string => join(folder, 'polls.json');

/** Opens what was activated before, so that the memory of activating is not in the figure. */
async function holdDevices({ folder, count, from = FEW, polls }: Extract<HoldTask, { mode: 'devices' }>): Promise<Holding> {
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
  if (!polls) return { memoryKiB };
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
  return { memoryKiB, round: () => inParallel(polling.length, WIDTH, (index) => (polling[index] as (typeof polling)[number]).poll()) };
}

async function holdBare({ connection, folder, count, from = FEW, polls }: Extract<HoldTask, { mode: 'bare' }>): Promise<Holding> {
  const context = createSecureContext({ ca: connection.ca, minVersion: 'TLSv1.3' });
  const sockets: Awaited<ReturnType<typeof barePush>>[] = [];
  const hold = async (): Promise<void> => void sockets.push(await barePush(connection.push, context, 48));
  await inParallel(from, WIDTH, hold);
  const before = await settledRss();
  await inParallel(count - from, WIDTH, hold);
  const memoryKiB = ((await settledRss()) - before) / (count - from);
  for (const socket of sockets) socket.terminate();
  if (!polls) return { memoryKiB };
  const { ca, materials } = JSON.parse(readFileSync(materialsFile(folder), 'utf8')) as { readonly ca: string; readonly materials: readonly PollMaterial[] };
  const clients = materials.slice(0, count).map(({ address, key, cert, frame }) => ({
    client: bareClient(address, createSecureContext({ ca, key, cert, minVersion: 'TLSv1.3' })),
    body: Buffer.from(frame, 'base64'),
  }));
  const one = async (index: number): Promise<void> => {
    const { client, body } = clients[index] as (typeof clients)[number];
    await post(client, '/uemkit/1/device', body);
  };
  return { memoryKiB, round: () => inParallel(count, WIDTH, one) };
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await work();
}

const hold = async (task: HoldTask): Promise<Holding> => {
  if (task.mode === 'activate') return activate(task);
  return task.mode === 'devices' ? holdDevices(task) : holdBare(task);
};

/** Answers one message after the other. */
function serve(answer: (message: Held | Slice) => void): (message: HoldTask | 'slice' | 'end') => Promise<void> {
  let count = 0;
  let round: (() => Promise<void>) | undefined;
  return async (message) => {
    if (message === 'end') return process.exit(0);
    if (message === 'slice') {
      if (round === undefined) throw new Error('no polls were asked for');
      const rounds = roundsFor(SLICE_POLLS, count);
      const asked = round;
      return answer({ pollMicros: (await cpuMicros(() => repeat(rounds, asked))) / (rounds * count) });
    }
    const held = await hold(message);
    ({ count } = message);
    round = held.round;
    if (round !== undefined) await repeat(roundsFor(WARM_POLLS, count), round);
    answer({ memoryKiB: held.memoryKiB });
  };
}

if (process.send !== undefined) {
  const heard = serve((message) => void process.send?.(message));
  process.on('message', (message: HoldTask | 'slice' | 'end') => {
    heard(message).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}
