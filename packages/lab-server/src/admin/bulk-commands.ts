import { type Clock, type Entropy, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { LabStore } from '../store/lab-store.ts';
import { checkCommand } from './command-properties.ts';
import type { NewDeviceCommand } from './new-device-command.ts';
import { AdminProblem, type ProblemId } from './problem.ts';
import { requireDevice } from './require-device.ts';
import { takeCommand } from './take-command.ts';

/** Commands that one bulk call may send to each device. */
export const MAX_BULK_COMMANDS = 8;
/** Commands of one bulk call, all devices together. */
export const MAX_BULK_TOTAL_COMMANDS = 80_000;
/** Devices that one bulk call may name, or find. */
export const MAX_BULK_DEVICES = 10_000;

/** Devices of one transaction: polls get in between. */
const DEVICES_PER_TRANSACTION = 50;

/** What became of one device: the ids of its commands in the order that was asked for, or why it got none of them. */
export interface BulkResult {
  readonly deviceId: string;
  readonly commandIds?: readonly string[] | undefined;
  readonly problem?: ProblemId | undefined;
}

/** Sends the same commands to many devices (F5.1). */
export interface BulkCommands {
  /**
   * Each device gets all of the commands or none; devices are answered in their order. Not one transaction for all: a server that stops in the middle has sent to the first ones.
   * @throws AdminProblem `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`: then nothing was sent
   */
  sendCommands(deviceIds: readonly string[], commands: readonly NewDeviceCommand[]): Promise<readonly BulkResult[]>;
}

interface CheckedCommand {
  readonly type: string;
  readonly properties: wire.WireDocument;
  readonly expiresAtMs?: number | undefined;
}

export function createBulkCommands(options: {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly store: LabStore;
  wake(deviceId: string): void;
}): BulkCommands {
  const { clock, entropy, store } = options;

  const checked = (command: NewDeviceCommand, nowMs: number, field: string): CheckedCommand => {
    const { type, properties = {}, expiresAtMs } = command;
    if (expiresAtMs !== undefined && !(expiresAtMs > nowMs)) throw new AdminProblem('INVALID_PROPERTY', `${field}.expiry: is not in the future`);
    return { type, properties: checkCommand(type, properties), expiresAtMs };
  };

  /** One device in a transaction of its own inside the group: what is refused half-way leaves nothing. */
  const sendAll = (deviceId: string, commands: readonly CheckedCommand[], nowMs: number): Promise<BulkResult> =>
    store
      .transaction((tx) => {
        const commandIds: string[] = [];
        for (const command of commands) {
          const commandId = toHex(entropy.randomBytes(16));
          // Anew for each: the command before may have ended the device.
          takeCommand(tx, requireDevice(tx, deviceId), { commandId, deviceId, ...command }, nowMs);
          commandIds.push(commandId);
        }
        return { deviceId, commandIds };
      })
      .catch((error: unknown) => {
        if (error instanceof AdminProblem) return { deviceId, problem: error.id };
        throw error;
      });

  return {
    async sendCommands(deviceIds, commands) {
      const nowMs = clock.nowMs();
      const ready = commands.map((command, index) => checked(command, nowMs, `commands.${index}`));
      const results: BulkResult[] = [];
      for (let at = 0; at < deviceIds.length; at += DEVICES_PER_TRANSACTION) {
        const some = deviceIds.slice(at, at + DEVICES_PER_TRANSACTION);
        const sent = await Promise.all(some.map((deviceId) => sendAll(deviceId, ready, nowMs)));
        for (const { deviceId, commandIds } of sent) if (commandIds !== undefined) options.wake(deviceId);
        results.push(...sent);
      }
      return results;
    },
  };
}
