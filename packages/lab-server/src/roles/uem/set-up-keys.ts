import {
  type AccessKeyFacts,
  type AppProvisioning,
  type CryptoProvider,
  type Entropy,
  fromHex,
  keySchedule,
  ProtocolError,
  type SetUpEnvelope,
  secret,
  toHex,
} from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { appConfiguration, appProxies, assignedApplication } from '../../configuration/app-provisioning.ts';
import { policyOfApp } from '../../configuration/application-policy.ts';
import {
  type AccessKeyRecord,
  accessKeyById,
  isLiveKey,
  MAX_FAILED_PROOFS,
  MAX_SET_UPS,
  putAccessKey,
  SET_UPS_WINDOW_MS,
  withdrawAccessKey,
} from '../../state/access-keys.ts';
import { coreKeyOf, putAppInstance } from '../../state/app-instances.ts';
import { appendEvent } from '../../state/events.ts';
import { putNocMessage } from '../../state/noc-outbox.ts';
import { userByGuid } from '../../state/users.ts';
import type { WriteView } from '../../store/lab-store.ts';
import { isDeviceOf } from './known-app.ts';

/** Life of a master session key; the app is activated anew then. */
const SESSION_KEY_LIFE_S = 31_536_000;

/** What a session of `sc` was given and what becomes durable only with its 0x41. */
export interface ProvisionedApp {
  readonly data: AppProvisioning;
  readonly request: wire.ProvisioningRequest;
}

/** Why a set-up goes no further; the app is told less. */
export interface SetUpRefusal {
  readonly refused: string;
  readonly error: ProtocolError;
}

export interface SetUpKeysOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly tenantId: string;
  /** DER. */
  readonly tenantRoots: readonly Uint8Array[];
}

/** The rules of docs/protocol/04, 4.7 over the state, each call in a transaction of its own. */
export interface SetUpKeys {
  /** Rules 1 and 3: the key, charged for one more M1; `refused` looks like a wrong key. */
  identify(tx: WriteView, envelope: SetUpEnvelope, nowMs: number): AccessKeyFacts | SetUpRefusal;
  /** Rule 2: a wrong mac1 or mac3 of somebody with a token. */
  proofFailed(tx: WriteView, envelope: SetUpEnvelope, nowMs: number): void;
  /** Rule 4, the catalogue and the assignment (4.2, rule 4). */
  provision(tx: WriteView, envelope: SetUpEnvelope, request: wire.ProvisioningRequest, nowMs: number): ProvisionedApp | SetUpRefusal;
  /** Rules 6 and 7: the key is used, its newest master session key lives, 0x42 is kept. */
  consume(tx: WriteView, envelope: SetUpEnvelope, session: ConsumedSession, nowMs: number): SetUpRefusal | undefined;
}

export interface ConsumedSession {
  readonly sessionId: Uint8Array;
  readonly acknowledgement: Uint8Array;
  readonly done: Uint8Array;
  readonly app: ProvisionedApp;
}

export function createSetUpKeys(options: SetUpKeysOptions): SetUpKeys {
  const { crypto, entropy, tenantId, tenantRoots } = options;

  /** The key of an envelope while it may begin something. */
  const liveKey = (tx: WriteView, { keyId, tenantId: tenant }: SetUpEnvelope, nowMs: number): AccessKeyRecord | undefined => {
    const key = accessKeyById(tx, toHex(keyId));
    return key !== undefined && tenant === tenantId && isLiveKey(key, nowMs) ? key : undefined;
  };

  return {
    identify(tx, envelope, nowMs) {
      const key = liveKey(tx, envelope, nowMs);
      // check: F3.10 the key lives
      if (key?.setUpPsk === undefined) return refusal('no such access key, or it is used, expired or dead');
      const recent = key.setUpsMs.filter((atMs) => Math.abs(nowMs - atMs) < SET_UPS_WINDOW_MS);
      // check: F3.10 fresh set-up messages
      if (recent.length >= MAX_SET_UPS) return refusal(`more than ${MAX_SET_UPS} set-up messages in ten minutes`);
      putAccessKey(tx, { ...key, setUpsMs: [...recent, nowMs] });
      return factsOf(key);
    },

    proofFailed(tx, envelope, nowMs) {
      const key = liveKey(tx, envelope, nowMs);
      if (key === undefined) return;
      const failedProofs = key.failedProofs + 1;
      // check: F3.10 failed proofs
      if (failedProofs < MAX_FAILED_PROOFS) putAccessKey(tx, { ...key, failedProofs });
      else withdrawAccessKey(tx, key, { type: 'ACCESS_KEY_REFUSED', reason: `${MAX_FAILED_PROOFS} failed proofs: the key is dead` }, nowMs);
    },

    provision(tx, envelope, request, nowMs) {
      const key = liveKey(tx, envelope, nowMs);
      const user = key === undefined ? undefined : userByGuid(tx, key.userGuid);
      if (key === undefined || user === undefined) return refusal('the access key ended meanwhile');
      const report = (reason: string): SetUpRefusal => {
        const { keyId, userGuid, origin } = key;
        const about = { userGuid, keyId, applicationId: request.appId, deviceId: origin?.deviceId };
        appendEvent(tx, { timeMs: nowMs, type: 'ACCESS_KEY_REFUSED', ...about, reason });
        return refusal(reason);
      };
      const deviceId = key.origin?.deviceId;
      // check: F3.11 the device that the key was asked for on
      if (deviceId !== undefined && !isDeviceOf(tx, deviceId, user.guid)) return report('the device is gone on which the key was asked for');
      const bound = { tokenId: toHex(envelope.tokenId), instanceId: toHex(request.instanceId), appId: request.appId };
      // check: F3.11 the first installation
      if (key.boundTo !== undefined && !isSame(key.boundTo, bound)) return report('another installation, or another token, proved it first');
      putAccessKey(tx, { ...key, boundTo: bound });
      const application = assignedApplication(tx, user.guid, request.appId);
      // check: F3.11 the app is assigned
      if (application === undefined) return report('the app is not in the catalogue, or not assigned to the user');
      const data: AppProvisioning = {
        masterSessionKey: entropy.randomBytes(32),
        sessionKeyId: entropy.randomBytes(16),
        configuration: appConfiguration(tx, application, user, bound.instanceId),
        policy: policyOfApp(tx, user.guid, application),
        proxies: appProxies(tx, tenantRoots),
        tenantRoots,
        expiryEpochS: Math.floor(nowMs / 1_000) + SESSION_KEY_LIFE_S,
        coreKeyExchangeKey: crypto.p256PublicKey(coreKeyOf(tx, () => keySchedule.randomScalar(entropy))),
      };
      return { data, request };
    },

    consume(tx, envelope, { sessionId, acknowledgement, done, app }, nowMs) {
      const keyId = toHex(envelope.keyId);
      const key = accessKeyById(tx, keyId);
      // A session that began in time may end a little late.
      // check: F3.11 one use
      if (key === undefined || key.used !== undefined) return refusal('the access key was used or taken back meanwhile');
      const { data, request } = app;
      const { userGuid, origin } = key;
      const linkId = toHex(envelope.linkId);
      const use = { atMs: nowMs, sessionId: toHex(sessionId), linkId, ackHash: toHex(crypto.sha256(acknowledgement)), done };
      putAccessKey(tx, { ...key, setUpPsk: undefined, used: use });
      putAppInstance(tx, {
        instanceId: toHex(request.instanceId),
        userGuid,
        appId: request.appId,
        appVersion: request.appVersion,
        platform: request.platform,
        deviceId: origin?.deviceId,
        platformId: origin?.platformId,
        linkId,
        keyId,
        masterSessionKey: data.masterSessionKey.slice(),
        sessionKeyId: data.sessionKeyId.slice(),
        sessionKeyExpiresAtMs: data.expiryEpochS * 1_000,
        activatedAtMs: nowMs,
      });
      putNocMessage(tx, keyId, { kind: 'used', linkId });
      appendEvent(tx, { timeMs: nowMs, type: 'ACCESS_KEY_USED', userGuid, keyId, applicationId: request.appId, deviceId: origin?.deviceId });
      return undefined;
    },
  };
}

function factsOf({ userId, setUpPsk, origin }: AccessKeyRecord): AccessKeyFacts {
  // A copy: whoever gets it wipes it.
  const psk = secret<'psk'>((setUpPsk as Uint8Array).slice());
  if (origin === undefined) return { userId, psk };
  const { appId, instanceId, deviceId, deviceKeyHash } = origin;
  const app = { appId, instanceId: fromHex(instanceId) };
  // The app has seen a device only where a UEM Client has shown it one.
  if (deviceId === undefined || deviceKeyHash === undefined) return { userId, psk, app };
  return { userId, psk, app, device: { deviceId, deviceKeyHash: fromHex(deviceKeyHash) } };
}

function isSame(a: NonNullable<AccessKeyRecord['boundTo']>, b: NonNullable<AccessKeyRecord['boundTo']>): boolean {
  return a.tokenId === b.tokenId && a.instanceId === b.instanceId && a.appId === b.appId;
}

function refusal(reason: string): SetUpRefusal {
  return { refused: reason, error: new ProtocolError('ERR_REJECTED_CREDENTIALS', reason) };
}
