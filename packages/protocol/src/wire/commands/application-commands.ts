import { COMMAND_PRIORITIES, type CommandDefinition, type PropertyDefinition } from './command-definition.ts';
import { ANDROID, onManaged } from './reach.ts';

const line = (maxCharacters: number): PropertyDefinition => ({ kind: 'text', maxCharacters, required: true });

/** Entitlement id of the Dynamics app; UEM takes it from the path of the request. */
const applicationId: PropertyDefinition = { kind: 'text', maxCharacters: 255, required: true, filledByUem: true };

const APPLICATION = {
  priority: COMMAND_PRIORITIES.administration,
  givenBy: 'administrator',
  carriedOutBy: 'application',
  properties: { applicationId },
  reach: onManaged(['ios', ...ANDROID], 'inferred'),
  oddities: [],
  status: 'described',
} as const;

/** Commands for one Dynamics app (`…/applications/{application}/commands`). Which kinds pass them on is our conclusion. */
export const APPLICATION_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  LOCK_APPLICATION: {
    ...APPLICATION,
    effect: 'Locks the app until its user has an unlock key.',
    source: 'Manage BlackBerry Dynamics apps; PS-A',
  },
  DELETE_APPLICATION: {
    ...APPLICATION,
    effect: 'Deletes the data of the app; it has to be activated anew.',
    source: 'Manage BlackBerry Dynamics apps; PS-A',
  },
  ATTEST_APPLICATION: {
    ...APPLICATION,
    properties: { applicationId, attestationType: { kind: 'choice', choices: ['SAFETYNET', 'HARDWARE_KEY', 'APP_INTEGRITY'], required: true } },
    effect: 'Asks for the attestation of the app.',
    source: 'PS-A (ATTEST_APPLICATION)',
  },
  BLOCK_APPLICATION: {
    ...APPLICATION,
    properties: { applicationId, title: line(255), body: line(1_024), actionId: line(255) },
    effect: 'Blocks the app and shows title and text, until the action is lifted.',
    source: 'PS-A (BLOCK_APPLICATION)',
  },
  UNBLOCK_APPLICATION: {
    ...APPLICATION,
    properties: { applicationId, actionId: line(255) },
    effect: 'Lifts the block of this action.',
    source: 'PS-A (UNBLOCK_APPLICATION)',
  },
};
