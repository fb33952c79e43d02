import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostAnswer, type Interceptor, type LabServer, type LabStore, MemoryStore, type RoleRequest, startLabServer } from '@uemkit/lab-server';
import type { Clock } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { openFront } from './front.ts';
import type { WrongParts, WrongServer } from './wrong-server.ts';

/** The least cost that devices accept: these tests are not about guessing. */
export const COST = { N: 16_384, r: 8, p: 1 };

/**
 * One lab for many wrong servers, one after the other: its ports and its interceptor ask the wrong server of the moment what they do. A lab for each would
 * cost keys, certificates and listeners each time.
 */
export class TestLab {
  readonly folder: string;
  #server: LabServer | undefined;
  #wrong: WrongParts = {};
  /** How far time has been passed by hand: by the clock of devices, and by that of the lab. */
  readonly #passedMs = { devices: 0, lab: 0 };
  /** The clock of devices. */
  readonly clock: Clock = this.#shifted('devices');
  #askUem: ((request: RoleRequest) => Promise<HostAnswer>) | undefined;

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'wrong-server-'));
  }

  static async start(): Promise<TestLab> {
    const lab = new TestLab();
    const stores = { infrastructure: new MemoryStore(), uem: lab.#losing(new MemoryStore()), notification: new MemoryStore(), noc: new MemoryStore() };
    lab.#server = await startLabServer({
      folder: lab.folder,
      cost: COST,
      stores,
      interceptor: lab.#interceptor(),
      crypto: lab.#either(nodeCrypto(), 'crypto'),
      entropy: lab.#either(nodeEntropy(), 'entropy'),
      clock: lab.#either(lab.#shifted('lab'), 'clock'),
    });
    return lab;
  }

  get server(): LabServer {
    return this.#server as LabServer;
  }

  /** Hands a frame to UEM past its listeners, once one came through them. */
  askUem(request: RoleRequest): Promise<HostAnswer> {
    return this.#askUem?.(request) ?? Promise.resolve({ status: 'failed' });
  }

  /** Runs something against the lab while it is this wrong server. */
  async being<T>(server: WrongServer, work: (connection: LabServer['connection']) => Promise<T>): Promise<T> {
    this.#wrong = server.options(() => this.server);
    const { front } = this.#wrong;
    const open = front === undefined ? undefined : await openFront(this, front);
    try {
      return await work(open?.connection ?? this.server.connection);
    } finally {
      this.#wrong = {};
      this.#passedMs.lab = this.#passedMs.devices;
      await open?.close();
    }
  }

  /** Lets time pass for devices and lab alike, unless the clock of the wrong server stands still. */
  pass(durationMs: number): void {
    this.#passedMs.devices += durationMs;
    if (this.#wrong.clockStands !== true) this.#passedMs.lab += durationMs;
  }

  async close(): Promise<void> {
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #shifted(whose: 'devices' | 'lab'): Clock {
    const real = systemClock();
    const passedMs = (): number => this.#passedMs[whose];
    return { nowMs: () => real.nowMs() + passedMs(), monotonicMs: () => real.monotonicMs() + passedMs(), setTimer: real.setTimer.bind(real) };
  }

  /** A port that is the wrong server's, while it has one. */
  #either<T extends object>(right: T, part: 'crypto' | 'entropy' | 'clock'): T {
    return new Proxy(right, { get: (_, name) => Reflect.get(this.#wrong[part] ?? right, name) });
  }

  #interceptor(): Interceptor {
    return {
      exchange: (role, request, next) => {
        if (role === 'uem') this.#askUem = next;
        return this.#wrong.interceptor?.exchange?.(role, request, next) ?? next(request);
      },
      http: (request, next) => this.#wrong.interceptor?.http?.(request, next) ?? next(request),
      connect: (socket, source, next) => this.#wrong.interceptor?.connect?.(socket, source, next) ?? next(socket, source),
    };
  }

  /** A store that says that it has written, and has not, while the wrong server loses what is written. */
  #losing(store: LabStore): LabStore {
    return {
      read: (fn) => store.read(fn),
      transaction: (fn) => {
        const lost = this.#wrong.loses?.() === true;
        return store.transaction((tx) =>
          lost ? fn({ get: (key) => tx.get(key), range: (query) => tx.range(query), put: () => undefined, delete: () => undefined }) : fn(tx),
        );
      },
      close: () => store.close(),
    };
  }
}
