export {
  COMMAND_PRIORITIES,
  type CommandDefinition,
  type CommandPriority,
  type CommandReach,
  type PropertyDefinition,
  type PropertyKind,
  type Provenance,
} from './command-definition.ts';
export { COMMANDS, commandDefinition, reaches } from './command-table.ts';
