import type { Duplex } from 'node:stream';
import { connect, createSecureContext } from 'node:tls';
import { type NodeDynamicsRuntime, type NodeRuntimeOptions, tlsNocTransport, uemClientSocket } from '@uemkit/dynamics-sdk/node';
import { backoff } from '@uemkit/protocol';
import { nodeEntropy } from '@uemkit/protocol/node';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { type AppPlace, PLATFORM_IDS } from './app-lab.ts';
import { appSurroundings, authorize, openApp, startAskedDevice } from './asking-apps.ts';
import type { EchoConnection } from './bare/echo-server.ts';
import { inParallel } from './devices.ts';
import { settledRss } from './settled-memory.ts';

/*
 * A client process of its own, so that its memory is that of the apps alone. The first message is an `AppTask`, its answer `HeldApps`. Then a message `storm` is answered with
 * a `Storm` when every app has lost its link and has one again; `end` ends it. Run with --expose-gc.
 */
export type AppTask =
  | { readonly mode: 'activate'; readonly place: AppPlace; readonly folder: string; readonly count: number; readonly qrCode: string }
  | { readonly mode: 'apps'; readonly place: AppPlace; readonly folder: string; readonly count: number; readonly from: number; readonly echo: EchoConnection }
  | { readonly mode: 'bare'; readonly echo: EchoConnection; readonly count: number; readonly from: number };

export interface HeldApps {
  /** Growth of the resident memory of the process from `from` apps to `count`, for each of them, KiB. */
  readonly memoryKiB: number;
}

/** How a process has come back. Times of the day are milliseconds since 1970. */
export interface Storm {
  readonly firstLostMs: number;
  readonly lastBackMs: number;
  /** Of each app, from the loss of its link to the next one that works, in order, milliseconds. */
  readonly awayMs: readonly number[];
  /** Of each connection that came about, from the call to its first byte back, in order, milliseconds. */
  readonly connectMs: readonly number[];
  /** Calls that failed. */
  readonly failed: number;
}

const WIDTH = 16;
/** Longest time until apps that were opened are at rest. */
const REST_MS = 120_000;
/** What goes over a connection before it counts as open. */
const HELLO = Buffer.alloc(48, 0x5a);
/** What an app waits between two tries. With pauses that stay short a thousand apps keep the NOC busy with links that lead nowhere while the Proxy is not back. */
const PAUSES = { minMs: 100, baseMs: 500, maxMs: 10_000 };

const ignored = (): void => {};

/** Sends a few bytes and has them back: the way stands from end to end. */
async function greet<Stream extends Duplex>(stream: Stream): Promise<Stream> {
  await new Promise<void>((resolve, reject) => {
    const ended = (): void => reject(new Error('the connection ended before it answered'));
    stream.once('close', ended);
    stream.once('data', () => {
      stream.off('close', ended);
      resolve();
    });
    stream.write(HELLO);
  });
  stream.on('error', ignored).on('data', ignored);
  return stream;
}

/** A transport that knows how many of its links are open: at rest each app has one. */
function counted(transport: NodeRuntimeOptions['transport']): {
  readonly transport: NodeRuntimeOptions['transport'];
  readonly links: { made: number; open: number };
} {
  const links = { made: 0, open: 0 };
  const openLink = transport.openLink as NonNullable<typeof transport.openLink>;
  return {
    links,
    transport: {
      ...transport,
      async openLink(request) {
        const channel = await openLink({
          ...request,
          onClose(error) {
            links.open -= 1;
            request.onClose(error);
          },
        });
        links.made += 1;
        links.open += 1;
        return channel;
      },
    },
  };
}

async function activate({ place, folder, count, qrCode }: Extract<AppTask, { mode: 'activate' }>): Promise<Holding> {
  const store = new FleetStore(folder);
  const device = await startAskedDevice(store, qrCode);
  const shared = appSurroundings(place, store);
  const uemClient = uemClientSocket({ path: device.path, platformIds: PLATFORM_IDS });
  await inParallel(count, WIDTH, async (index) => {
    const runtime = await openApp(shared, index, { uemClient });
    await authorize(runtime, index);
    await runtime.close();
  });
  await device.close();
  await store.close();
  return { memoryKiB: 0 };
}

interface Holding extends HeldApps {
  storm?(): Promise<Storm>;
}

/** Opens what was activated before, so that the memory of activating is not in the figure. */
async function holdApps({ place, folder, count, from, echo }: Extract<AppTask, { mode: 'apps' }>): Promise<Holding> {
  const { transport, links } = counted(tlsNocTransport());
  const shared = appSurroundings(place, new FleetStore(folder), { transport });
  const target = { host: 'localhost', port: echo.port };
  const apps: NodeDynamicsRuntime[] = [];
  const streams: Duplex[] = [];
  const hold = async (index: number): Promise<void> => {
    const app = await openApp(shared, index);
    await authorize(app, index);
    apps[index] = app;
    streams[index] = await greet(await app.connect(target));
  };
  /** The first question of each app to UEM is answered, too: it goes over a link of its own. */
  const atRest = async (held: number): Promise<void> => {
    const giveUpMs = performance.now() + REST_MS;
    while (links.made < 2 * held || links.open !== held) {
      if (performance.now() > giveUpMs) throw new Error(`${links.open} links are open of ${held}, ${links.made} were made`);
      await pause(50);
    }
  };
  await inParallel(from, WIDTH, hold);
  await atRest(from);
  const before = await settledRss();
  await inParallel(count - from, WIDTH, (index) => hold(from + index));
  await atRest(count);
  const memoryKiB = ((await settledRss()) - before) / (count - from);
  return {
    memoryKiB,
    storm: () => untilBack(streams, async (index) => greet(await (apps[index] as NodeDynamicsRuntime).connect(target))),
  };
}

async function holdBare({ echo, count, from }: Extract<AppTask, { mode: 'bare' }>): Promise<Holding> {
  const secureContext = createSecureContext({ ca: echo.ca, minVersion: 'TLSv1.3' });
  const sockets: Duplex[] = [];
  const hold = async (): Promise<void> => {
    const socket = connect({ host: '127.0.0.1', port: echo.tlsPort, secureContext, minVersion: 'TLSv1.3' });
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    sockets.push(await greet(socket));
  };
  await inParallel(from, WIDTH, hold);
  const before = await settledRss();
  await inParallel(count - from, WIDTH, hold);
  return { memoryKiB: ((await settledRss()) - before) / (count - from) };
}

/** Waits until every stream has broken, and all apps are connected at one time: each tries until it is, with pauses that grow, and again when it loses that one, too. */
function untilBack(streams: readonly Duplex[], again: (index: number) => Promise<Duplex>): Promise<Storm> {
  const epochMs = (): number => performance.timeOrigin + performance.now();
  const entropy = nodeEntropy();
  const [lostMs, backMs, connectMs]: [number[], number[], number[]] = [[], [], []];
  const back = new Set<number>();
  let failed = 0;
  const connectAgain = async (index: number): Promise<Duplex> => {
    for (const pauseMs of backoff(PAUSES, entropy)) {
      const beganMs = epochMs();
      try {
        const stream = await again(index);
        connectMs.push(epochMs() - beganMs);
        return stream;
      } catch {
        failed += 1;
        await pause(pauseMs);
      }
    }
    throw new Error('the pauses have no end');
  };
  return new Promise((resolve, reject) => {
    const over = (): void => {
      const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
      const awayMs = backMs.map((ms, index) => ms - (lostMs[index] as number));
      resolve({ firstLostMs: Math.min(...lostMs), lastBackMs: Math.max(...backMs), awayMs: sorted(awayMs), connectMs: sorted(connectMs), failed });
    };
    const follow = async (first: Duplex, index: number): Promise<void> => {
      for (let stream = first; ; ) {
        const held = stream;
        if (!held.closed) await new Promise<void>((ended) => held.once('close', () => ended()));
        back.delete(index);
        lostMs[index] ??= epochMs();
        stream = await connectAgain(index);
        backMs[index] = epochMs();
        if (back.add(index).size === streams.length) over();
      }
    };
    for (const [index, stream] of streams.entries()) follow(stream, index).catch(reject);
  });
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

function hold(task: AppTask): Promise<Holding> {
  if (task.mode === 'activate') return activate(task);
  return task.mode === 'apps' ? holdApps(task) : holdBare(task);
}

/** Answers one message after the other. */
function serve(answer: (message: HeldApps | Storm) => void): (message: AppTask | 'storm' | 'end') => Promise<void> {
  let held: Holding | undefined;
  return async (message) => {
    if (message === 'end') return process.exit(0);
    if (message === 'storm') {
      if (held?.storm === undefined) throw new Error('no apps are held');
      return answer(await held.storm());
    }
    held = await hold(message);
    answer({ memoryKiB: held.memoryKiB });
  };
}

if (process.send !== undefined) {
  const heard = serve((message) => void process.send?.(message));
  process.on('message', (message: AppTask | 'storm' | 'end') => {
    heard(message).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}
