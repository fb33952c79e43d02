import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { type NodeDynamicsRuntime, type NodeRuntimeOptions, tlsNocTransport, uemClientSocket } from '@uemkit/dynamics-sdk/node';
import type { StoreWrite } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import type { UemTransport } from '@uemkit/uem-client';
import { open } from 'lmdb';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { type AppLab, PLATFORM_IDS, startAppLab } from './app-lab.ts';
import { type AppSurroundings, appSurroundings, authorize, openApp, startAskedDevice } from './asking-apps.ts';
import { bareClient } from './bare/activation.ts';
import { type AppActivationProfile, type BarePlace, bareAppActivation } from './bare/app-activation.ts';
import type { PemIdentity } from './bare/certificates.ts';
import type { BareConnection } from './bare/connection.ts';
import { answerFrames, type FrameExchange } from './bare/frames.ts';
import { atMost, type Bench, compared, cpuMicros, median, reported } from './harness.ts';
import { startProcess } from './lab-process.ts';
import { recordingCrypto, recordingEntropy } from './recording-crypto.ts';

/** Small batches in turns: the machine changes its speed within seconds. */
const BATCH = 5;
const ROUNDS = 35;
/** A fleet activates thousands of apps in one process, so both sides are measured when their code is compiled. */
const WARM_UP = 400;

type Transport = NodeRuntimeOptions['transport'];
type UemClientLink = NonNullable<NodeRuntimeOptions['uemClient']>;

/** A store of a fleet that notes the sizes of what is committed while it is asked to. */
class NotingStore extends FleetStore {
  noted: number[][] | undefined;

  override commit(prefix: string, writes: readonly StoreWrite[]): Promise<void> {
    this.noted?.push(writes.map(({ value }) => value?.length ?? 0));
    return super.commit(prefix, writes);
  }
}

/** From the installation to the authorized app: access key, NOC, UEM, and the container (F3.2 to F3.12). */
async function activate(shared: AppSurroundings, index: number, uemClient: UemClientLink): Promise<NodeDynamicsRuntime> {
  const runtime = await openApp(shared, index, { uemClient });
  await authorize(runtime, index);
  return runtime;
}

export const bench: Bench = async (progress) => {
  const lab = await startAppLab();
  const bare = await startProcess<BareConnection>('bench/bare/server.ts', ['1']);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const store = new NotingStore(folder);
  const database = open<Uint8Array, string>({ path: join(folder, 'bare.mdb'), noSubdir: true, encoding: 'binary', overlappingSync: false } as Parameters<
    typeof open
  >[0]);
  const local = createServer(answerFrames);
  const path = join(folder, 'bare.sock');
  await new Promise<void>((resolve) => local.listen(path, resolve));
  const client = bareClient(bare.info.mutual, createSecureContext({ ca: bare.info.ca, ...(bare.info.clients[0] as PemIdentity), minVersion: 'TLSv1.3' }));
  const context = createSecureContext({ ca: bare.info.ca, minVersion: 'TLSv1.3' });
  const place: BarePlace = { server: bare.info, context, client, path, database };
  let closeDevice = async (): Promise<void> => {};
  try {
    let index = 0;
    const profile = await observe(lab, store, index++);
    const { local: frames, noc, commits, primitives } = profile;
    progress(`one activation: ${frames.length + noc.length + 1} exchanges, ${commits.length} commits, ${primitives.length} crypto operations and draws`);
    const times = { request: new Times(1), noc: new Times(noc.length) };
    const device = await startAskedDevice(store, await lab.qrCode(), { index: 1, wrap: (transport) => timedRequest(transport, times.request) });
    closeDevice = () => device.close();
    const uemClient = uemClientSocket({ path: device.path, platformIds: PLATFORM_IDS });
    const shared = appSurroundings(lab.place, store);
    const timed = { ...shared, transport: timedNoc(shared.transport, times.noc) };
    progress(`${WARM_UP} apps of each side`);
    for (let i = 0; i < WARM_UP; i++, index++) {
      if (i === WARM_UP / 2) for (const { real, bare: played } of Object.values(times)) for (const list of [...real, ...played]) list.length = 0;
      await (await activate(timed, index, uemClient)).close();
      await bareAppActivation(place, profile, index, {
        request: { workMs: [], took: (exchange, ms) => times.request.bare[exchange]?.push(ms) },
        noc: { workMs: [], took: (exchange, ms) => times.noc.bare[exchange]?.push(ms) },
      });
    }
    const answers = { request: { workMs: times.request.workMs() }, noc: { workMs: times.noc.workMs() } };
    progress(`the servers work ${[...answers.request.workMs, ...answers.noc.workMs].map((ms) => ms.toFixed(1)).join(', ')} ms for the answers`);
    const pairs: { value: number; baseline: number }[] = [];
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 5 === 0) progress(`rounds ${round + 1} to ${round + 5} of ${ROUNDS}`);
      const apps: NodeDynamicsRuntime[] = [];
      const startedMs = performance.now();
      const first = index;
      const value = await cpuMicros(async () => {
        for (let i = 0; i < BATCH; i++, index++) apps.push(await activate(shared, index, uemClient));
      });
      rates.push((BATCH * 1_000) / (performance.now() - startedMs));
      // Before they ask UEM for the first time.
      await Promise.all(apps.map((app) => app.close()));
      const baseline = await cpuMicros(async () => {
        for (let i = 0; i < BATCH; i++) await bareAppActivation(place, profile, first + i, answers);
      });
      pairs.push({ value: value / BATCH, baseline: baseline / BATCH });
    }
    return [
      compared('client CPU an app activation (assisted key, node:crypto)', 'µs', pairs, atMost(1.5)),
      reported('app activations one after the other', '1/s', Math.max(...rates)),
    ];
  } finally {
    await closeDevice();
    await client.close();
    await new Promise((resolve) => local.close(resolve));
    await store.close();
    await database.close();
    await Promise.all([lab.stop(), bare.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Notes how long each exchange took, with the real server and with a bare one that answers at once. */
class Times {
  readonly real: readonly number[][];
  readonly bare: readonly number[][];

  constructor(exchanges: number) {
    const lists = (): number[][] => Array.from({ length: exchanges }, () => []);
    this.real = lists();
    this.bare = lists();
  }

  /** How much longer each took with the real server: so long the bare one has to work, since a client that has waited runs on colder caches. */
  workMs(): number[] {
    return this.real.map((durations, exchange) => {
      const played = this.bare[exchange] as number[];
      return durations.length === 0 || played.length === 0 ? 0 : Math.max(0, median(durations) - median(played));
    });
  }
}

function timedRequest(transport: UemTransport, { real }: Times): UemTransport {
  return {
    ...bound(transport),
    async exchange(exchange) {
      const begunMs = performance.now();
      const answer = await transport.exchange(exchange);
      real[0]?.push(performance.now() - begunMs);
      return answer;
    },
  };
}

function timedNoc(transport: Transport, { real }: Times): Transport {
  return {
    async openNoc(request) {
      let [exchange, begunMs] = [-1, 0];
      const connection = await transport.openNoc({
        ...request,
        onFrame(frame) {
          real[exchange]?.push(performance.now() - begunMs);
          request.onFrame(frame);
        },
      });
      return {
        send(frame) {
          exchange += 1;
          begunMs = performance.now();
          connection.send(frame);
        },
        close: () => connection.close(),
      };
    },
  };
}

const bound = (transport: UemTransport): UemTransport => ({
  exchange: (request) => transport.exchange(request),
  openPush: (push) => transport.openPush(push),
  release: () => transport.release(),
  close: () => transport.close(),
});

interface Noted {
  bytes: number;
  answerBytes: number;
}

const sent = (exchanges: Noted[], frame: Uint8Array): void => void exchanges.push({ bytes: frame.length, answerBytes: 0 });
function received(exchanges: Noted[], frame: Uint8Array): void {
  const last = exchanges.at(-1);
  if (last !== undefined) last.answerBytes += frame.length;
}

/** Activates one app on a device of its own with every port wrapped, and notes what goes through them. */
async function observe(lab: AppLab, store: NotingStore, index: number): Promise<AppActivationProfile> {
  const { crypto, replays } = recordingCrypto(nodeCrypto());
  const entropy = recordingEntropy(nodeEntropy(), replays);
  const [local, noc, requests]: [Noted[], Noted[], FrameExchange[]] = [[], [], []];
  const wrap = (transport: UemTransport): UemTransport => ({
    ...bound(transport),
    async exchange(request) {
      const answer = await transport.exchange(request);
      requests.push({ bytes: request.frame.length, answerBytes: answer.length });
      return answer;
    },
  });
  const device = await startAskedDevice(store, await lab.qrCode(), { index: 0, crypto, entropy, wrap });
  const socket = uemClientSocket({ path: device.path, platformIds: PLATFORM_IDS });
  const uemClient: UemClientLink = {
    platformIds: socket.platformIds,
    async connect(signal) {
      const link = await socket.connect(signal);
      return {
        send(frame) {
          sent(local, frame);
          link.send(frame);
        },
        receive: (receiver) =>
          link.receive({
            received(frame) {
              received(local, frame);
              receiver.received(frame);
            },
            closed: (error) => receiver.closed(error),
          }),
        close: () => link.close(),
      };
    },
  };
  const below = tlsNocTransport();
  const transport: Transport = {
    async openNoc(request) {
      const connection = await below.openNoc({
        ...request,
        onFrame(frame) {
          received(noc, frame);
          request.onFrame(frame);
        },
      });
      return {
        send(frame) {
          sent(noc, frame);
          connection.send(frame);
        },
        close: () => connection.close(),
      };
    },
  };
  // What the activation of the device did is not the app's.
  replays.length = 0;
  requests.length = 0;
  const commits: number[][] = [];
  store.noted = commits;
  const runtime = await activate(appSurroundings(lab.place, store, { transport, crypto, entropy }), index, uemClient);
  const primitives = replays.slice();
  store.noted = undefined;
  await runtime.close();
  await device.close();
  const [request] = requests;
  if (request === undefined || requests.length !== 1) throw new Error(`the UEM Client made ${requests.length} requests for an app`);
  return { local, request, noc, commits, primitives };
}
