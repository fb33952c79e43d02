import { wire } from '@uemkit/protocol';
import type { CommandTarget } from './command-properties.ts';

/**
 * The command by which a compliance action deletes all data of a device, or the work data. Where the activation type gives the user privacy, all data degrades to the work data,
 * as documented; the same wish of an administrator is refused there. Undefined: a device that UEM only knows, on which there is nothing to delete.
 */
export function complianceDeletion({ platform, activationType }: CommandTarget, isAll: boolean): 'DELETE_DEVICE_DATA' | 'DELETE_WORK_SPACE_DATA' | undefined {
  const reaches = (type: string): boolean => wire.reaches(wire.COMMANDS[type]?.reach ?? [], platform, activationType) !== 'no';
  if (isAll && reaches('DELETE_DEVICE_DATA')) return 'DELETE_DEVICE_DATA';
  return reaches('DELETE_WORK_SPACE_DATA') ? 'DELETE_WORK_SPACE_DATA' : undefined;
}
