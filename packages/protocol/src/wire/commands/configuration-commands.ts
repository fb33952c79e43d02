import { COMMAND_PRIORITIES, type CommandDefinition } from './command-definition.ts';
import { ALL, onManaged } from './reach.ts';

const CONFIGURATION = {
  priority: COMMAND_PRIORITIES.configuration,
  givenBy: 'uem',
  carriedOutBy: 'device',
  reach: onManaged(ALL, 'described'),
  oddities: [],
  source: 'Receiving configuration updates on a device (content); the name is ours',
  status: 'ours',
} as const;

/** An update of a document that UEM keeps on the device: the whole of it, or a change of the revision that it names. */
const DOCUMENT_UPDATE = {
  revision: { kind: 'whole', min: 1, required: true },
  baseRevision: { kind: 'whole', min: 0, required: false },
  set: { kind: 'document', required: true },
  remove: { kind: 'list', required: false },
} as const;

/** Updates of the configuration (F5.1): after administration, before requests. UEM gives them when policies, profiles or assignments change. */
export const CONFIGURATION_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  UPDATE_IT_POLICY: {
    ...CONFIGURATION,
    properties: DOCUMENT_UPDATE,
    effect: 'Brings the IT policy to a newer revision. The answer names the rules that the device breaks.',
  },
  UPDATE_PROFILES: {
    ...CONFIGURATION,
    properties: DOCUMENT_UPDATE,
    effect: 'Brings the profiles to a newer revision.',
  },
  UPDATE_APPLICATIONS: {
    ...CONFIGURATION,
    properties: DOCUMENT_UPDATE,
    effect: 'Installs required apps, takes away what is assigned no more, offers the optional ones.',
  },
  UPDATE_COMPLIANCE_STATUS: {
    ...CONFIGURATION,
    properties: { compliant: { kind: 'flag', required: true }, findings: { kind: 'list', required: true } },
    effect: 'Shows the user which rules of compliance the device breaks, and what happens when.',
  },
};
