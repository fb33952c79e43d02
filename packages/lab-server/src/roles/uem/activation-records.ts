import { type ActivationRecords, type ActivationVerifier, type CryptoProvider, type Entropy, type IssueRequest, secret } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority } from '../../ca/device-authority.ts';
import { activationAnswer, putActivationAnswer } from '../../state/activation-answers.ts';
import { type ActivationSecretRecord, activationSecret, activationSecretById, hasItsProfile, putActivationSecret } from '../../state/activation-secrets.ts';
import { deviceByKey } from '../../state/devices.ts';
import { deviceKeyId } from '../../state/ids.ts';
import { charged, refunded, TRY_RULES } from '../../state/try-budget.ts';
import { userByUserId } from '../../state/users.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { type ComplianceRules, issueDevice, type ListenerAddresses } from './issue-device.ts';

/** Why the state refused a device before it was authenticated, or in doubt; the device itself hears nothing of it. */
export type RecordsRefusal = 'unknownUser' | 'noSecret' | 'expiredSecret' | 'exhaustedSecret' | 'replacedSecret' | 'deletedProfile' | 'otherDeviceKey';

export interface ActivationRecordsOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly authority: DeviceAuthority;
  readonly addresses: ListenerAddresses;
  readonly compliance?: ComplianceRules | undefined;
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
    find(userId, kind, slot) {
      const verifier = findVerifier(tx, userId, kind, slot);
      if (verifier === undefined) refuse(userByUserId(tx, userId) === undefined ? 'unknownUser' : 'noSecret');
      return verifier;
    },
    charge(secretId) {
      const kept = secretId === undefined ? undefined : activationSecretById(tx, secretId);
      const budget = kept === undefined ? undefined : charged(kept.tries, TRY_RULES[kept.kind], nowMs);
      const usable = kept !== undefined && kept.expiresAtMs > nowMs && budget !== undefined && hasItsProfile(tx, kept);
      if (usable) {
        putActivationSecret(tx, { ...kept, tries: budget });
        return true;
      }
      putDecoy(tx);
      if (secretId === undefined) return refuse('noSecret');
      if (kept === undefined) return refuse('replacedSecret');
      if (!hasItsProfile(tx, kept)) return refuse('deletedProfile');
      return refuse(kept.expiresAtMs <= nowMs ? 'expiredSecret' : 'exhaustedSecret');
    },
    refund(secretId) {
      const kept = activationSecretById(tx, secretId);
      if (kept !== undefined) putActivationSecret(tx, { ...kept, tries: refunded(kept.tries, TRY_RULES[kept.kind]) });
    },
    mayActivate(secretId, publicKey) {
      const kept = activationSecretById(tx, secretId);
      if (kept === undefined) return refuse('replacedSecret');
      return !isTakenByAnother(tx, kept, deviceKeyId(crypto, publicKey), nowMs) || refuse('otherDeviceKey');
    },
    recallResult: (requestHash) => activationAnswer(tx, requestHash, nowMs),
    rememberResult: (requestHash, frame) => putActivationAnswer(tx, requestHash, frame, nowMs),
    issue(request: IssueRequest) {
      const outcome = issueDevice(options, tx, request, nowMs);
      if (!wire.isActivationRefused(outcome)) found.deviceId = outcome.deviceId;
      return outcome;
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
export function findVerifier(view: ReadView, userId: string, kind: wire.SecretKind, slot: number): ActivationVerifier | undefined {
  const user = userByUserId(view, userId);
  const kept = user === undefined ? undefined : activationSecret(view, user.guid, kind, slot);
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
  const isRecent = nowMs < provedAtMs + wire.LIMITS.activationResultMs;
  return isRecent && deviceByKey(view, provedByKeyId)?.status === 'pending';
}

/** A write of the weight of a charge, so that neither time nor the disk tells that there is nothing to charge. */
function putDecoy(tx: WriteView): void {
  tx.put('decoy/secret', DECOY);
  tx.put('decoy/reference', DECOY.subarray(0, DECOY_REFERENCE_BYTES));
}

/** As long as a stored secret and its reference. */
const DECOY = new Uint8Array(480);
const DECOY_REFERENCE_BYTES = 64;
