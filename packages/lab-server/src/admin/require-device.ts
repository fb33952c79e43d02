import { type DeviceRecord, deviceById } from '../state/devices.ts';
import { userByGuid } from '../state/users.ts';
import type { ReadView } from '../store/lab-store.ts';
import { AdminProblem } from './problem.ts';

/** A device, ended ones too. @throws AdminProblem `DEVICE_NOT_FOUND` */
export function requireDevice(view: ReadView, deviceId: string): DeviceRecord {
  const device = deviceById(view, deviceId);
  // What was never confirmed is no device yet.
  if (device === undefined || device.status === 'pending') throw notFound('there is no such device');
  return device;
}

/** A device of this user. @throws AdminProblem `USER_NOT_FOUND`, `DEVICE_NOT_FOUND` */
export function requireDeviceOfUser(view: ReadView, userGuid: string, deviceId: string): DeviceRecord {
  const device = deviceById(view, deviceId);
  // Nobody is deleted who has an active device, so there is no need to look.
  if (device?.status === 'active' && device.userGuid === userGuid) return device;
  if (userByGuid(view, userGuid) === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
  const found = requireDevice(view, deviceId);
  if (found.userGuid !== userGuid) throw notFound('the user has no such device');
  return found;
}

function notFound(message: string): AdminProblem {
  return new AdminProblem('DEVICE_NOT_FOUND', message);
}
