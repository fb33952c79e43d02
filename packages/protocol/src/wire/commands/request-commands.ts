import { COMMAND_PRIORITIES, type CommandDefinition } from './command-definition.ts';
import { ALL, ANDROID, onAll, onManaged } from './reach.ts';

const REQUEST = {
  priority: COMMAND_PRIORITIES.request,
  givenBy: 'administrator',
  carriedOutBy: 'device',
  properties: {},
  oddities: [],
  status: 'described',
} as const;

/** Requests for information: they come last (F5.4). */
export const REQUEST_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  REQUEST_DEVICE_INFO: {
    ...REQUEST,
    reach: onAll('inferred'),
    effect: 'The device tells what it is and how it is.',
    oddities: ['Identifiers of the hardware are left out where the activation type gives the user privacy (ours).'],
    source: 'Receiving configuration updates on a device; PS-A',
  },
  REQUEST_INSTALLED_APPS: {
    ...REQUEST,
    reach: onManaged(ALL, 'described'),
    effect: 'The device lists its apps.',
    oddities: ['Personal apps are left out where the activation type gives the user privacy (ours).'],
    source: 'Receiving configuration updates on a device (content); the name is ours',
    status: 'ours',
  },
  GET_DEVICE_LOGS: {
    ...REQUEST,
    reach: onManaged(['ios', ...ANDROID], 'inferred'),
    effect: 'The UEM Client gives its newest log entries away.',
    source: 'PS-A (GET_DEVICE_LOGS)',
  },
};
