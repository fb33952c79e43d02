import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { assignedApplication } from '../../configuration/app-provisioning.ts';
import { type AppInstanceRecord, appInstanceById } from '../../state/app-instances.ts';
import { deviceById, isLive } from '../../state/devices.ts';
import { type UserRecord, userByGuid } from '../../state/users.ts';
import type { ReadView } from '../../store/lab-store.ts';

/** An activated app whose session key is in force. */
export interface KnownApp {
  readonly app: AppInstanceRecord;
  readonly user: UserRecord;
}

/** The app of an M1 of `px` or `dc`, or why it has no keys. What an administrator took away is gone here, whatever the app still holds. */
export function knownApp(view: ReadView, asked: wire.ProxyKeyRequest, nowMs: number): KnownApp | { readonly refused: string } {
  const app = appInstanceById(view, toHex(asked.instanceId));
  // check: F10.3 the session key of this app
  if (app === undefined || toHex(app.sessionKeyId) !== toHex(asked.sessionKeyId)) return { refused: 'no app with this key' };
  // check: F10.3 the session key lives
  if (nowMs >= app.sessionKeyExpiresAtMs) return { refused: 'the session key is out of date' };
  const user = userByGuid(view, app.userGuid);
  // check: F10.3 the app is assigned; the sweep that ends it may not have come so far
  if (assignedApplication(view, app.userGuid, app.appId) === undefined) return { refused: 'the app is not assigned to its user any more' };
  // check: F10.3 the user is there
  if (user === undefined) return { refused: 'the user of the app is gone' };
  // check: F10.3 the device is there, and this user's
  if (app.deviceId !== undefined && !isDeviceOf(view, app.deviceId, app.userGuid)) return { refused: 'the device of the app is gone' };
  return { app, user };
}

/** True while this device counts for this user. */
export function isDeviceOf(view: ReadView, deviceId: string, userGuid: string): boolean {
  const device = deviceById(view, deviceId);
  return device !== undefined && isLive(device) && device.userGuid === userGuid;
}
