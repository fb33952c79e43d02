import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createSecureContext } from 'node:tls';
import * as wire from '@uemkit/protocol/wire';
import WebSocket from 'ws';
import { providerClient } from '../packages/lab-server/src/node/provider-client.ts';
import { PUSH_PATH, PUSH_SUBPROTOCOL } from '../packages/lab-server/src/node/push-upgrade.ts';
import { inParallel } from './devices.ts';
import { atLeast, atMost, type Bench, compared, type Figure, reported, round } from './harness.ts';

const STREAMS = 5_000;
const TLS_STREAMS = 2_000;
const ROUNDS = 7;
/** Fans until the compiler of the engine is through with both. */
const WARM_UPS = 3;
const WIDTH = 32;

interface Started {
  readonly port: number;
  readonly providers: number;
  readonly ca: string;
  readonly credentials: { readonly key: string; readonly certificate: string };
}

/** What a device sends back: the same bytes and the same work on both servers, as the client is not what is measured. */
const ACKNOWLEDGEMENT = wire.pushAck.encode({ wakeUpId: new Uint8Array(16).fill(0xaa) });
const ID_IN_ACKNOWLEDGEMENT = ACKNOWLEDGEMENT.indexOf(0xaa);
const ID_IN_WAKE_UP = wire.wakeUp.encode({ wakeUpId: new Uint8Array(16).fill(0xaa), sentAtEpochMs: 1 }).indexOf(0xaa);

interface Fanned {
  /** Wake-ups a second, until the last device has its own. */
  readonly perSecond: number;
  /** CPU of the server for each, microseconds. */
  readonly cpuMicros: number;
}

/** A server process with devices on it, which this process plays. */
class Gateway {
  readonly #child: ChildProcess;
  readonly #sockets: WebSocket[] = [];
  readonly tokens: string[] = [];
  received = 0;
  onReceived: (index: number) => void = () => {};
  /** Devices acknowledge what they get. */
  acknowledges = true;
  started!: Started;

  readonly kind: 'ours' | 'bare';
  readonly tls: 'plain' | 'tls';

  constructor(kind: 'ours' | 'bare', tls: 'plain' | 'tls') {
    this.kind = kind;
    this.tls = tls;
    this.#child = fork('bench/push-process.ts', [kind, tls], { execArgv: ['--expose-gc', '--conditions=@uemkit/source', '--import', 'tsx'] });
  }

  async start(): Promise<this> {
    [this.started] = (await once(this.#child, 'message')) as [Started];
    return this;
  }

  async memoryKiB(): Promise<number> {
    this.#child.send({ kind: 'memory' });
    const [{ memoryKiB }] = (await once(this.#child, 'message')) as [{ memoryKiB: number }];
    return memoryKiB;
  }

  /** Resident memory of the server for each of `count` more streams, KiB. */
  async open(count: number): Promise<number> {
    const secureContext = createSecureContext({ ca: this.started.ca, minVersion: 'TLSv1.3' });
    await inParallel(100, WIDTH, () => this.#one(secureContext));
    const before = await this.memoryKiB();
    await inParallel(count - 100, WIDTH, () => this.#one(secureContext));
    const growthKiB = ((await this.memoryKiB()) - before) / (count - 100);
    this.#child.send({ kind: 'tokens', tokens: this.tokens });
    return growthKiB;
  }

  #one(secureContext: ReturnType<typeof createSecureContext>): Promise<void> {
    const url = `${this.tls === 'tls' ? 'wss' : 'ws'}://127.0.0.1:${this.started.port}${PUSH_PATH}`;
    const socket = new WebSocket(url, [PUSH_SUBPROTOCOL], { perMessageDeflate: false, secureContext } as WebSocket.ClientOptions);
    const index = this.#sockets.push(socket) - 1;
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send(this.kind === 'ours' ? wire.pushRegister.encode({ service: 'apns' }) : Buffer.alloc(48)));
      socket.once('message', (data: Buffer) => {
        if (this.kind === 'ours')
          this.tokens[index] = wire.pushAddressOf(wire.pushRegistered.decode(wire.parseFrame(new Uint8Array(data))).token)?.address ?? '';
        socket.on('message', (wakeUp: Buffer) => this.#got(index, socket, wakeUp));
        resolve();
      });
    });
  }

  #got(index: number, socket: WebSocket, data: Buffer): void {
    if (this.acknowledges) {
      const acknowledgement = Buffer.from(ACKNOWLEDGEMENT);
      data.copy(acknowledgement, ID_IN_ACKNOWLEDGEMENT, ID_IN_WAKE_UP, ID_IN_WAKE_UP + 16);
      socket.send(acknowledgement);
    }
    this.received++;
    this.onReceived(index);
  }

  /** Wakes every device. */
  async fan({ acknowledged = true } = {}): Promise<Fanned> {
    const count = this.#sockets.length;
    this.received = 0;
    this.acknowledges = acknowledged;
    const startedMs = performance.now();
    const all = new Promise<number>((resolve) => {
      this.onReceived = () => {
        if (this.received === count) resolve((count * 1_000) / (performance.now() - startedMs));
      };
    });
    const told = once(this.#child, 'message') as Promise<[{ cpuMicros: number }]>;
    this.#child.send({ kind: 'fan', acknowledged });
    const [perSecond, [{ cpuMicros }]] = await Promise.all([all, told]);
    return { perSecond, cpuMicros: cpuMicros / count };
  }

  end(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#child.send({ kind: 'end' });
  }
}

/** Milliseconds from the HTTP/2 request of a sender to the device, one by one sorted. */
async function latencies(gateway: Gateway, requests: number): Promise<readonly number[]> {
  const { providers, ca, credentials } = gateway.started;
  const client = providerClient({ origin: `https://127.0.0.1:${providers}`, root: ca, ...credentials });
  const sentMs = new Map<number, number>();
  const taken: number[] = [];
  gateway.onReceived = (index) => void taken.push(performance.now() - (sentMs.get(index) ?? Number.NaN));
  await inParallel(requests, 8, async (index) => {
    const device = index % gateway.tokens.length;
    sentMs.set(device, performance.now());
    const headers = { 'apns-push-type': 'mdm', 'apns-expiration': String(Math.floor(Date.now() / 1_000) + 60) };
    const { status } = await client.request({ method: 'POST', target: `/3/device/${gateway.tokens[device]}`, headers, body: '{"mdm":"x"}', certificate: true });
    if (status !== 200) throw new Error(`status ${status}`);
  });
  client.close();
  return taken.sort((a, b) => a - b);
}

export const bench: Bench = async (progress) => {
  const figures: Figure[] = [];
  const memory: Record<string, number> = {};
  for (const kind of ['ours', 'bare'] as const) {
    progress(`memory of ${TLS_STREAMS} streams with TLS, ${kind}`);
    const gateway = await new Gateway(kind, 'tls').start();
    memory[kind] = await gateway.open(TLS_STREAMS);
    gateway.end();
  }
  progress(`${STREAMS} plain streams on each server`);
  const ours = await new Gateway('ours', 'plain').start();
  const bare = await new Gateway('bare', 'plain').start();
  const plain = { ours: await ours.open(STREAMS), bare: await bare.open(STREAMS) };
  const bar = atMost(10);
  figures.push({ metric: 'memory of a plain stream', unit: 'KiB', value: round(plain.ours), bar: bar.text, ok: bar.holds(plain.ours) });
  figures.push(reported('memory of a bare ws connection', 'KiB', plain.bare));
  figures.push(compared('memory of a stream with TLS', 'KiB', [{ value: memory['ours'] as number, baseline: memory['bare'] as number }]));
  for (let i = 0; i < WARM_UPS; i++) for (const gateway of [ours, bare]) await gateway.fan();
  const rounds: { readonly ours: Fanned; readonly sends: Fanned; readonly exchanges: Fanned }[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push({ ours: await ours.fan(), sends: await bare.fan({ acknowledged: false }), exchanges: await bare.fan() });
  const against = (baseline: 'sends' | 'exchanges', what: keyof Fanned) =>
    rounds.map((round) => ({ value: round.ours[what], baseline: round[baseline][what] }));
  figures.push(compared(`wake-ups to ${STREAMS} devices, against bare sends`, 'per s', against('sends', 'perSecond'), atLeast(0.5)));
  figures.push(compared('against bare sends that are acknowledged', 'per s', against('exchanges', 'perSecond'), atLeast(0.5)));
  figures.push(compared('server CPU of a wake-up, against a bare send that is acknowledged', 'µs', against('exchanges', 'cpuMicros')));
  figures.push(compared('the same, against a bare send that nobody acknowledges', 'µs', against('sends', 'cpuMicros')));
  progress('from the request of a sender to the device');
  const taken = await latencies(ours, 4_000);
  const at = (share: number): number => taken[Math.floor(taken.length * share)] as number;
  figures.push(reported('provider request (HTTP/2) to device, p50', 'ms', at(0.5)), reported('provider request (HTTP/2) to device, p99', 'ms', at(0.99)));
  ours.end();
  bare.end();
  return figures;
};
