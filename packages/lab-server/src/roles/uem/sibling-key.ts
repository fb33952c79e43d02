import { type CryptoProvider, type Entropy, keySchedule, ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { isActivationDelegate } from '../../configuration/app-provisioning.ts';
import { changeAppInstance } from '../../state/app-instances.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { type GrantedKey, grantAppKey } from './grant-app-key.ts';
import { type KnownApp, knownApp } from './known-app.ts';

/** Keys that one sibling app may ask for in `SIBLING_WINDOW_MS`. */
export const SIBLING_REQUESTS = 5;
/** See `SIBLING_REQUESTS`. */
export const SIBLING_WINDOW_MS = 600_000;

/**
 * 0x51 of an activated app for another app on its device (F3.4), over its own session. User and device are those of the app that asks.
 * @throws ProtocolError `ERR_PEER_MISMATCH`, `ERR_PEER_REPLAY`, `ERR_REJECTED_BUSY`, `ERR_REJECTED_CREDENTIALS` when the app is not one any more
 */
export function grantToSibling(
  ports: { readonly crypto: CryptoProvider; readonly entropy: Entropy },
  tx: WriteView,
  { asked, request }: { readonly asked: wire.ProxyKeyRequest; readonly request: wire.AccessKeyForward },
  nowMs: number,
): GrantedKey {
  const known = knownApp(tx, asked, nowMs);
  // check: F3.4 the session was taken back meanwhile
  if ('refused' in known) throw new ProtocolError('ERR_REJECTED_CREDENTIALS', known.refused);
  const { app, user } = known;
  const recent = (app.keysAskedMs ?? []).filter((atMs) => Math.abs(nowMs - atMs) < SIBLING_WINDOW_MS);
  // check: F3.4 requests of a sibling in a window
  if (recent.length >= SIBLING_REQUESTS) throw new ProtocolError('ERR_REJECTED_BUSY', `more than ${SIBLING_REQUESTS} keys asked for in ten minutes`);
  changeAppInstance(tx, { ...app, keysAskedMs: [...recent, nowMs] });
  const { userGuid, appId, instanceId, deviceId } = app;
  const requester = { userGuid, userId: user.userId, deviceId, sibling: { appId, instanceId }, refused: refusalOf(tx, known, request) };
  return grantAppKey(ports, tx, request, requester, nowMs);
}

/** Why an app gets no key for this other one, whatever is to be said of that one alone. */
function refusalOf(view: ReadView, { app }: KnownApp, { platformId }: wire.AccessKeyForward): string | undefined {
  const { userGuid, appId } = app;
  // check: F3.4 the sibling is marked as delegate
  if (!isActivationDelegate(view, userGuid, appId)) return 'the app that asks is no delegate';
  // check: F3.4 no key between spaces of a device
  if (app.platformId !== undefined && !keySchedule.isSameSpace(app.platformId, platformId)) return 'the two apps are in different spaces';
  return undefined;
}
