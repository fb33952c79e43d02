import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { type Clock, isProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type NodeDynamicsRuntime, openDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { CHEAP, type MemoryDeviceKey, memoryDeviceKey, PASSWORD } from '../support/device.ts';
import { type MemoryStorage, memoryStorage } from '../support/memory-storage.ts';

const USER = 'ada@example.com';
const APP_ID = 'com.example.mail';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };

/** The lab's time runs this much faster, so that a Proxy that was cut off comes back in a moment. */
const FASTER = 10;
/** Longer than a connection of the Proxy has to stand until its pauses begin anew. */
const STEADY_MS = 60_000;

/** Called before a frame leaves the app, after one came, and around what goes over a connection: `F3.8 app>noc`. */
export type Moment = (name: string) => void;

/** Through the NOC, or by Direct Connect. */
export type Way = 'noc' | 'direct';
/** The name by which each way leads to the echo server. */
const HOSTS: Readonly<Record<Way, string>> = { noc: 'localhost', direct: '127.0.0.1' };

/** What is left of an app when its process ends. */
export interface Disk {
  readonly store: MemoryStorage;
  readonly container: MemoryStorage;
  readonly deviceKey: MemoryDeviceKey;
}

/** A lab with listeners and processes' worth of roles, a user, and a server behind the firewall that sends back what it gets. */
export class Story {
  readonly lab: LabServer;
  readonly userGuid: string;
  readonly #echo: Server;
  readonly #port: number;
  readonly #root: Uint8Array;
  readonly #later: (byMs: number) => void;
  #disks = 0;

  private constructor(lab: LabServer, userGuid: string, echo: Server, later: (byMs: number) => void) {
    this.#later = later;
    this.lab = lab;
    this.userGuid = userGuid;
    this.#echo = echo;
    this.#port = (echo.address() as AddressInfo).port;
    this.#root = new Uint8Array(Buffer.from(lab.connection.ca.replaceAll(/-----.*?-----|\s/g, ''), 'base64'));
  }

  static async begin(): Promise<Story> {
    const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => socket.destroy()).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    let aheadMs = 0;
    const clock: Clock = {
      nowMs: () => ports.clock.nowMs(),
      monotonicMs: () => FASTER * ports.clock.monotonicMs() + aheadMs,
      setTimer: (delayMs, callback) => ports.clock.setTimer(delayMs / FASTER, callback),
    };
    const lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, connectivityNode: true, clock });
    await lab.connectivityNode?.ready;
    const { guid } = await lab.admin.createUser({ username: USER, email: USER });
    const { guid: app } = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
    const story = new Story(lab, guid, echo, (byMs) => {
      aheadMs += byMs;
    });
    const proxies = [{ id: lab.connectivityNode?.proxyId ?? '' }];
    const { profileId } = await lab.admin.createConfigurationProfile({
      kind: 'dynamics-connectivity',
      name: 'Office',
      content: {
        additionalServers: [
          { server: HOSTS.direct, route: 'PROXY', cluster: 'straight', ports: [story.#port] },
          { server: HOSTS.noc, route: 'PROXY', ports: [story.#port] },
        ],
        proxyClusters: [{ name: 'straight', directConnect: true, proxies }],
      },
    });
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: app }, 'OPTIONAL');
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
    return story;
  }

  async end(): Promise<void> {
    await this.lab.close();
    await new Promise((resolve) => this.#echo.close(resolve));
  }

  /** Everything is in its place again: the Proxy is connected, and has been for long. */
  async settled(): Promise<void> {
    while (this.lab.connectivityNode?.connected !== true) await new Promise((resolve) => setTimeout(resolve, 1));
    this.#later(STEADY_MS);
  }

  newDisk(): Disk {
    this.#disks += 1;
    return { store: memoryStorage(), container: memoryStorage(), deviceKey: memoryDeviceKey(`disk ${this.#disks}`) };
  }

  /** A process of the app over what is on its disk. */
  open({ store, container, deviceKey }: Disk, moment: Moment): Promise<NodeDynamicsRuntime> {
    const state = store.restart();
    return openDynamicsRuntime({
      ...ports,
      app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
      noc: { address: this.lab.connection.noc, trust: { roots: [this.#root], spkiPins: [] } },
      transport: tlsNocTransport(),
      store: state,
      openStorage: () => container.restart(),
      deviceKey,
      passwordCost: CHEAP,
      trace: ({ step, from, to }) => moment(`${step} ${from}>${to}`),
    });
  }

  async newKey(): Promise<string> {
    return (await this.lab.admin.createAccessKey(this.userGuid)).accessKey;
  }

  /** The first try, and as many more as it takes. Resolves with the codes of those that failed. */
  async activated(runtime: NodeDynamicsRuntime, accessKey: string): Promise<readonly string[]> {
    return this.#untilDone(runtime, async () => {
      const { state, error } = await runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey } });
      if (state !== 'authorized') throw error ?? new Error(`the app is ${state}`);
    });
  }

  /** Unlocks what was activated before: nothing of that goes over the network. */
  async unlocked(runtime: NodeDynamicsRuntime): Promise<void> {
    const { state } = await runtime.authorize({ password: PASSWORD });
    if (state !== 'authorized') throw new Error(`the app is ${state}`);
  }

  /** Opens a connection, and has three pieces sent back in order. What was sent on a connection that broke is not counted on: all of it is sent again. */
  async echoed(runtime: NodeDynamicsRuntime, way: Way, moment: Moment): Promise<readonly string[]> {
    const step = way === 'noc' ? 'F10.4' : 'F11.4';
    return this.#untilDone(runtime, async () => {
      moment(`${way === 'noc' ? 'F10.1' : 'F11.1'} app`);
      const stream = await runtime.connect({ host: HOSTS[way], port: this.#port }, { timeoutMs: 15_000 });
      const broken = new Promise<never>((_, reject) =>
        stream.once('error', reject).once('close', () => reject(new Error('the connection ended without a word'))),
      );
      broken.catch(() => {});
      try {
        for (const byte of [1, 2, 3]) {
          const piece = Buffer.alloc(20_000, byte);
          moment(`${step} app>server`);
          stream.write(piece);
          const back = await Promise.race([taken(stream, piece.length), broken]);
          moment(`${step} server>app`);
          if (!back.equals(piece)) throw new Error('other bytes came back');
        }
      } finally {
        stream.destroy();
      }
    });
  }

  /** Fails for what is no failure of the network, and for a state that only UEM may bring about. */
  async #untilDone(runtime: NodeDynamicsRuntime, work: () => Promise<void>): Promise<readonly string[]> {
    const codes: string[] = [];
    for (let tries = 1; ; tries += 1) {
      try {
        await work();
        return codes;
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        if (runtime.state === 'wiped' || runtime.state === 'locked') throw new Error(`the app is ${runtime.state}`, { cause: error });
        if (!/^ERR_(TRANSPORT|CONNECTION)_/.test(error.code) || tries === MAX_TRIES) throw error;
        codes.push(error.code);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}

const MAX_TRIES = 200;
/** Between two tries, as an app that tries again. */
const PAUSE_MS = 25;

async function taken(stream: NodeJS.ReadableStream, lengthBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let got = 0;
  return new Promise((resolve) => {
    const take = (part: Buffer): void => {
      parts.push(part);
      got += part.length;
      if (got < lengthBytes) return;
      stream.off('data', take);
      resolve(Buffer.concat(parts));
    };
    stream.on('data', take);
  });
}
