import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { assignedApplication } from '../../configuration/app-provisioning.ts';
import { type AppInstanceRecord, appInstanceById } from '../../state/app-instances.ts';
import type { ApplicationRecord } from '../../state/applications.ts';
import { deviceById, isLive } from '../../state/devices.ts';
import { type UserRecord, userByGuid } from '../../state/users.ts';
import type { ReadView } from '../../store/lab-store.ts';

/** An activated app whose session key is in force. */
export interface KnownApp {
  readonly app: AppInstanceRecord;
  readonly user: UserRecord;
  readonly application: ApplicationRecord;
}

/** The same for what UEM says to the app itself: without `application` it is not assigned any more, which it may hear. */
export type AskingKnownApp = Omit<KnownApp, 'application'> & { readonly application: ApplicationRecord | undefined };

/** The app of an M1 of `px` or `dc`, or why it has no keys. What an administrator took away is gone here, whatever the app still holds. */
export function knownApp(view: ReadView, asked: wire.ProxyKeyRequest, nowMs: number): KnownApp | { readonly refused: string } {
  const known = askingApp(view, asked, nowMs);
  if ('refused' in known) return known;
  const { application } = known;
  // check: F10.3 the app is assigned; the sweep that ends it may not have come so far
  return application === undefined ? { refused: 'the app is not assigned to its user any more' } : { ...known, application };
}

/** The app of an M1 of `px` towards UEM itself. */
export function askingApp(view: ReadView, asked: wire.ProxyKeyRequest, nowMs: number): AskingKnownApp | { readonly refused: string } {
  const app = appInstanceById(view, toHex(asked.instanceId));
  // check: F10.3 the session key of this app
  if (app === undefined || toHex(app.sessionKeyId) !== toHex(asked.sessionKeyId)) return { refused: 'no app with this key' };
  // check: F10.3 the session key lives
  if (nowMs >= app.sessionKeyExpiresAtMs) return { refused: 'the session key is out of date' };
  const user = userByGuid(view, app.userGuid);
  // check: F10.3 the user is there
  if (user === undefined) return { refused: 'the user of the app is gone' };
  // check: F10.3 the device is there, and this user's
  if (app.deviceId !== undefined && !isDeviceOf(view, app.deviceId, app.userGuid)) return { refused: 'the device of the app is gone' };
  // One that has begun to end does not come back: its link leads nowhere else any more.
  const application = app.endingSinceMs === undefined ? assignedApplication(view, app.userGuid, app.appId) : undefined;
  return { app, user, application };
}

/** True while this device counts for this user. */
export function isDeviceOf(view: ReadView, deviceId: string, userGuid: string): boolean {
  const device = deviceById(view, deviceId);
  return device !== undefined && isLive(device) && device.userGuid === userGuid;
}
