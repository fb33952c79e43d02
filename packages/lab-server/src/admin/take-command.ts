import { commandDefinition } from '@uemkit/protocol';
import type { CommandRecord, NewCommand } from '../state/commands.ts';
import { removeByCommand, type SendRefusal, sendCommand } from '../state/device-lifecycle.ts';
import { deviceById } from '../state/devices.ts';
import type { WriteView } from '../store/lab-store.ts';
import { checkApplicable } from './command-properties.ts';
import { AdminProblem } from './problem.ts';

const REFUSALS: Readonly<Record<SendRefusal, () => AdminProblem>> = {
  unknown: () => new AdminProblem('DEVICE_NOT_FOUND', 'there is no such device'),
  notActive: () => new AdminProblem('DEVICE_NOT_ACTIVE', 'the device is not active, so no command reaches it'),
  full: () => new AdminProblem('QUEUE_FULL', 'too many commands wait for the device'),
};

/** The refusal of a command for a device whose queue has no room. */
export function queueFull(): AdminProblem {
  return REFUSALS.full();
}

/**
 * Takes a checked command of an administrator for one device, alone or as one of many: into the queue, or carried out at once when UEM does that alone.
 * @throws AdminProblem `DEVICE_NOT_FOUND`, `DEVICE_NOT_ACTIVE`, `COMMAND_NOT_APPLICABLE`, `QUEUE_FULL`
 */
export function takeCommand(tx: WriteView, command: NewCommand, nowMs: number): CommandRecord {
  const device = deviceById(tx, command.deviceId);
  if (device?.status === 'active') {
    checkApplicable(command.type, command.properties, { platform: device.info.platform, activationType: device.activationType });
  }
  const isForUem = commandDefinition(command.type)?.carriedOutBy === 'uem';
  const taken = isForUem ? removeByCommand(tx, command, nowMs) : sendCommand(tx, command, nowMs);
  if (typeof taken === 'string') throw REFUSALS[taken]();
  return taken;
}
