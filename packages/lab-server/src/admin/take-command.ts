import { commandDefinition } from '@uemkit/protocol';
import type { CommandRecord, NewCommand } from '../state/commands.ts';
import { removeByCommand, type SendRefusal, sendCommand } from '../state/device-lifecycle.ts';
import type { DeviceRecord } from '../state/devices.ts';
import type { WriteView } from '../store/lab-store.ts';
import { checkApplicable } from './command-properties.ts';
import { AdminProblem } from './problem.ts';

const REFUSALS: Readonly<Record<SendRefusal, () => AdminProblem>> = {
  notActive: () => new AdminProblem('DEVICE_NOT_ACTIVE', 'the device is not active, so no command reaches it'),
  full: () => new AdminProblem('QUEUE_FULL', 'too many commands wait for the device'),
};

/** The refusal of a command for a device whose queue has no room. */
export function queueFull(): AdminProblem {
  return REFUSALS.full();
}

/**
 * Takes a checked command of an administrator for one device, alone or as one of many: into the queue, or carried out at once when UEM does that alone.
 * @param device as it is in this transaction
 * @throws AdminProblem `DEVICE_NOT_ACTIVE`, `COMMAND_NOT_APPLICABLE`, `QUEUE_FULL`
 */
export function takeCommand(tx: WriteView, device: DeviceRecord, command: NewCommand, nowMs: number): CommandRecord {
  if (device.status === 'active') {
    checkApplicable(command.type, command.properties, { platform: device.info.platform, activationType: device.activationType });
  }
  const isForUem = commandDefinition(command.type)?.carriedOutBy === 'uem';
  const taken = isForUem ? removeByCommand(tx, device, command, nowMs) : sendCommand(tx, device, command, nowMs);
  if (typeof taken === 'string') throw REFUSALS[taken]();
  return taken;
}
