import { type Clock, type CryptoProvider, type Entropy, isProtocolError, ProtocolError } from '@uemkit/protocol';
import { type MemoryKeyStore, type MemoryStore, memoryStore, seededKeyStore } from '@uemkit/protocol/testing';
import { type ActivationCredentials, createUemClient, type UemClient, type UemTransport } from '@uemkit/uem-client';
import type { DeviceState } from '../../src/operating-systems/device-state.ts';
import { EmulatedOperatingSystem } from '../../src/operating-systems/emulated-operating-system.ts';
import { decodeExecution, EXECUTION_PREFIX, type Execution } from '../../src/operating-systems/execution-log.ts';
import { factoryState } from '../../src/operating-systems/factory-state.ts';
import { SYSTEMS } from '../../src/operating-systems/systems.ts';
import type { Bug } from './bug.ts';
import type { Kind } from './kinds.ts';
import { ProcessGate } from './process-gate.ts';

/** A server that may be down, and another one after it was killed. */
export interface ServerLine {
  /** Changes when the server is killed; undefined while it is down. */
  generation(): number | undefined;
  /** A way of a device to the server that runs now. */
  transport(source: string): UemTransport;
}

export interface SystemDeviceOptions {
  readonly name: string;
  readonly userGuid: string;
  readonly credentials: ActivationCredentials;
  readonly kind: Kind;
  /** The user has set a device password. */
  readonly hasPassword: boolean;
  readonly supervised: boolean;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly line: ServerLine;
  readonly bug?: Bug | undefined;
  /** Something happened that must not happen at all. */
  problem(text: string): void;
}

interface Life {
  readonly gate: ProcessGate;
  readonly store: MemoryStore;
  readonly transports: UemTransport[];
  client?: UemClient;
  opening?: boolean;
  opened?: true;
  os?: EmulatedOperatingSystem;
}

/** One device over all its lives: the real client over an emulated operating system, on a store that may be left at any commit. */
export class SystemDevice {
  readonly options: SystemDeviceOptions;
  readonly #keys: MemoryKeyStore;
  #life: Life;
  /** It has been active, so its owner does not activate it again. */
  wasActive = false;
  /** Processes so far. */
  lives = 0;
  /** A client that has left does not know its id any more. */
  lastDeviceId: string | undefined;

  constructor(options: SystemDeviceOptions) {
    this.options = options;
    this.#keys = seededKeyStore(options.crypto, options.name);
    this.#life = this.#begin(memoryStore());
  }

  get dead(): boolean {
    return this.#life.gate.dead;
  }

  get client(): UemClient | undefined {
    return this.#life.client;
  }

  get state(): DeviceState | undefined {
    return this.#life.os?.state;
  }

  /** What it has carried out, as its own store says. */
  executions(): readonly Execution[] {
    const kept = [...this.#life.store.snapshot()].filter(([key]) => key.startsWith(EXECUTION_PREFIX));
    return kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => decodeExecution(value));
  }

  kill(): void {
    const { gate, transports } = this.#life;
    gate.kill();
    for (const transport of transports) void transport.close();
  }

  killAtCommit(commits: number, point: 'before' | 'after'): void {
    this.#life.store.crashAfter(commits, point);
  }

  /** A new process on what the last one has left. */
  boot(): void {
    if (!this.dead) return;
    this.kill();
    this.#life = this.#begin(this.#life.store.restart());
  }

  /** The user takes the device out of management, if it is managed and UEM can be told. */
  deactivate(): void {
    const life = this.#life;
    if (this.dead || life.opened !== true || life.client?.state !== 'active') return;
    life.client.deactivate().catch((error: unknown) => {
      if (!life.gate.dead && !isExpected(error) && !isState(error)) this.options.problem(`${this.options.name}: deactivation: ${String(error)}`);
    });
  }

  /** Tries the activation again, when the last attempt has ended. */
  retry(): void {
    const life = this.#life;
    const { client, opened, opening } = life;
    if (client === undefined || this.dead || this.#activating || opening === true) return;
    if (opened === true) this.#activate(life, client);
    else this.#watch(life, this.#open(life, client));
  }

  #activating = false;

  #begin(store: MemoryStore): Life {
    this.lives += 1;
    const life: Life = { gate: new ProcessGate(store), store, transports: [] };
    this.#activating = false;
    this.#watch(life, this.#run(life));
    return life;
  }

  /** Work of one life goes on in the background; only what faults and crashes cannot explain is a problem. */
  #watch(life: Life, work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!life.gate.dead && !isExpected(error)) this.options.problem(`${this.options.name}: ${String(error)}`);
    });
  }

  async #run(life: Life): Promise<void> {
    const { name, crypto, entropy, kind, hasPassword, supervised, bug } = this.options;
    const clock = life.gate.clock(this.options.clock);
    const plain = life.gate.store(life.store);
    const store = bug?.store?.(plain) ?? plain;
    const passwordHash = hasPassword ? 'ab'.repeat(32) : undefined;
    const factory = factoryState(SYSTEMS[kind.system], { serialNumber: `S-${name}`, passwordHash, supervised }, () => 0);
    const os = await EmulatedOperatingSystem.open({ store, clock, crypto, factoryState: factory });
    const transport = this.#transport(life);
    const client = createUemClient({
      crypto,
      clock,
      entropy,
      store,
      keyStore: this.#keys,
      operatingSystem: bug?.operatingSystem?.(os, store) ?? os,
      transport: bug?.transport?.(transport) ?? transport,
      name,
      consent: async () => true,
    });
    client.addEventListener('statechange', ({ detail }) => {
      if (life.gate.dead || detail.state !== 'active') return;
      this.wasActive = true;
      this.lastDeviceId = client.deviceId;
    });
    client.addEventListener('handlerfailed', ({ detail }) => {
      if (!life.gate.dead) this.options.problem(`${name}: the handler of ${detail.type} failed: ${String(detail.error)}`);
    });
    life.os = os;
    life.client = client;
    await this.#open(life, client);
  }

  /** Opens the client, which may fail (A7 has to reach the server) and be tried again; then the owner activates or manages it. */
  async #open(life: Life, client: UemClient): Promise<void> {
    life.opening = true;
    try {
      await client.open();
      life.opened = true;
    } finally {
      life.opening = false;
    }
    client.start();
    this.#activate(life, client);
  }

  #activate(life: Life, client: UemClient): void {
    if (this.wasActive || (client.state !== 'inactive' && client.state !== 'activating')) return;
    this.#activating = true;
    client
      .activate(this.options.credentials)
      .then(() => client.start())
      .catch((error: unknown) => {
        if (!life.gate.dead && !isExpected(error)) this.options.problem(`${this.options.name}: activation: ${String(error)}`);
      })
      .finally(() => {
        if (this.#life === life) this.#activating = false;
      });
  }

  /** The way of one life to whatever server runs. What was under way when the server was killed is lost. */
  #transport(life: Life): UemTransport {
    const { line, name } = this.options;
    let made: { readonly generation: number; readonly transport: UemTransport } | undefined;
    const current = (): UemTransport => {
      const generation = line.generation();
      if (generation === undefined) throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'the server is down');
      if (made?.generation !== generation) {
        made = { generation, transport: line.transport(name) };
        life.transports.push(made.transport);
      }
      return made.transport;
    };
    const sameServer = async <T>(work: (transport: UemTransport) => Promise<T>): Promise<T> => {
      const generation = line.generation();
      const result = await work(current());
      if (line.generation() !== generation) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the server was killed');
      return result;
    };
    const { gate } = life;
    return {
      exchange: (request) => gate.guard(() => sameServer((transport) => transport.exchange(request))),
      openPush: (request) =>
        gate.guard(() =>
          sameServer((transport) =>
            transport.openPush({
              ...request,
              onFrame: (frame) => {
                if (!gate.dead) request.onFrame(frame);
              },
              onClose: (error) => {
                if (!gate.dead) request.onClose(error);
              },
            }),
          ),
        ),
      release: () => undefined,
      close: async () => undefined,
    };
  }
}

/** Something else has ended the management meanwhile. */
function isState(error: unknown): boolean {
  return isProtocolError(error) && error.code === 'ERR_USAGE_STATE';
}

/** Errors that faults and crashes lead to; whatever else is thrown is a bug. */
function isExpected(error: unknown): boolean {
  return isProtocolError(error) && ['transport', 'peer', 'rejected'].includes(error.kind);
}
