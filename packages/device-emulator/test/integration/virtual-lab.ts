import { type Lab, startLab } from '@uemkit/lab-server';
import type { Store } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import { createUemClient, softwareKeyStore, type UemClient } from '@uemkit/uem-client';
import type { DeviceState } from '../../src/operating-systems/device-state.ts';
import { EmulatedOperatingSystem } from '../../src/operating-systems/emulated-operating-system.ts';

const crypto = nodeCrypto();

/** A lab in virtual time, and emulated devices of the real library that meet it; `close` ends them all. */
export class VirtualLab {
  readonly clock: FakeClock;
  readonly lab: Lab;
  readonly #open: UemClient[] = [];

  private constructor(clock: FakeClock, lab: Lab) {
    this.clock = clock;
    this.lab = lab;
  }

  static async start(): Promise<VirtualLab> {
    const clock = fakeClock(Date.UTC(2026, 0, 15));
    return new VirtualLab(clock, await startLab({ clock, crypto, entropy: seededEntropy('lab'), cost: { N: 16_384, r: 8, p: 1 } }));
  }

  /** A device as it leaves the factory, or as its user has it by then. */
  async device(factoryState: DeviceState, store: Store = memoryStore()): Promise<{ readonly client: UemClient; readonly os: EmulatedOperatingSystem }> {
    const { clock } = this;
    const entropy = nodeEntropy();
    const os = await EmulatedOperatingSystem.open({ store, clock, crypto, factoryState });
    const keyStore = softwareKeyStore({ crypto, entropy, store });
    const client = createUemClient({ crypto, clock, entropy, store, keyStore, operatingSystem: os, transport: this.lab.transport() });
    this.#open.push(client);
    await client.open();
    return { client, os };
  }

  async close(): Promise<void> {
    for (const client of this.#open) await client.close();
    await this.lab.close();
  }
}
