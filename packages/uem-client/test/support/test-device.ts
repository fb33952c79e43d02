import { type CryptoProvider, type Store, type TraceSink, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, type MemoryStore, memoryStore, rememberedScrypt, type SeededEntropy, seededEntropy } from '@uemkit/protocol/testing';
import type * as wire from '@uemkit/protocol/wire';
import {
  type ActivationCredentials,
  type AppEndpoint,
  type CommandOutcome,
  createUemClient,
  type OperatingSystem,
  softwareKeyStore,
  type TlsKeyStore,
  type UemClient,
  type UemClientEvents,
  type UemClientLimits,
} from '../../src/index.ts';
import { MemoryUem, type MemoryUemOptions } from './memory-uem.ts';

export const START_MS: number = Date.UTC(2026, 0, 15);
export const crypto = rememberedScrypt(nodeCrypto());

/** An operating system whose state is a counter per command type in the store. */
export class TestOs implements OperatingSystem {
  readonly pushService = 'fcm';
  readonly store: Store;
  /** Calls of `execute`, by command id. */
  readonly executed: string[] = [];
  readonly applied: string[] = [];
  configured = 0;
  activationTypes: readonly string[] | undefined;
  readonly deactivations: string[] = [];
  outcome: (command: wire.Command, signal: AbortSignal) => CommandOutcome | Promise<CommandOutcome> = () => ({ status: 'done' });
  configuring: () => { readonly status: 'completed' } | { readonly status: 'failed'; readonly message: string } = () => ({ status: 'completed' });

  constructor(store: Store) {
    this.store = store;
  }

  deviceInfo(): wire.DeviceInfo {
    return { platform: 'android-enterprise', osVersion: '14', model: 'Test', clientVersion: '1' };
  }

  async configure(): Promise<{ readonly status: 'completed' } | { readonly status: 'failed'; readonly message: string }> {
    this.configured++;
    return this.configuring();
  }

  async execute(command: wire.Command, signal: AbortSignal): Promise<CommandOutcome> {
    const id = toHex(command.commandId);
    this.executed.push(id);
    const before = await this.count(id);
    const outcome = await this.outcome(command, signal);
    if (outcome.status !== 'done') return outcome;
    const leave = command.type === 'DELETE_DEVICE_DATA' || command.type === 'DELETE_WORK_SPACE_DATA';
    return { leave, ...outcome, writes: [{ key: `os/${id}`, value: Uint8Array.of(before + 1) }], applied: () => void this.applied.push(id) };
  }

  async deactivated(reason: string): Promise<void> {
    this.deactivations.push(reason);
  }

  /** How often the effect of a command is in the durable state. */
  async count(commandId: string): Promise<number> {
    return (await this.store.get(`os/${commandId}`))?.[0] ?? 0;
  }
}

/** One device with its server, in virtual time. */
export interface TestDevice {
  readonly clock: FakeClock;
  readonly entropy: SeededEntropy;
  readonly uem: MemoryUem;
  readonly store: MemoryStore;
  readonly keyStore: TlsKeyStore;
  readonly os: TestOs;
  readonly client: UemClient;
  /** Names of the events so far. */
  readonly events: string[];
  /** Details of the events of one name. */
  told<Name extends keyof UemClientEvents>(name: Name): UemClientEvents[Name][];
  /** The same device after its process was killed. */
  restarted(): TestDevice;
  activate(credentials?: ActivationCredentials): Promise<void>;
}

export interface TestDeviceOptions extends Partial<Omit<MemoryUemOptions, 'crypto' | 'clock' | 'entropy'>> {
  readonly seed?: string;
  readonly limits?: Partial<UemClientLimits>;
  readonly apps?: AppEndpoint;
  /** Of the client alone. */
  readonly provider?: CryptoProvider;
  readonly trace?: TraceSink;
  readonly name?: string;
  readonly consent?: (notice: string, signal: AbortSignal) => Promise<boolean>;
  /** How wrong the wall clock of the device is. */
  readonly clockOffsetMs?: number;
}

/** A device that was never activated, opened. */
export async function testDevice(options: TestDeviceOptions = {}): Promise<TestDevice> {
  const clock = fakeClock(START_MS);
  const entropy = seededEntropy(options.seed ?? 'device');
  const uem = new MemoryUem({ crypto, clock, entropy: entropy.fork('server'), ...options });
  const device = build(clock, entropy, uem, memoryStore(), options, 0);
  await device.client.open();
  return device;
}

/** An active device that was polled once and is at rest. */
export async function activeTestDevice(options: TestDeviceOptions = {}): Promise<TestDevice> {
  const device = await testDevice(options);
  await device.activate();
  device.client.start();
  await device.clock.settle();
  device.events.length = 0;
  return device;
}

const EVENTS: readonly (keyof UemClientEvents)[] = [
  'statechange',
  'activationprogress',
  'wakeup',
  'poll',
  'command',
  'commanddone',
  'commandanswered',
  'handlerfailed',
  'idle',
  'pollfailed',
  'pushopen',
  'pushclosed',
  'appprogress',
  'appfailed',
  'renewed',
  'renewalfailed',
];

function build(clock: FakeClock, entropy: SeededEntropy, uem: MemoryUem, store: MemoryStore, options: TestDeviceOptions, life: number): TestDevice {
  const keyStore = softwareKeyStore({ crypto, entropy: entropy.fork(`keys ${life}`), store });
  const os = new TestOs(store);
  const client = createUemClient({
    crypto: options.provider ?? crypto,
    clock: {
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
      nowMs: () => clock.nowMs() + (options.clockOffsetMs ?? 0),
    },
    entropy: entropy.fork(`client ${life}`),
    store,
    keyStore,
    operatingSystem: os,
    transport: uem.transport(),
    ...(options.name === undefined ? {} : { name: options.name }),
    trace: options.trace,
    consent: options.consent,
    apps: options.apps,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const events: string[] = [];
  const details: { name: string; detail: unknown }[] = [];
  for (const name of EVENTS) {
    client.addEventListener(name, ({ detail }) => {
      events.push(name);
      details.push({ name, detail });
    });
  }
  return {
    clock,
    entropy,
    uem,
    store,
    keyStore,
    os,
    client,
    events,
    told: (name) => details.filter((event) => event.name === name).map((event) => event.detail as never),
    restarted: () => build(clock, entropy, uem, store.restart(), options, life + 1),
    activate: (credentials = { kind: 'qr', content: uem.qrCode('alice@example.com') }) => client.activate(credentials),
  };
}
