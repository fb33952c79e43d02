import type { AdminRole } from './admin-role.ts';

/** Commands that help desk may send: those that lock, give access again, or ask. Every other deletes or configures. */
const HELP_DESK_COMMANDS: ReadonlySet<string> = new Set([
  'LOCK_DEVICE',
  'UNLOCK_DEVICE',
  'GENERATE_DEVICE_PASSWORD_AND_LOCK',
  'LOCK_WORK_SPACE',
  'RESET_WORK_SPACE_PASSWORD',
  'ENABLE_LOST_MODE',
  'DISABLE_LOST_MODE',
  'REQUEST_DEVICE_INFO',
  'REQUEST_INSTALLED_APPS',
  'GET_DEVICE_LOGS',
]);

/** Least role that may send a command of this type. */
export function leastRoleOfCommand(type: string): AdminRole {
  return HELP_DESK_COMMANDS.has(type) ? 'helpDesk' : 'administrator';
}
