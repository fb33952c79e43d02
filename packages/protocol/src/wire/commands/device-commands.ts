import { COMMAND_PRIORITIES, type CommandDefinition, type PropertyDefinition } from './command-definition.ts';
import { ALL, ANDROID, DEVICE_CONTROL, on, onAll, onManaged, together, WORK_AND_PERSONAL } from './reach.ts';

const ADMINISTRATION = {
  priority: COMMAND_PRIORITIES.administration,
  givenBy: 'administrator',
  carriedOutBy: 'device',
  properties: {},
  oddities: [],
  status: 'described',
} as const;

const text = (required: boolean): PropertyDefinition => ({ kind: 'text', maxCharacters: 1_024, required });
/** Base64 of a password, as everywhere in the REST API. */
const password = (required: boolean): PropertyDefinition => ({ kind: 'base64', maxCharacters: 400, required, secret: true });

/** Administration commands for the device as a whole (F5.4): they come before everything else. */
export const DEVICE_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  LOCK_DEVICE: {
    ...ADMINISTRATION,
    properties: { password: { ...password(false), reach: on(ANDROID, DEVICE_CONTROL, 'described') }, message: text(false) },
    reach: together(
      on(ANDROID, [...WORK_AND_PERSONAL, ...DEVICE_CONTROL], 'described'),
      on(['windows-10'], DEVICE_CONTROL, 'described'),
      on(['ios', 'macos', 'blackberry-10'], DEVICE_CONTROL, 'inferred'),
    ),
    effect: 'Locks the device and shows the message. With a password the device gets that password first.',
    oddities: ['On a device without a device password it ends well and does nothing.', 'Only Android takes a password with it.'],
    source: 'Commands for Android devices; Specify device password and lock; PS-A, PS-B',
  },
  GENERATE_DEVICE_PASSWORD_AND_LOCK: {
    ...ADMINISTRATION,
    properties: { password: { ...password(true), filledByUem: true } },
    reach: on(['windows-10'], DEVICE_CONTROL, 'described'),
    effect: 'UEM makes a new device password; the device takes it and locks.',
    oddities: [
      'The password is mailed to the user. A user without an e-mail address cannot be told so: then the administrator is, once (ours). The name of the command is ours.',
    ],
    source: 'Commands for Windows devices: Generate device password and lock',
    status: 'ours',
  },
  UNLOCK_DEVICE: {
    ...ADMINISTRATION,
    reach: together(on(ANDROID, DEVICE_CONTROL, 'described'), on(['ios'], DEVICE_CONTROL, 'inferred')),
    effect: 'Unlocks the device and clears its password.',
    source: 'Commands for Android devices: Unlock device and clear password; PS-A',
  },
  DELETE_WORK_SPACE_DATA: {
    ...ADMINISTRATION,
    reach: onManaged(ALL, 'described'),
    endsManagement: true,
    effect: 'Deletes the work data: work space, managed apps, policy, profiles. The device is deactivated; the account of the user stays.',
    source: 'Commands for Android devices: Delete only work data; PS-A',
  },
  DELETE_DEVICE_DATA: {
    ...ADMINISTRATION,
    reach: on(ALL, DEVICE_CONTROL, 'described'),
    endsManagement: true,
    effect: 'Deletes all data: the device is as it left the factory, and deactivated.',
    oddities: ['As a compliance action on a device under user privacy, UEM deletes only the work data; asked for by an administrator it is refused there.'],
    source: 'Commands for Android devices: Delete all device data; PS-A; Common: Compliance profile settings',
  },
  REMOVE_DEVICE: {
    ...ADMINISTRATION,
    carriedOutBy: 'uem',
    reach: onAll('described'),
    effect: 'UEM forgets the device at once and waits for no answer.',
    oddities: ['A device that makes contact later is refused, and deletes its work data.'],
    source: 'Commands for Android devices: Remove device; PS-A',
  },
  ENABLE_LOST_MODE: {
    ...ADMINISTRATION,
    properties: { phoneNumber: text(true), message: text(true), footnote: text(false) },
    reach: on(['ios'], DEVICE_CONTROL, 'inferred'),
    supervisedOnly: true,
    effect: 'Locks the device and shows number, message and footnote until lost mode ends.',
    oddities: ['Unlocking does not end it.'],
    source: 'PS-A (ENABLE_LOST_MODE)',
  },
  DISABLE_LOST_MODE: {
    ...ADMINISTRATION,
    reach: on(['ios'], DEVICE_CONTROL, 'inferred'),
    supervisedOnly: true,
    effect: 'Ends lost mode. On a device that is not in lost mode it ends well and does nothing.',
    source: 'PS-A (DISABLE_LOST_MODE)',
  },
  UPDATE_DEVICE_OS: {
    ...ADMINISTRATION,
    properties: {
      installAction: { kind: 'choice', choices: ['DOWNLOAD_ONLY', 'INSTALL'], required: true },
      osVersion: { kind: 'text', maxCharacters: 64, required: true },
    },
    reach: on(['ios'], DEVICE_CONTROL, 'inferred'),
    supervisedOnly: true,
    effect: 'Downloads a newer version of the operating system, or installs it.',
    oddities: ['A version that is not newer is refused by the device. The values of installAction are ours.'],
    source: 'PS-A (UPDATE_DEVICE_OS)',
  },
  WIPE_APPLICATIONS: {
    ...ADMINISTRATION,
    reach: onManaged(['ios'], 'inferred'),
    effect: 'Deletes the data of all managed apps. The apps stay, and the device stays activated.',
    source: 'PS-A (WIPE_APPLICATIONS)',
  },
};
