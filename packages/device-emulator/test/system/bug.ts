import type { Store } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { OperatingSystem, UemTransport } from '@uemkit/uem-client';

/** A mistake that is planted between real parts, to see that the whole-system test finds it. */
export interface Bug {
  readonly name: string;
  readonly pollIntervalS?: number;
  store?(store: Store): Store;
  transport?(transport: UemTransport): UemTransport;
  operatingSystem?(os: OperatingSystem, store: Store): OperatingSystem;
}

/** The journal of the device forgets which commands were answered. */
const forgottenAnswers: Bug = {
  name: 'the journal does not keep the command in hand',
  store: (store) => ({ get: (key) => store.get(key), commit: (writes) => store.commit(writes.filter(({ key }) => key !== 'uem/management/open')) }),
};

/** The operating system commits its own state at once, not with the record of the answer. */
const twoTransactions: Bug = {
  name: 'state and journal are committed apart',
  operatingSystem: (os, store) => ({
    ...methodsOf(os),
    async execute(command, signal) {
      const { writes = [], applied, ...outcome } = await os.execute(command, signal);
      await store.commit(writes);
      applied?.();
      return outcome;
    },
  }),
};

/** No wake-up ever arrives, and the regular poll is a year away. */
const lostForGood: Bug = {
  name: 'wake-ups are lost for good, and nobody polls',
  pollIntervalS: 31_536_000,
  transport: (transport) => ({
    exchange: (request) => transport.exchange(request),
    openPush: (request) =>
      transport.openPush({
        address: request.address,
        trust: request.trust,
        signal: request.signal,
        onFrame: (frame) => {
          if (wire.peekFrameName(frame) !== 'wakeUp') request.onFrame(frame);
        },
        onClose: (error) => request.onClose(error),
      }),
    release: () => transport.release(),
    close: () => transport.close(),
  }),
};

function methodsOf(os: OperatingSystem): OperatingSystem {
  return {
    deviceInfo: () => os.deviceInfo(),
    activationTypes: os.activationTypes,
    pushService: os.pushService,
    configure: (configuration, signal) => os.configure(configuration, signal),
    execute: (command, signal) => os.execute(command, signal),
    deactivated: (reason) => os.deactivated(reason),
  };
}

/** Three mistakes of three kinds. */
export const BUGS: readonly Bug[] = [lostForGood, forgottenAnswers, twoTransactions];
