/** Order in which commands are handed out (F5.4): the lowest number first. */
export const COMMAND_PRIORITIES = { administration: 0, configuration: 1, request: 2 } as const;

export type CommandPriority = (typeof COMMAND_PRIORITIES)[keyof typeof COMMAND_PRIORITIES];

/** Documented command types and ours (`UPDATE_*`), each with its priority class. */
export const COMMAND_TYPES: Readonly<Record<string, CommandPriority>> = {
  LOCK_DEVICE: COMMAND_PRIORITIES.administration,
  UNLOCK_DEVICE: COMMAND_PRIORITIES.administration,
  DELETE_WORK_SPACE_DATA: COMMAND_PRIORITIES.administration,
  DELETE_DEVICE_DATA: COMMAND_PRIORITIES.administration,
  UPDATE_IT_POLICY: COMMAND_PRIORITIES.configuration,
  UPDATE_PROFILES: COMMAND_PRIORITIES.configuration,
  UPDATE_APPLICATIONS: COMMAND_PRIORITIES.configuration,
  UPDATE_COMPLIANCE_STATUS: COMMAND_PRIORITIES.configuration,
  REQUEST_DEVICE_INFO: COMMAND_PRIORITIES.request,
  REQUEST_INSTALLED_APPS: COMMAND_PRIORITIES.request,
};

/** Priority class of a command type; a type that is not in the table waits behind everything else. */
export function commandPriority(type: string): CommandPriority {
  return Object.hasOwn(COMMAND_TYPES, type) ? (COMMAND_TYPES[type] as CommandPriority) : COMMAND_PRIORITIES.request;
}

/** Commands after which the device is not managed any more: done means that nothing else is handed out to it. */
export function endsManagement(type: string): boolean {
  return type === 'DELETE_DEVICE_DATA' || type === 'DELETE_WORK_SPACE_DATA';
}
