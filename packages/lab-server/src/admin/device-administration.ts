import { type Clock, type Entropy, toHex } from '@uemkit/protocol';
import { cancelCommand, commandById, listCommands } from '../state/command-queue.ts';
import type { CommandRecord } from '../state/commands.ts';
import { removeDevice, type SendRefusal, sendCommand } from '../state/device-lifecycle.ts';
import { type DeviceRecord, deviceById, listDevices, listDevicesOfUser } from '../state/devices.ts';
import { inventoryOf } from '../state/inventory.ts';
import type { LabStore, ReadView } from '../store/lab-store.ts';
import type { Administration } from './administration.ts';
import { checkCommand } from './command-properties.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';

export interface DeviceAdministrationOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Wakes a device whose command is durable (F5.2). Must not throw. */
  wake(deviceId: string): void;
}

export type DeviceAdministration = Pick<
  Administration,
  'devices' | 'device' | 'devicesOfUser' | 'inventory' | 'sendCommand' | 'command' | 'commands' | 'cancelCommand' | 'removeDevice'
>;

const REFUSALS: Readonly<Record<SendRefusal, () => AdminProblem>> = {
  unknown: () => new AdminProblem('DEVICE_NOT_FOUND', 'there is no such device'),
  notActive: () => new AdminProblem('DEVICE_NOT_ACTIVE', 'the device is not active, so no command reaches it'),
  full: () => new AdminProblem('QUEUE_FULL', 'too many commands wait for the device'),
};

/** Devices and their commands (F5.1). */
export function createDeviceAdministration(options: DeviceAdministrationOptions): DeviceAdministration {
  const { clock, entropy, store } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);

  const requireCommand = (command: CommandRecord | undefined): CommandRecord => {
    if (command === undefined) throw new AdminProblem('COMMAND_NOT_FOUND', 'the device has no such command');
    return command;
  };

  return {
    *devices() {
      for (const { record: device } of rowsOf(read, listDevices, (row) => row.id)) if (counts(device)) yield device;
    },
    device: (deviceId) => store.read((view) => requireDevice(view, deviceId)),
    *devicesOfUser(guid) {
      const page = (view: ReadView, query: { readonly after?: string; readonly limit: number }): readonly DeviceRecord[] =>
        listDevicesOfUser(view, guid, query);
      for (const device of rowsOf(read, page, (row) => row.deviceId)) if (counts(device)) yield device;
    },
    inventory: (deviceId) => store.read((view) => inventoryOf(view, deviceId)),

    async sendCommand(deviceId, { type, properties = {}, expiresAtMs }) {
      const nowMs = clock.nowMs();
      if (expiresAtMs !== undefined && !(expiresAtMs > nowMs)) throw new AdminProblem('INVALID_PROPERTY', 'expiry: is not in the future');
      const document = checkCommand(type, properties);
      const commandId = toHex(entropy.randomBytes(16));
      const sent = await store.transaction((tx) => {
        const result = sendCommand(tx, { commandId, deviceId, type, properties: document, expiresAtMs }, nowMs);
        if (typeof result === 'string') throw REFUSALS[result]();
        return result;
      });
      options.wake(deviceId);
      return sent;
    },

    command: (deviceId, commandId) => store.read((view) => requireCommand(commandById(view, requireDevice(view, deviceId).deviceId, commandId))),
    *commands(deviceId) {
      let after: number | undefined;
      for (;;) {
        const from = after;
        const page = store.read((view) => listCommands(view, deviceId, { limit: COMMANDS_PAGE, ...(from === undefined ? {} : { after: from }) }));
        yield* page;
        after = page.at(-1)?.sequence;
        if (after === undefined || page.length < COMMANDS_PAGE) return;
      }
    },
    cancelCommand(deviceId, commandId) {
      return store.transaction((tx) => {
        const command = requireCommand(commandById(tx, requireDevice(tx, deviceId).deviceId, commandId));
        if (command.isContentOpen === true) throw new AdminProblem('UPDATE_OF_SERVER', 'it follows from policies, profiles and assignments; change those');
        const cancelled = cancelCommand(tx, deviceId, commandId, 'cancelled by the administrator', clock.nowMs());
        if (cancelled === undefined) throw new AdminProblem('COMMAND_SENT', `the command is ${command.state} already`);
        return cancelled;
      });
    },
    async removeDevice(deviceId) {
      await store.transaction((tx) => {
        if (!removeDevice(tx, requireDevice(tx, deviceId).deviceId, clock.nowMs()))
          throw new AdminProblem('DEVICE_NOT_ACTIVE', 'the device is removed already');
      });
    },
  };
}

/** Commands that are read in one go. */
const COMMANDS_PAGE = 200;

/** A device counts from A7 on, and no more when it has ended. */
function counts(device: DeviceRecord): boolean {
  return device.status === 'active';
}

function requireDevice(view: ReadView, deviceId: string): DeviceRecord {
  const device = deviceById(view, deviceId);
  // What was never confirmed is no device yet.
  if (device === undefined || device.status === 'pending') throw new AdminProblem('DEVICE_NOT_FOUND', 'there is no such device');
  return device;
}
