import { platformOf } from '../platforms.ts';
import { APPLICATION_COMMANDS } from './application-commands.ts';
import type { CommandDefinition, CommandReach } from './command-definition.ts';
import { CONFIGURATION_COMMANDS } from './configuration-commands.ts';
import { DEVICE_COMMANDS } from './device-commands.ts';
import { REQUEST_COMMANDS } from './request-commands.ts';
import { WORK_SPACE_COMMANDS } from './work-space-commands.ts';

/** Every command, in the order of F5.4; `docs/commands.md` is made from this table. */
export const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  ...DEVICE_COMMANDS,
  ...WORK_SPACE_COMMANDS,
  ...APPLICATION_COMMANDS,
  ...CONFIGURATION_COMMANDS,
  ...REQUEST_COMMANDS,
};

/** The command of this type; undefined for a type that is not in the table. */
export function commandDefinition(type: string): CommandDefinition | undefined {
  return Object.hasOwn(COMMANDS, type) ? COMMANDS[type] : undefined;
}

/**
 * Whether a command or property of this reach may have an effect on a device of that kind and activation type. `unknown`: a kind or activation
 * type of somebody else, of which the table says nothing.
 */
export function reaches(reach: readonly CommandReach[], platform: string, activationType: string): 'yes' | 'no' | 'unknown' {
  if (platformOf(platform)?.activationTypes.includes(activationType) !== true) return 'unknown';
  return reach.some((entry) => entry.platform === platform && entry.activationTypes.includes(activationType)) ? 'yes' : 'no';
}
