import { type ActivationRecords, type ActivationVerifier, type CryptoProvider, type Entropy, type IssueRequest, secret, wire } from '@uemkit/protocol';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import { activationAnswer, putActivationAnswer } from '../../state/activation-answers.ts';
import { type ActivationSecretRecord, activationSecret, activationSecretById, putActivationSecret } from '../../state/activation-secrets.ts';
import { hasRoomForDevice } from '../../state/device-lifecycle.ts';
import { deviceByKey } from '../../state/devices.ts';
import { deviceKeyId } from '../../state/ids.ts';
import { profileFor } from '../../state/profiles.ts';
import { charged, refunded, TRY_RULES } from '../../state/try-budget.ts';
import { userByUserId } from '../../state/users.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { issueDevice, type ListenerAddresses } from './issue-device.ts';

/** Why the state refused a device; the device itself hears nothing of it. */
export type RecordsRefusal = 'unknownUser' | 'noSecret' | 'expiredSecret' | 'exhaustedSecret' | 'replacedSecret' | 'otherDeviceKey' | 'tooManyDevices';

export interface ActivationRecordsOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly authority: DeviceAuthority;
  readonly addresses: ListenerAddresses;
}

/** The records of one transaction, and what they found out for the journal. */
export interface RecordsOfTransaction {
  readonly records: ActivationRecords;
  readonly refusal: RecordsRefusal | undefined;
  readonly deviceId: string | undefined;
}

/** F1.4 over the state of the server, for one transaction at one time. */
export function activationRecords(options: ActivationRecordsOptions, tx: WriteView, nowMs: number): RecordsOfTransaction {
  const { crypto } = options;
  const found: { refusal: RecordsRefusal | undefined; deviceId: string | undefined } = { refusal: undefined, deviceId: undefined };
  const refuse = (refusal: RecordsRefusal): false => {
    found.refusal = refusal;
    return false;
  };

  const records: ActivationRecords = {
    find(userId, kind) {
      const verifier = findVerifier(tx, userId, kind);
      if (verifier === undefined) refuse(userByUserId(tx, userId) === undefined ? 'unknownUser' : 'noSecret');
      return verifier;
    },
    charge(secretId) {
      const kept = secretId === undefined ? undefined : activationSecretById(tx, secretId);
      const budget = kept === undefined ? undefined : charged(kept.tries, TRY_RULES[kept.kind], nowMs);
      const usable = kept !== undefined && kept.expiresAtMs > nowMs && budget !== undefined;
      if (usable) {
        putActivationSecret(tx, { ...kept, tries: budget });
        return true;
      }
      putDecoy(tx);
      if (secretId === undefined) return refuse('noSecret');
      if (kept === undefined) return refuse('replacedSecret');
      return refuse(kept.expiresAtMs <= nowMs ? 'expiredSecret' : 'exhaustedSecret');
    },
    refund(secretId) {
      const kept = activationSecretById(tx, secretId);
      if (kept !== undefined) putActivationSecret(tx, { ...kept, tries: refunded(kept.tries, TRY_RULES[kept.kind]) });
    },
    mayActivate(secretId, publicKey) {
      const kept = activationSecretById(tx, secretId);
      if (kept === undefined) return refuse('replacedSecret');
      const keyId = deviceKeyId(crypto, publicKey);
      if (isTakenByAnother(tx, kept, keyId, nowMs)) return refuse('otherDeviceKey');
      return hasRoom(tx, kept, keyId) || refuse('tooManyDevices');
    },
    recallResult: (requestHash) => activationAnswer(tx, requestHash, nowMs),
    rememberResult: (requestHash, frame) => putActivationAnswer(tx, requestHash, frame, nowMs),
    issue(request: IssueRequest) {
      const details = issueDevice(options, tx, request, nowMs);
      found.deviceId = details.deviceId;
      return details;
    },
  };
  return {
    records,
    get refusal() {
      return found.refusal;
    },
    get deviceId() {
      return found.deviceId;
    },
  };
}

/** The secret in force for a canonical user id; A1 needs nothing else and writes nothing. */
export function findVerifier(view: ReadView, userId: string, kind: wire.SecretKind): ActivationVerifier | undefined {
  const user = userByUserId(view, userId);
  const kept = user === undefined ? undefined : activationSecret(view, user.guid, kind);
  if (kept === undefined) return undefined;
  return { secretId: kept.secretId, salt: kept.salt, cost: kept.cost, verifier: { w0: secret<'w0'>(kept.w0), L: kept.L } };
}

/**
 * Crypto design 14.10: who has proved a one-time secret first goes on with the same device key, or somebody else after ten minutes.
 * A secret for many devices is meant to be used by several at a time; the number of devices bounds it.
 */
function isTakenByAnother(view: ReadView, kept: ActivationSecretRecord, keyId: string, nowMs: number): boolean {
  const { expireAfterUse, provedByKeyId, provedAtMs = 0 } = kept;
  if (!expireAfterUse || provedByKeyId === undefined || provedByKeyId === keyId) return false;
  const isRecent = nowMs < provedAtMs + wire.LIMITS.activationResultMs.value;
  return isRecent && deviceByKey(view, provedByKeyId)?.status === 'pending';
}

/** A device that counts already does not need another place. */
function hasRoom(view: ReadView, kept: ActivationSecretRecord, keyId: string): boolean {
  const known = deviceByKey(view, keyId);
  if (known?.status === 'active' && known.userGuid === kept.userGuid) return true;
  const user = userByUserId(view, kept.userId);
  const profile = profileFor(view, kept.profileId ?? user?.profileId);
  return profile !== undefined && hasRoomForDevice(view, kept.userGuid, profile.allowedDevices);
}

/** A write of the weight of a charge, so that neither time nor the disk tells that there is nothing to charge. */
function putDecoy(tx: WriteView): void {
  tx.put('decoy/secret', DECOY);
  tx.put('decoy/reference', DECOY.subarray(0, DECOY_REFERENCE_BYTES));
}

/** As long as a stored secret and its reference. */
const DECOY = new Uint8Array(480);
const DECOY_REFERENCE_BYTES = 64;
