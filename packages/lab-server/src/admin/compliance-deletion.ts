import { COMMANDS, reaches } from '@uemkit/protocol';
import type { CommandTarget } from './command-properties.ts';

/**
 * The command by which a compliance action deletes all data of a device, or the work data. All data is deleted only where the table says that UEM may; everywhere else, also on kinds of device
 * of somebody else, it degrades to the work data (documented for activation types that give the user privacy). Undefined: a device that UEM only knows, on which there is nothing to delete.
 */
export function complianceDeletion({ platform, activationType }: CommandTarget, isAll: boolean): 'DELETE_DEVICE_DATA' | 'DELETE_WORK_SPACE_DATA' | undefined {
  const reach = (type: string): ReturnType<typeof reaches> => reaches(COMMANDS[type]?.reach ?? [], platform, activationType);
  if (isAll && reach('DELETE_DEVICE_DATA') === 'yes') return 'DELETE_DEVICE_DATA';
  return reach('DELETE_WORK_SPACE_DATA') === 'no' ? undefined : 'DELETE_WORK_SPACE_DATA';
}
