import { answerManagement, endsManagement, type ManagementReply, type QueueChange, sameBytes, toHex, type wire } from '@uemkit/protocol';
import { commandById, finishCommand, queueOf, updateCommand } from '../../state/command-queue.ts';
import type { CommandRecord } from '../../state/commands.ts';
import { endDevice } from '../../state/device-lifecycle.ts';
import { type DeviceRecord, deviceById, putDevice } from '../../state/devices.ts';
import { encodeDocument, inventoryOf, putInventory } from '../../state/inventory.ts';
import { deleteDueWakeUp } from '../../state/wake-ups.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';

/** The time of the last contact is written at most so often when nothing else is. */
const CONTACT_STEP_MS = 60_000;

/** The answer to a poll or a result (F5.3 to F5.6) over the queue of the device; changes nothing yet. */
export function decideManagement(view: ReadView, frame: Uint8Array, device: DeviceRecord, nowMs: number): ManagementReply {
  const { deviceId, pollIntervalS, pollJitterS } = device;
  return answerManagement(frame, queueOf(view, deviceId), nowMs, { schedule: { pollIntervalS, pollJitterS } });
}

/** True when an answer may leave without a write. Most polls are answered so, and wait for no disk. */
export function needsNoWrite(reply: ManagementReply, device: DeviceRecord, nowMs: number): boolean {
  const { lastContactMs = 0 } = device;
  const isFresh = nowMs >= lastContactMs && nowMs - lastContactMs < CONTACT_STEP_MS;
  return isFresh && newPushToken(reply, device) === undefined && reply.changes.every((change) => change.type === 'ignored');
}

/** Writes what an answer depends on: states of commands, push token, inventory, and the end of a device that carried out a delete command. */
export function applyManagement(tx: WriteView, reply: ManagementReply, device: DeviceRecord, nowMs: number): void {
  const { deviceId } = device;
  putDevice(tx, { ...device, lastContactMs: nowMs, pushToken: newPushToken(reply, device) ?? device.pushToken });
  deleteDueWakeUp(tx, deviceId);
  for (const change of reply.changes) {
    const command = commandById(tx, deviceId, toHex(change.commandId));
    if (command !== undefined) applyChange(tx, deviceId, command, change, nowMs);
  }
}

function newPushToken({ poll }: ManagementReply, { pushToken }: DeviceRecord): Uint8Array | undefined {
  const told = poll?.pushToken;
  return told === undefined || (pushToken !== undefined && sameBytes(told, pushToken)) ? undefined : told;
}

function applyChange(tx: WriteView, deviceId: string, command: CommandRecord, change: QueueChange, nowMs: number): void {
  switch (change.type) {
    case 'ignored':
      return;
    case 'sent':
      return updateCommand(tx, { ...command, state: 'sent', sentAtMs: nowMs, notBeforeMs: undefined });
    case 'deferred':
      return updateCommand(tx, { ...command, state: 'queued', notBeforeMs: change.notBeforeMs, deferrals: (command.deferrals ?? 0) + 1 });
    case 'expired':
      finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: 'expired before the device asked for it' });
      return;
    case 'completed':
      return complete(tx, deviceId, command, change.result, nowMs);
  }
}

function complete(tx: WriteView, deviceId: string, command: CommandRecord, result: wire.CommandResult, nowMs: number): void {
  const data = result.data === undefined ? undefined : encodeDocument(result.data);
  const state = result.status === 'done' ? 'done' : 'failed';
  if (!finishCommand(tx, command, { state, finishedAtMs: nowMs, message: result.message, data }) || state === 'failed') return;
  if (data !== undefined) keepInventory(tx, deviceId, command.type, data, nowMs);
  const device = endsManagement(command.type) ? deviceById(tx, deviceId) : undefined;
  if (device !== undefined) endDevice(tx, device, { status: 'deactivated', reason: `carried out ${command.type}`, endedByCommand: command.commandId }, nowMs);
}

function keepInventory(tx: WriteView, deviceId: string, type: string, data: Uint8Array, nowMs: number): void {
  const inventory = inventoryOf(tx, deviceId);
  if (type === 'REQUEST_DEVICE_INFO') putInventory(tx, deviceId, { ...inventory, deviceInfo: data, deviceInfoAtMs: nowMs });
  if (type === 'REQUEST_INSTALLED_APPS') putInventory(tx, deviceId, { ...inventory, installedApps: data, installedAppsAtMs: nowMs });
}
