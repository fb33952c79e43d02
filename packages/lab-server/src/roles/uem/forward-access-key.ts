import { type CryptoProvider, type Entropy, keySchedule, ProtocolError, toHex, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { accessKeySecrets } from '../../access-keys/access-key-secrets.ts';
import { assignedApplication } from '../../configuration/app-provisioning.ts';
import { isAnswered, putAnswered } from '../../state/access-key-requests.ts';
import { accessKeyName, addAccessKey, dropExpiredKeys, listAccessKeys, MAX_ACCESS_KEYS_PER_USER } from '../../state/access-keys.ts';
import { appendRefusal } from '../../state/refusal-events.ts';
import type { WriteView } from '../../store/lab-store.ts';
import { alerted, answered } from '../role-answers.ts';
import type { KnownDevice } from './device-peer.ts';
import type { ServiceOutcome } from './service-outcome.ts';

/** Life of an assisted access key: nobody has to type it. */
export const ASSISTED_KEY_LIFE_MS = 600_000;

/** What became of a request; `keyId` (hex) when there is a key that the NOC has to hear of before the answer leaves. */
export interface ForwardedKey {
  readonly outcome: ServiceOutcome;
  readonly keyId?: string | undefined;
}

/**
 * 0x51 of a UEM Client (F3.4): an access key for an app on its device, under the rules of docs/protocol/04, 4.2. The device is that of the certificate.
 * @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_MISMATCH`, `ERR_PEER_REPLAY`
 */
export function forwardAccessKey(
  { crypto, entropy }: { readonly crypto: CryptoProvider; readonly entropy: Entropy },
  tx: WriteView,
  frame: wire.Frame,
  { device, certificate }: KnownDevice,
  nowMs: number,
): ForwardedKey {
  const { appId, instanceId, nonce, platformId, deviceId } = wire.accessKeyForward.decode(frame);
  const { userGuid, userId } = device;
  // check: F3.4 the device is that of the certificate
  if (deviceId !== undefined && deviceId !== device.deviceId) throw new ProtocolError('ERR_PEER_MISMATCH', 'the device is not that of the certificate');
  const [instance, nonceHash] = [toHex(instanceId), toHex(crypto.sha256(nonce))];
  // check: F3.4 one key for each nonce
  if (isAnswered(tx, instance, nonceHash, nowMs)) throw new ProtocolError('ERR_PEER_REPLAY', 'this installation has sent this nonce before');
  const refused = (reason: string): ForwardedKey => {
    appendRefusal(tx, { timeMs: nowMs, type: 'ACCESS_KEY_REFUSED', userGuid, deviceId: device.deviceId, applicationId: appId, reason });
    return { outcome: { ...alerted('authFailed', reason), step: 'F3.4' } };
  };
  const application = assignedApplication(tx, userGuid, appId);
  if (application === undefined) return refused('the app is not in the catalogue, or not assigned to the user');
  // check: F3.4 platform id of the app
  if (application.platformIds?.includes(platformId) !== true) return refused('the catalogue knows the app under another platform id');
  dropExpiredKeys(tx, userGuid, nowMs);
  if (listAccessKeys(tx, userGuid).length >= MAX_ACCESS_KEYS_PER_USER) return refused('the user has too many access keys that wait to be used');

  putAnswered(tx, instance, nonceHash, nowMs);
  const accessKey = keySchedule.generateAccessKey(entropy);
  const keyIdBytes = entropy.randomBytes(16);
  const keyId = accessKeyName(keyIdBytes);
  const expiresAtMs = nowMs + ASSISTED_KEY_LIFE_MS;
  const deviceKeyHash = toHex(crypto.sha256(x509.publicKeyInfo(x509.readCertificate(certificate.der).publicKey)));
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
    origin: { appId, instanceId: instance, deviceId: device.deviceId, deviceKeyHash },
  });
  const response = { accessKey, keyId: keyIdBytes, nonce, expiryEpochS: Math.floor(expiresAtMs / 1_000), userId };
  return { outcome: { ...answered(wire.accessKeyResponse, response), step: 'F3.5' }, keyId };
}
