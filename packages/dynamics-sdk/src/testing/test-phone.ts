import { type Clock, type CryptoProvider, ProtocolError } from '@uemkit/protocol';
import { type MemoryStore, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import type { NocTransport } from '../noc/noc-transport.ts';
import type { NocTrust } from '../noc/noc-trust.ts';
import type { DynamicsRuntime } from '../runtime/dynamics-runtime.ts';
import type { DynamicsRuntimeOptions } from '../runtime/options.ts';
import { openDynamicsRuntime } from '../runtime/runtime.ts';
import { memoryContainerStorage } from './memory-container-storage.ts';
import { memoryDeviceKey } from './memory-device-key.ts';

/** What `startLab` of `@uemkit/lab-server` gives. */
export interface TestLab {
  readonly connection: { readonly noc: string };
  readonly trust: NocTrust;
  transport(source?: string): NocTransport;
}

export interface TestPhoneOptions {
  readonly lab: TestLab;
  /** The same as the lab's, as is `clock`. */
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly app: DynamicsRuntimeOptions['app'];
  /** Of its randomness, and what the lab's journal calls it. Two phones need two. Default `phone`. */
  readonly name?: string | undefined;
}

/** A phone with one app on it, in memory. */
export interface TestPhone {
  /**
   * Starts the app; again, after `runtime.close()` or after a crash, it is the next start over what was durable. Options go before those of the phone.
   * @throws ProtocolError `ERR_USAGE_STATE` while the app runs, `ERR_USAGE_ARGUMENT`, `ERR_STORE_*`
   */
  open(options?: Partial<DynamicsRuntimeOptions>): Promise<DynamicsRuntime>;
  /**
   * What is at rest: the state of the runtime, and the container. Both fail when a test says so (`failWrites`), or die at a commit (`crashAfter`): that call and those after it
   * never answer, `close` among them, as in a process that is dead. Other stores after such a crash.
   */
  readonly state: MemoryStore;
  readonly container: MemoryStore;
}

/**
 * A phone for tests of an app.
 * @example
 * const clock = fakeClock(Date.UTC(2026, 0, 15))
 * const crypto = quickStretching(nodeCrypto())
 * const lab = await startLab({ crypto, clock, entropy: seededEntropy('organisation') })
 * const phone = testPhone({ lab, crypto, clock, app: { appId: 'com.example.notes', version: '1.0.0.0', platform: 'android 16' } })
 * const runtime = await phone.open()
 */
export function testPhone({ lab, crypto, clock, app, name = 'phone' }: TestPhoneOptions): TestPhone {
  const entropy = seededEntropy(name);
  const deviceKey = memoryDeviceKey({ crypto, entropy: seededEntropy(`${name}/device key`) });
  let [state, container] = [memoryStore(), memoryStore()];
  let running: DynamicsRuntime | undefined;
  return {
    get state() {
      return state;
    },
    get container() {
      return container;
    },
    async open(options = {}) {
      const hasCrashed = state.crashed || container.crashed;
      // check: one process of the app
      if (running !== undefined && !hasCrashed) throw new ProtocolError('ERR_USAGE_STATE', 'the app runs already: close its runtime first');
      if (hasCrashed) [state, container] = [state.restart(), container.restart()];
      const rows = container;
      const runtime = await openDynamicsRuntime({
        ...{ crypto, clock, entropy, app, deviceKey },
        noc: { address: lab.connection.noc, trust: lab.trust },
        transport: lab.transport(name),
        store: state,
        openStorage: () => memoryContainerStorage(rows),
        ...options,
      });
      running = runtime;
      const close = runtime.close.bind(runtime);
      return Object.assign(runtime, {
        async close(): Promise<void> {
          await close();
          if (running === runtime) running = undefined;
        },
      });
    },
  };
}
