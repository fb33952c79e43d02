import { type CryptoProvider, type Entropy, type IssueRequest, ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { DeviceAuthority, IssuedCertificate } from '../../ca/device-authority.ts';
import { activationProfileOf } from '../../configuration/activation-profile-of.ts';
import { putActivationRefusal } from '../../state/activation-refusals.ts';
import { type ActivationSecretRecord, activationSecretById, putActivationSecret } from '../../state/activation-secrets.ts';
import { activationSettings } from '../../state/activation-settings.ts';
import { deleteCertificate, putCertificate, revokeCertificate } from '../../state/certificates.ts';
import { endDevice, purgeDevice } from '../../state/device-lifecycle.ts';
import {
  activeDevicesOfTenant,
  type DeviceRecord,
  deviceByKey,
  deviceCountsOf,
  MAX_KNOWN_CERTIFICATES,
  pendingDevicesOf,
  putDevice,
} from '../../state/devices.ts';
import { deviceKeyId, randomUuid } from '../../state/ids.ts';
import { type ActivationProfileRecord, type ActivationTypeChoice, profileFor } from '../../state/profiles.ts';
import { putTunnelKey } from '../../state/tunnel-keys.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';
import { type Applicant, judgeApplicant } from './activation-rules.ts';

/** Unconfirmed devices of one user; the oldest makes room. */
export const MAX_PENDING_DEVICES = 1_000;

/** From A6 to A7, longest. The user may take time over the notice of the organisation, but what was accepted does not wait for ever for somebody who finds the device. */
export const MAX_UNCONFIRMED_MS: number = 7 * 86_400_000;

/** Where devices find this tenant (F1.4). */
export interface ListenerAddresses {
  /** `host:port` of the device listener. */
  readonly device: string;
  /** `host:port` of the listener for devices that sign their requests; absent: there is none. */
  readonly signedDevice?: string | undefined;
  /** `host:port` of the notification service; absent: devices only poll. */
  readonly notification?: string | undefined;
}

/** What compliance says about new activations (F1.4). Another part of the server knows the rules; it reads the same transaction. */
export interface ComplianceRules {
  /** Why a device of this kind must not be activated, in words for its user; undefined: it may. Must not throw. */
  blockedActivation(view: ReadView, applicant: { readonly userGuid: string; readonly profileId: string; readonly info: wire.DeviceInfo }): string | undefined;
}

export interface IssueDeviceOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly authority: DeviceAuthority;
  readonly addresses: ListenerAddresses;
  /** Absent: no rule blocks an activation. */
  readonly compliance?: ComplianceRules | undefined;
}

/**
 * Makes the pending device that a valid A5 speaks for (F1.4). A device key has at most one live device: a pending one is replaced under its
 * own id, and one that counts already keeps its id and counts on until the A7 of its new activation. Or refuses the device: then the only write is a note of it.
 */
export function issueDevice(options: IssueDeviceOptions, tx: WriteView, request: IssueRequest, nowMs: number): wire.ActivationOutcome {
  const { crypto, entropy, authority, addresses } = options;
  const kept = requireSecret(activationSecretById(tx, request.secretId));
  const keyId = deviceKeyId(crypto, request.publicKey);
  const profile = requireProfile(profileFor(tx, kept.profileId ?? activationProfileOf(tx, kept.userGuid)));
  const judged = judgeApplicant(profile, applicantOf(options, tx, request, kept, profile, keyId));
  if ('refusal' in judged) {
    const { refusal, message } = judged;
    const note = { userGuid: kept.userGuid, refusal, message, info: request.deviceInfo, profileId: profile.profileId, refusedAtMs: nowMs };
    putActivationRefusal(tx, randomUuid(entropy), note);
    return judged;
  }
  const known = deviceOfUser(tx, keyId, kept.userGuid, nowMs);
  if (known === undefined) makeRoom(tx, kept.userGuid);
  const deviceId = known?.deviceId ?? randomUuid(entropy);
  const issued = authority.issue(deviceId, request.publicKey, nowMs);
  const tunnelKey = entropy.randomBytes(32);
  putTunnelKey(tx, deviceId, tunnelKey);
  putDevice(tx, {
    ...(known ?? { status: 'pending', createdAtMs: nowMs }),
    deviceId,
    userGuid: kept.userGuid,
    userId: kept.userId,
    info: request.deviceInfo,
    keyId,
    serials: addCertificate(tx, deviceId, known?.serials ?? [], issued, nowMs),
    activationType: judged.admitted.activationType,
    ownership: profile.ownership,
    paired: isPaired(kept) || undefined,
    profileId: profile.profileId,
    pollIntervalS: profile.pollIntervalS,
    pollJitterS: profile.pollJitterS,
    secretId: kept.secretId,
    confirmByMs: known?.status === 'active' ? undefined : nowMs + MAX_UNCONFIRMED_MS,
  });
  putActivationSecret(tx, { ...kept, provedByKeyId: keyId, provedAtMs: nowMs });
  return {
    certificates: [issued.der],
    tenantRoots: [authority.root],
    // The tenant root alone decides; pins would tie devices to the keys that the listeners have today.
    spkiPins: [],
    deviceId,
    tunnelKey,
    configuration: configurationOf(profile, judged.admitted, addresses),
  };
}

/** Writes a new certificate of a device; returns the serial numbers that are remembered. */
export function addCertificate(
  tx: WriteView,
  deviceId: string,
  serials: readonly string[],
  issued: IssuedCertificate,
  nowMs: number,
  requestHash?: string,
): readonly string[] {
  const { der, serial, notBeforeMs, notAfterMs } = issued;
  putCertificate(tx, { serial, deviceId, der, notBeforeMs, notAfterMs, issuedAtMs: nowMs, requestHash });
  const all = [...serials, serial];
  for (const old of all.slice(0, -MAX_KNOWN_CERTIFICATES)) deleteCertificate(tx, old);
  return all.slice(-MAX_KNOWN_CERTIFICATES);
}

/** Revokes all certificates of a device but one: the device has shown that it uses that. */
export function revokeOthers(tx: WriteView, device: DeviceRecord, serial: string, nowMs: number): void {
  for (const other of device.serials) if (other !== serial) revokeCertificate(tx, other, 'superseded', nowMs);
}

/** The live device of this key; one of another user ends, because a key belongs to one device. */
function deviceOfUser(tx: WriteView, keyId: string, userGuid: string, nowMs: number): DeviceRecord | undefined {
  const known = deviceByKey(tx, keyId);
  if (known === undefined || known.userGuid === userGuid) return known;
  endDevice(tx, known, { status: 'removed', reason: 'activated for another user' }, nowMs);
  return undefined;
}

function makeRoom(tx: WriteView, userGuid: string): void {
  if (deviceCountsOf(tx, userGuid).pending < MAX_PENDING_DEVICES) return;
  for (const deviceId of pendingDevicesOf(tx, userGuid, { limit: 1 })) purgeDevice(tx, deviceId);
}

function configurationOf(profile: ActivationProfileRecord, admitted: ActivationTypeChoice, addresses: ListenerAddresses): wire.DeviceConfiguration {
  const { activationType, createWorkSpace, encryptDevice } = admitted;
  const { pollIntervalS, pollJitterS, policy, organizationNotice } = profile;
  return {
    activationType,
    createWorkSpace,
    encryptDevice,
    pollIntervalS,
    pollJitterS,
    deviceAddress: addresses.device,
    signedDeviceAddress: addresses.signedDevice,
    notificationAddress: addresses.notification,
    policy,
    organizationNotice,
  };
}

function applicantOf(
  { compliance }: IssueDeviceOptions,
  tx: WriteView,
  { deviceInfo: info, activationTypes }: IssueRequest,
  kept: ActivationSecretRecord,
  { profileId }: ActivationProfileRecord,
  keyId: string,
): Applicant {
  const { userGuid } = kept;
  const known = deviceByKey(tx, keyId);
  return {
    info,
    activationTypes,
    counts: known?.status === 'active' && known.userGuid === userGuid,
    paired: isPaired(kept),
    userDevices: deviceCountsOf(tx, userGuid).active,
    tenantDevices: activeDevicesOfTenant(tx),
    licences: activationSettings(tx).licences,
    outOfCompliance: compliance?.blockedActivation(tx, { userGuid, profileId, info }),
  };
}

function isPaired({ slot }: ActivationSecretRecord): boolean {
  return slot > 0;
}

function requireSecret(kept: ActivationSecretRecord | undefined): ActivationSecretRecord {
  if (kept === undefined) throw new ProtocolError('ERR_INTERNAL', 'a device is issued for a secret that is gone');
  return kept;
}

function requireProfile(profile: ActivationProfileRecord | undefined): ActivationProfileRecord {
  if (profile === undefined) throw new ProtocolError('ERR_INTERNAL', 'the tenant has no default activation profile');
  return profile;
}
