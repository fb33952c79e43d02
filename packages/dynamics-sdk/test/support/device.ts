import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, rememberedScrypt, seededEntropy } from '@uemkit/protocol/testing';
import { type ContainerOptions, type ContainerVault, containerVault, type DeviceKey, type PasswordPolicy, type SecureContainer } from '../../src/index.ts';
import { type MemoryStorage, memoryStorage } from './memory-storage.ts';

export const crypto = rememberedScrypt(nodeCrypto());
export const PASSWORD = 'correct horse 7';
export const POLICY: PasswordPolicy = { minLength: 8, classes: ['letter', 'digit'], maxTries: 3, whenExhausted: 'wipe', history: 2 };
/** Guessing is not what these tests measure. */
export const CHEAP = { N: 16, r: 1, p: 1 };

export interface MemoryDeviceKey extends DeviceKey {
  key: Uint8Array | undefined;
}

export function memoryDeviceKey(seed = 'device'): MemoryDeviceKey {
  const device: MemoryDeviceKey = {
    key: undefined,
    async create() {
      device.key ??= seededEntropy(`${seed}/key`).randomBytes(32);
    },
    mac: async (data) => device.key && crypto.hmacSha256(device.key, data),
    async destroy() {
      device.key = undefined;
    },
  };
  return device;
}

export interface TestDevice {
  readonly vault: ContainerVault;
  readonly storage: MemoryStorage;
  readonly deviceKey: MemoryDeviceKey;
  readonly clock: ReturnType<typeof fakeClock>;
  /** The same device after the process died. */
  restart(): TestDevice;
}

let made = 0;

/** A device with nothing stored. Its randomness never repeats, also not after a restart. */
export function testDevice(storage = memoryStorage(), deviceKey = memoryDeviceKey(), more: Partial<ContainerOptions> = {}): TestDevice {
  made += 1;
  const clock = fakeClock(1_700_000_000_000);
  const entropy = seededEntropy(`container ${made}`);
  const vault = containerVault({ crypto, entropy, clock, storage, deviceKey, passwordCost: CHEAP, ...more });
  return { vault, storage, deviceKey, clock, restart: () => testDevice(storage.restart(), deviceKey, more) };
}

export async function createContainer(vault: ContainerVault, password = PASSWORD): Promise<SecureContainer> {
  const created = await vault.create({ password, policy: POLICY });
  if (created.kind !== 'open') throw new Error(created.faults.join());
  return created.container;
}

export async function openContainer(vault: ContainerVault, password = PASSWORD): Promise<SecureContainer> {
  const opened = await vault.open(password);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  return opened.container;
}

/** The one error of whatever is not what the container wrote. */
export const OPEN_FAILED = { name: 'ProtocolError', code: 'ERR_CRYPTO_OPEN', message: 'record could not be opened', details: {} };

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

export async function content(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await collect(source)));
}
