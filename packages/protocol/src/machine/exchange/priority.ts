import { COMMAND_PRIORITIES, type CommandPriority } from '../../wire/commands/command-definition.ts';
import { commandDefinition } from '../../wire/commands/command-table.ts';

/** Priority class of a command type; a type that is not in the table waits behind everything else. */
export function commandPriority(type: string): CommandPriority {
  return commandDefinition(type)?.priority ?? COMMAND_PRIORITIES.request;
}

/** Commands after which the device is not managed any more: done means that nothing else is handed out to it. */
export function endsManagement(type: string): boolean {
  return commandDefinition(type)?.endsManagement === true;
}
