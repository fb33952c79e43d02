import { answerManagement, endsManagement, type ManagementReply, type QueueChange, sameBytes, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { type DeliverySurroundings, documentOfUpdate, handOutUpdate, settleUpdate, waitingUpdate } from '../../configuration/deliver.ts';
import { recomputeDevice } from '../../configuration/recompute-device.ts';
import { attend } from '../../state/attendance.ts';
import { commandById, finishCommand, type MakeProperties, queueOf, updateCommand } from '../../state/command-queue.ts';
import type { CommandRecord } from '../../state/commands.ts';
import { endDevice } from '../../state/device-lifecycle.ts';
import { type DeviceRecord, deviceById, putDevice } from '../../state/devices.ts';
import { encodeDocument, inventoryOf, putInventory } from '../../state/inventory.ts';
import { supervisionOf } from '../../state/supervision.ts';
import { deleteDueWakeUp } from '../../state/wake-ups.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';

/** The time of the last contact is written at most so often when nothing else is. */
const CONTACT_STEP_MS = 60_000;

/** What the changes of an answer need from outside. */
export type ManagementSurroundings = DeliverySurroundings;

/** The content of an update is made when it is handed out. */
const makeProperties: MakeProperties = (view, { deviceId, type }) => {
  const document = documentOfUpdate(type);
  return document === undefined ? {} : waitingUpdate(view, deviceId, document).properties;
};

/** The answer to a poll or a result (F5.3 to F5.6) over the queue of the device; changes nothing yet. */
export function decideManagement(view: ReadView, frame: Uint8Array, device: DeviceRecord, nowMs: number): ManagementReply {
  const { deviceId, pollIntervalS, pollJitterS } = device;
  return answerManagement(frame, queueOf(view, deviceId, { nowMs, make: makeProperties }), nowMs, { schedule: { pollIntervalS, pollJitterS } });
}

/** True when an answer may leave without a write. Most polls are answered so, and wait for no disk. */
export function needsNoWrite(reply: ManagementReply, device: DeviceRecord, nowMs: number): boolean {
  return isContactFresh(device, nowMs) && newPushToken(reply, device) === undefined && reply.changes.every((change) => change.type === 'ignored');
}

/** True when the time of the last contact need not be written again. */
export function isContactFresh({ lastContactMs = 0 }: DeviceRecord, nowMs: number): boolean {
  return nowMs >= lastContactMs && nowMs - lastContactMs < CONTACT_STEP_MS;
}

/** A device was there, whatever it is answered. */
export function noteContact(tx: WriteView, device: DeviceRecord, nowMs: number): void {
  attend(tx, nowMs);
  putDevice(tx, { ...device, lastContactMs: nowMs });
}

/** Writes what an answer depends on: states of commands, push token, inventory, and the end of a device that carried out a delete command. */
export function applyManagement(tx: WriteView, reply: ManagementReply, device: DeviceRecord, surroundings: ManagementSurroundings): void {
  const { deviceId } = device;
  const { nowMs } = surroundings;
  attend(tx, nowMs);
  putDevice(tx, { ...device, lastContactMs: nowMs, pushToken: newPushToken(reply, device) ?? device.pushToken });
  deleteDueWakeUp(tx, deviceId);
  // What is handed out first: its content was decided before a result of the device changed what it should have.
  for (const change of [...reply.changes].sort((a, b) => Number(b.type === 'sent') - Number(a.type === 'sent'))) {
    const command = commandById(tx, deviceId, toHex(change.commandId));
    // What ended together with its device a moment ago stays so.
    if (command !== undefined && command.finishedAtMs === undefined) applyChange(tx, command, change, surroundings);
  }
  if (supervisionOf(tx, deviceId)?.findings.some(({ rule }) => rule === 'noContact') === true) recompute(tx, deviceId, surroundings);
}

function newPushToken({ poll }: ManagementReply, { pushToken }: DeviceRecord): Uint8Array | undefined {
  const told = poll?.pushToken;
  return told === undefined || (pushToken !== undefined && sameBytes(told, pushToken)) ? undefined : told;
}

function applyChange(tx: WriteView, command: CommandRecord, change: QueueChange, surroundings: ManagementSurroundings): void {
  const { nowMs } = surroundings;
  switch (change.type) {
    case 'ignored':
      return;
    case 'sent':
      return updateCommand(tx, { ...withContent(tx, command), state: 'sent', sentAtMs: nowMs, notBeforeMs: undefined }, nowMs);
    case 'deferred':
      return updateCommand(tx, { ...command, state: 'queued', notBeforeMs: change.notBeforeMs, deferrals: (command.deferrals ?? 0) + 1 }, nowMs);
    case 'expired':
      finishCommand(tx, command, { state: 'cancelled', finishedAtMs: nowMs, message: 'expired before the device asked for it' });
      return;
    case 'completed':
      return complete(tx, command, change.result, surroundings);
  }
}

/** From its first hand-out on the content of a command stays as it is: the same id always means the same command. */
function withContent(tx: WriteView, command: CommandRecord): CommandRecord {
  const document = command.isContentOpen === true ? documentOfUpdate(command.type) : undefined;
  if (document === undefined) return command;
  return { ...command, properties: encodeDocument(handOutUpdate(tx, command.deviceId, document, command.commandId)), isContentOpen: undefined };
}

function complete(tx: WriteView, command: CommandRecord, result: wire.CommandResult, surroundings: ManagementSurroundings): void {
  const { deviceId } = command;
  const { nowMs } = surroundings;
  const data = result.data === undefined ? undefined : encodeDocument(result.data);
  const state = result.status === 'done' ? 'done' : 'failed';
  if (!finishCommand(tx, command, { state, finishedAtMs: nowMs, message: result.message, data })) return;
  settleUpdate(tx, command, result, surroundings);
  if (state === 'failed') return;
  if (data !== undefined) keepInventory(tx, deviceId, command.type, data, surroundings);
  const device = endsManagement(command.type) ? deviceById(tx, deviceId) : undefined;
  if (device !== undefined) endDevice(tx, device, { status: 'deactivated', reason: `carried out ${command.type}`, endedBy: command }, nowMs);
}

/** What a device reports may put it into other groups (F5.2). */
function keepInventory(tx: WriteView, deviceId: string, type: string, data: Uint8Array, surroundings: ManagementSurroundings): void {
  const inventory = inventoryOf(tx, deviceId);
  const { nowMs } = surroundings;
  if (type === 'REQUEST_DEVICE_INFO') putInventory(tx, deviceId, { ...inventory, deviceInfo: data, deviceInfoAtMs: nowMs });
  else if (type === 'REQUEST_INSTALLED_APPS') putInventory(tx, deviceId, { ...inventory, installedApps: data, installedAppsAtMs: nowMs });
  else return;
  recompute(tx, deviceId, surroundings);
}

function recompute(tx: WriteView, deviceId: string, surroundings: ManagementSurroundings): void {
  const device = deviceById(tx, deviceId);
  if (device?.status === 'active') recomputeDevice(tx, device, surroundings);
}
