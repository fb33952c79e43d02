import { COMMAND_PRIORITIES, type CommandDefinition } from './command-definition.ts';
import { ANDROID_WORK_SPACE, on, WORK_AND_PERSONAL } from './reach.ts';

/** A work space that is the whole device has no handle of its own: LOCK_DEVICE is for that one. */
const WORK_SPACE = {
  priority: COMMAND_PRIORITIES.administration,
  givenBy: 'administrator',
  carriedOutBy: 'device',
  properties: {},
  reach: on(ANDROID_WORK_SPACE, WORK_AND_PERSONAL, 'described'),
  oddities: [],
  status: 'described',
} as const;

/** Administration commands for a work space beside a personal side. */
export const WORK_SPACE_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  LOCK_WORK_SPACE: {
    ...WORK_SPACE,
    properties: { password: { kind: 'base64', maxCharacters: 400, required: true, secret: true } },
    effect: 'Gives the work space the password and locks it.',
    oddities: ['Unlike LOCK_DEVICE it always brings a password.'],
    source: 'Commands for Android devices; PS-B (LOCK_WORK_SPACE)',
  },
  RESET_WORK_SPACE_PASSWORD: {
    ...WORK_SPACE,
    effect: 'Deletes the password of the work space: the user is asked for a new one.',
    source: 'Commands for Android devices: Reset work space password; PS-A',
  },
  DISABLE_WORK_SPACE: {
    ...WORK_SPACE,
    effect: 'The work space cannot be opened any more; its data stay.',
    source: 'Commands for Android devices; PS-B (DISABLE_WORK_SPACE)',
  },
  ENABLE_WORK_SPACE: {
    ...WORK_SPACE,
    effect: 'A disabled work space can be opened again.',
    source: 'Commands for Android devices; PS-A',
  },
};
