import { ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { WriteView } from '../store/lab-store.ts';
import { deleteAppInstances } from './app-instances.ts';
import { deleteCertificate, revokeCertificate } from './certificates.ts';
import { cancelOpenCommands, commandById, deleteCommands, enqueueCommand, finishCommand } from './command-queue.ts';
import type { CommandRecord, NewCommand } from './commands.ts';
import { deleteDeliveries } from './deliveries.ts';
import { leaveDeviceGroups } from './device-groups.ts';
import { type DeviceRecord, deleteDevice, deviceById, deviceCountsOf, isLive, oldestEndedDevice, pendingDevicesOf, putDevice } from './devices.ts';
import { appendEvent, type NewEvent } from './events.ts';
import { deleteInventory } from './inventory.ts';
import { putSupervision } from './supervision.ts';
import { deleteTunnelKey } from './tunnel-keys.ts';
import { deleteDueWakeUp, putDueWakeUp } from './wake-ups.ts';

/** Ended devices of one user that are kept as history. */
export const MAX_ENDED_DEVICES = 100;

/** Unconfirmed devices of a user that are looked at when a secret of the user ends. */
const MAX_UNCONFIRMED = 1_000;

/** How a device ends. */
export interface DeviceEnd {
  readonly status: 'deactivated' | 'removed';
  readonly reason: string;
  /** The delete command that it carried out. */
  readonly endedBy?: Pick<CommandRecord, 'commandId' | 'type'> | undefined;
  /** Why an activation that had begun was refused after all. */
  readonly refusal?: wire.ActivationRefusalReason | undefined;
}

/**
 * Ends a live device: its certificates are revoked, its commands cancelled, its apps have no link to the NOC any more. The record stays as history. One that was removed while it was active
 * is woken once more (F5.2), because it hears of its end only when it makes contact.
 */
export function endDevice(tx: WriteView, device: DeviceRecord, end: DeviceEnd, nowMs: number): void {
  const { deviceId, userGuid } = device;
  for (const serial of device.serials) revokeCertificate(tx, serial, end.reason, nowMs);
  cancelOpenCommands(tx, deviceId, end.reason, nowMs);
  const hearsLater = end.status === 'removed' && device.status === 'active' && device.pushToken !== undefined;
  if (hearsLater) putDueWakeUp(tx, deviceId, nowMs);
  else deleteDueWakeUp(tx, deviceId);
  deleteTunnelKey(tx, deviceId);
  deleteDeliveries(tx, deviceId);
  putSupervision(tx, deviceId, undefined);
  leaveDeviceGroups(tx, deviceId);
  deleteAppInstances(tx, userGuid, deviceId);
  const pushToken = hearsLater ? device.pushToken : undefined;
  putDevice(tx, {
    ...device,
    status: end.status,
    pushToken,
    endedAtMs: nowMs,
    message: end.reason,
    refusal: end.refusal,
    endedByCommand: end.endedBy?.commandId,
  });
  appendEvent(tx, eventOfEnd(device, end, nowMs));
  if (deviceCountsOf(tx, userGuid).ended <= MAX_ENDED_DEVICES) return;
  const oldest = oldestEndedDevice(tx, userGuid);
  if (oldest !== undefined) purgeDevice(tx, oldest);
}

function eventOfEnd({ deviceId, userGuid, status }: DeviceRecord, { endedBy, refusal, reason, status: after }: DeviceEnd, timeMs: number): NewEvent {
  const about = { timeMs, deviceId, userGuid, reason };
  // It never counted, so it is the activation that ended.
  if (status === 'pending') return { ...about, type: refusal === undefined ? 'ACTIVATION_FAILED' : 'ACTIVATION_REFUSED', refusal };
  if (endedBy !== undefined) return { ...about, type: 'DEVICE_WIPED', commandId: endedBy.commandId, commandType: endedBy.type };
  return { ...about, type: after === 'removed' ? 'DEVICE_REMOVED' : 'DEVICE_DEACTIVATED' };
}

/** The administrator removes a device. False: there is no such live device. */
export function removeDevice(tx: WriteView, deviceId: string, nowMs: number): boolean {
  const device = deviceById(tx, deviceId);
  if (device === undefined || !isLive(device)) return false;
  endDevice(tx, device, { status: 'removed', reason: 'removed by the administrator' }, nowMs);
  return true;
}

/**
 * REMOVE_DEVICE: UEM carries it out at once and waits for no answer. The command is there to be read, as one that is done. It needs no room in the
 * queue: what is open is cancelled first.
 */
export function removeByCommand(tx: WriteView, device: DeviceRecord, command: NewCommand, nowMs: number): CommandRecord | 'notActive' {
  if (device.status !== 'active') return 'notActive';
  endDevice(tx, device, { status: 'removed', reason: 'removed by the administrator' }, nowMs);
  const queued = enqueueCommand(tx, command, nowMs);
  if (queued === undefined) throw new ProtocolError('ERR_INTERNAL', 'the queue of a device that ended is full');
  finishCommand(tx, queued, { state: 'done', finishedAtMs: nowMs });
  return commandById(tx, command.deviceId, command.commandId) ?? queued;
}

/** A removed device that has not heard of its end yet. One that never counted is none: nobody has removed it, its activation has failed, and the event of that has been told. */
export function isLate(device: DeviceRecord): boolean {
  return device.status === 'removed' && device.activatedAtMs !== undefined && device.lateContactMs === undefined;
}

/** Notes that a removed device came late; the refusal that it gets makes it delete its work data, so it is woken no more. */
export function noteLateContact(tx: WriteView, device: DeviceRecord, nowMs: number): void {
  deleteDueWakeUp(tx, device.deviceId);
  putDevice(tx, { ...device, pushToken: undefined, lateContactMs: nowMs });
  appendEvent(tx, { timeMs: nowMs, type: 'DEVICE_LATE_CONTACT', deviceId: device.deviceId, userGuid: device.userGuid });
}

/**
 * Ends activations of a user that began with a secret which is of no use any more: they would count all the same, whenever they like, and nobody sees such
 * a device.
 */
export function endUnconfirmed(tx: WriteView, userGuid: string, isMeant: (device: { readonly secretId: string }) => boolean, nowMs: number): void {
  for (const deviceId of pendingDevicesOf(tx, userGuid, { limit: MAX_UNCONFIRMED })) {
    const device = deviceById(tx, deviceId);
    if (device?.secretId === undefined || !isMeant({ secretId: device.secretId })) continue;
    endDevice(tx, device, { status: 'removed', reason: 'its activation password was made useless' }, nowMs);
  }
}

/** Forgets everything about a device. */
export function purgeDevice(tx: WriteView, deviceId: string): void {
  const device = deviceById(tx, deviceId);
  if (device === undefined) return;
  for (const serial of device.serials) deleteCertificate(tx, serial);
  deleteCommands(tx, deviceId);
  deleteInventory(tx, deviceId);
  deleteTunnelKey(tx, deviceId);
  deleteDueWakeUp(tx, deviceId);
  deleteDevice(tx, deviceId);
}

/** Why a command was not taken. */
export type SendRefusal = 'notActive' | 'full';

/**
 * Puts a command into the queue of an active device, and remembers that the device has to be woken; wake it when this is durable (`Outbox`). One without a push token is woken nowhere,
 * and by the time it has one it has asked.
 */
export function sendCommand(tx: WriteView, device: DeviceRecord, command: NewCommand, nowMs: number): CommandRecord | SendRefusal {
  if (device.status !== 'active') return 'notActive';
  const queued = enqueueCommand(tx, command, nowMs);
  if (queued === undefined) return 'full';
  if (device.pushToken !== undefined) putDueWakeUp(tx, command.deviceId, nowMs);
  return queued;
}
