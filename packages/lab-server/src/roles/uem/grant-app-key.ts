import { type CryptoProvider, type Entropy, keySchedule, ProtocolError, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { accessKeySecrets } from '../../access-keys/access-key-secrets.ts';
import { assignedApplication } from '../../configuration/app-provisioning.ts';
import { isAnswered, putAnswered } from '../../state/access-key-requests.ts';
import { type AccessKeyOrigin, accessKeyName, addAccessKey, dropExpiredKeys, listAccessKeys, MAX_ACCESS_KEYS_PER_USER } from '../../state/access-keys.ts';
import { appInstanceById } from '../../state/app-instances.ts';
import { appendRefusal } from '../../state/refusal-events.ts';
import { userByGuid } from '../../state/users.ts';
import type { WriteView } from '../../store/lab-store.ts';
import { isDeviceOf } from './known-app.ts';

/** Life of an assisted access key: nobody has to type it. */
export const ASSISTED_KEY_LIFE_MS = 600_000;

/** Who asks for the key of an app (F3.4): the device and its user, or an activated app of that user. What is said of it was proved, and is not in the request. */
export interface KeyRequester extends Pick<AccessKeyOrigin, 'deviceId' | 'deviceKeyHash' | 'sibling'> {
  readonly userGuid: string;
  /** Canonical. */
  readonly userId: string;
  /** Why this requester gets no key at all. */
  readonly refused?: string | undefined;
}

/** A key, or why there is none; the refusal is an event already. */
export type GrantedKey = { readonly response: wire.AccessKeyResponse; readonly keyId: string } | { readonly refused: string };

/**
 * An access key for an app, under the rules of docs/protocol/04, 4.2, whoever asks for it (F3.4, F3.5). Tell the NOC of it when the transaction is durable.
 * @throws ProtocolError `ERR_PEER_MISMATCH`, `ERR_PEER_REPLAY`
 */
export function grantAppKey(
  { crypto, entropy }: { readonly crypto: CryptoProvider; readonly entropy: Entropy },
  tx: WriteView,
  request: wire.AccessKeyForward,
  requester: KeyRequester,
  nowMs: number,
): GrantedKey {
  const { appId, instanceId, nonce, platformId } = request;
  const { userGuid, userId, deviceId, deviceKeyHash, sibling } = requester;
  // check: F3.4 the device is that of the certificate, or of the session
  if (request.deviceId !== undefined && request.deviceId !== deviceId) {
    throw new ProtocolError('ERR_PEER_MISMATCH', 'the device is not the one that asks');
  }
  const [instance, nonceHash] = [toHex(instanceId), toHex(crypto.sha256(nonce))];
  // check: F3.4 one key for each nonce
  if (isAnswered(tx, instance, nonceHash, nowMs)) throw new ProtocolError('ERR_PEER_REPLAY', 'this installation has sent this nonce before');
  const refused = (reason: string): GrantedKey => {
    appendRefusal(tx, { timeMs: nowMs, type: 'ACCESS_KEY_REFUSED', userGuid, deviceId, applicationId: appId, reason });
    return { refused: reason };
  };
  if (requester.refused !== undefined) return refused(requester.refused);
  const application = assignedApplication(tx, userGuid, appId);
  if (application === undefined) return refused('the app is not in the catalogue, or not assigned to the user');
  // check: F3.4 platform id of the app
  if (application.platformIds?.includes(platformId) !== true) return refused('the catalogue knows the app under another platform id');
  const elsewhere = installedElsewhere(tx, instance, requester);
  // check: F3.4 the installation is this user's, on this device
  if (elsewhere !== undefined) return refused(elsewhere);
  dropExpiredKeys(tx, userGuid, nowMs);
  if (listAccessKeys(tx, userGuid).length >= MAX_ACCESS_KEYS_PER_USER) return refused('the user has too many access keys that wait to be used');

  putAnswered(tx, instance, nonceHash, nowMs);
  const accessKey = keySchedule.generateAccessKey(entropy);
  const keyIdBytes = entropy.randomBytes(16);
  const keyId = accessKeyName(keyIdBytes);
  const expiresAtMs = nowMs + ASSISTED_KEY_LIFE_MS;
  addAccessKey(tx, {
    keyId,
    userGuid,
    userId,
    kind: 'assisted',
    ...accessKeySecrets(crypto, keySchedule.assistedAccessKey(crypto, accessKey, userId, nonce)),
    createdAtMs: nowMs,
    expiresAtMs,
    failedProofs: 0,
    setUpsMs: [],
    origin: { appId, instanceId: instance, platformId, deviceId, deviceKeyHash, sibling },
  });
  return { response: { accessKey, keyId: keyIdBytes, nonce, expiryEpochS: Math.floor(expiresAtMs / 1_000), userId }, keyId };
}

/** Why this installation cannot be on the device of the requester: UEM knows it as another user's, or on another device that counts. */
function installedElsewhere(tx: WriteView, instanceId: string, { userGuid, deviceId }: KeyRequester): string | undefined {
  const known = appInstanceById(tx, instanceId);
  if (known === undefined) return undefined;
  if (known.userGuid !== userGuid) return userByGuid(tx, known.userGuid) === undefined ? undefined : 'the installation is that of another user';
  const isElsewhere = known.deviceId !== undefined && known.deviceId !== deviceId && isDeviceOf(tx, known.deviceId, userGuid);
  return isElsewhere ? 'the installation is on another device' : undefined;
}
