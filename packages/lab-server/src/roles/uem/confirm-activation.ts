import { answerActivationDone, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { endSupervision } from '../../compliance/supervise-device.ts';
import { beginDeliveries, type DeliverySurroundings } from '../../configuration/deliver.ts';
import { recomputeDevice } from '../../configuration/recompute-device.ts';
import { activationSecretById, deleteActivationSecret } from '../../state/activation-secrets.ts';
import { activationSettings } from '../../state/activation-settings.ts';
import { commandById, finishCommand, queueOf } from '../../state/command-queue.ts';
import { endDevice, purgeDevice } from '../../state/device-lifecycle.ts';
import { activeDevicesOfTenant, type DeviceRecord, deviceById, deviceCountsOf, isLive, pendingDevicesOf, putDevice } from '../../state/devices.ts';
import { appendEvent } from '../../state/events.ts';
import { profileFor } from '../../state/profiles.ts';
import type { WriteView } from '../../store/lab-store.ts';
import { alerted } from '../role-answers.ts';
import { placeRefusal } from './activation-rules.ts';
import type { KnownDevice } from './device-peer.ts';
import { MAX_PENDING_DEVICES, MAX_UNCONFIRMED_MS, revokeOthers } from './issue-device.ts';
import type { ServiceOutcome } from './service-outcome.ts';

/** Reason of the end of a device that could not apply its configuration; its A7 may come again. */
export const CONFIGURATION_FAILED = 'the configuration could not be applied: ';

/** Reason of the end of a device that was not confirmed in time. */
export const NOT_CONFIRMED = 'the activation was not confirmed in time';

/** In the journal, and reason of the end of a device that counted before. */
export const CONSENT_DECLINED = 'the user declined the notice of the organisation';

/**
 * A7 (F1.5): from here on the device counts, and a one-time secret is used up. A second A7 is acknowledged again.
 * @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_MISMATCH`
 */
export function confirmActivation(tx: WriteView, frame: Uint8Array, known: KnownDevice, surroundings: DeliverySurroundings): ServiceOutcome {
  const { device, certificate } = known;
  const { nowMs } = surroundings;
  const { done, frame: acknowledgement } = answerActivationDone(frame, device.deviceId);
  const acknowledged: ServiceOutcome = { answer: { status: 'answered', frame: acknowledgement }, told: 'acknowledgement' };
  // Nothing to confirm any more: a repetition.
  if (device.status === 'active' && device.secretId === undefined) return acknowledged;
  if (certificate.serial !== device.serials.at(-1)) return alerted('badMessage', 'the certificate is not of the newest activation');
  if (device.status === 'pending' && nowMs - certificate.issuedAtMs > MAX_UNCONFIRMED_MS) {
    endDevice(tx, device, { status: 'removed', reason: NOT_CONFIRMED }, nowMs);
    return alerted('revoked', NOT_CONFIRMED);
  }
  if (done.status === 'declined') {
    // Nothing of it is left: certificates, tunnel key, record. A device that counted before is history like any other that ends.
    if (device.status === 'pending') {
      purgeDevice(tx, device.deviceId);
      appendEvent(tx, { timeMs: nowMs, type: 'ACTIVATION_FAILED', deviceId: device.deviceId, userGuid: device.userGuid, reason: CONSENT_DECLINED });
    } else endDevice(tx, device, { status: 'deactivated', reason: CONSENT_DECLINED }, nowMs);
    return { ...acknowledged, reason: CONSENT_DECLINED };
  }
  if (done.status === 'failed') {
    // It never counted, so its secret is not used up: the user may try again with it.
    endDevice(tx, device, { status: 'deactivated', reason: `${CONFIGURATION_FAILED}${done.message}` }, nowMs);
    return { ...acknowledged, reason: 'the configuration could not be applied' };
  }
  const refused = placeRefusalOf(tx, device);
  if (refused !== undefined) {
    const { refusal, message } = refused;
    endDevice(tx, device, { status: 'removed', reason: message ?? refusal, refusal }, nowMs);
    return { answer: { status: 'answered', frame: wire.acknowledgement.encode({ ok: false, refusal }) }, told: 'acknowledgement', reason: refusal };
  }
  useUp(tx, device, nowMs);
  cancelInFlight(tx, device, nowMs);
  revokeOthers(tx, device, certificate.serial, nowMs);
  const active: DeviceRecord = {
    ...device,
    status: 'active',
    activatedAtMs: device.activatedAtMs ?? nowMs,
    lastContactMs: nowMs,
    secretId: undefined,
    confirmByMs: undefined,
  };
  putDevice(tx, active);
  appendEvent(tx, { timeMs: nowMs, type: 'DEVICE_ACTIVATED', deviceId: device.deviceId, userGuid: device.userGuid });
  // F5.2: what it must be given is there when it asks for the first time.
  beginDeliveries(tx, device.deviceId, nowMs);
  endSupervision(tx, device.deviceId, nowMs);
  recomputeDevice(tx, active, surroundings);
  return acknowledged;
}

/** Two devices may have been made pending while there was room for one. */
function placeRefusalOf(tx: WriteView, { userGuid, profileId, status, paired = false }: DeviceRecord): wire.ActivationRefused | undefined {
  const { allowedDevices = 0 } = profileFor(tx, profileId) ?? {};
  const counts = { userDevices: deviceCountsOf(tx, userGuid).active, tenantDevices: activeDevicesOfTenant(tx), licences: activationSettings(tx).licences };
  return placeRefusal({ allowedDevices }, { ...counts, paired, counts: status === 'active' });
}

/** Deletes the one-time secret of the activation, and ends other devices that were made with it and have not confirmed. */
function useUp(tx: WriteView, device: DeviceRecord, nowMs: number): void {
  const { userGuid, deviceId, secretId } = device;
  const kept = secretId === undefined ? undefined : activationSecretById(tx, secretId);
  if (secretId === undefined || kept?.expireAfterUse !== true) return;
  deleteActivationSecret(tx, userGuid, kept.kind, kept.slot);
  for (const otherId of pendingDevicesOf(tx, userGuid, { secretId, limit: MAX_PENDING_DEVICES })) {
    const other = otherId === deviceId ? undefined : deviceById(tx, otherId);
    if (other !== undefined && isLive(other)) endDevice(tx, other, { status: 'removed', reason: 'its one-time secret was used by another device' }, nowMs);
  }
}

/** A device that was activated anew has lost its journal: what it had in hand may be done or not, so it is not handed out again. */
function cancelInFlight(tx: WriteView, { deviceId }: DeviceRecord, nowMs: number): void {
  const inFlight = queueOf(tx, deviceId).find((entry) => entry.state === 'sent');
  const command = inFlight === undefined ? undefined : commandById(tx, deviceId, toHex(inFlight.commandId));
  if (command !== undefined) finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: 'the device was activated anew' });
}
