import { type Entropy, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { cancelCommand, commandById, enqueueUpdate, finishCommand } from '../state/command-queue.ts';
import type { CommandRecord } from '../state/commands.ts';
import {
  type DeliveryRecord,
  DOCUMENT_NAMES,
  type DocumentName,
  deliveryOf,
  MAX_UPDATE_FAILURES,
  type Parts,
  putDelivery,
  sameParts,
} from '../state/deliveries.ts';
import { appendEvent } from '../state/events.ts';
import { putDueWakeUp } from '../state/wake-ups.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { partContents } from './documents.ts';
import { type PlannedUpdate, planUpdate } from './plan-update.ts';

/** Command that carries each document (F5.4). */
export const UPDATE_COMMANDS: Readonly<Record<DocumentName, string>> = {
  policy: 'UPDATE_IT_POLICY',
  profiles: 'UPDATE_PROFILES',
  applications: 'UPDATE_APPLICATIONS',
};

/** What the delivery needs from outside. */
export interface DeliverySurroundings {
  readonly entropy: Entropy;
  readonly nowMs: number;
  /** A mail is in the outbox as soon as the running transaction is durable. Must not throw. */
  readonly mailWaits?: (() => void) | undefined;
}

const NEW_DEVICE: Omit<DeliveryRecord, 'changedAtMs'> = { target: {}, confirmed: { revision: 0, parts: {} }, lastRevision: 0, failures: 0 };

/** The document that an update carries; undefined for any other command. */
export function documentOfUpdate(type: string): DocumentName | undefined {
  return DOCUMENT_NAMES.find((document) => UPDATE_COMMANDS[document] === type);
}

/**
 * What a device should have from now on. When that differs from what it has, one update waits for it; an update that nobody has got yet takes the new
 * content, as its content is made when it is handed out. True: the device has to be woken.
 */
export function retarget(tx: WriteView, deviceId: string, document: DocumentName, target: Parts, surroundings: DeliverySurroundings): boolean {
  const known = deliveryOf(tx, deviceId, document);
  const before = known ?? { ...NEW_DEVICE, changedAtMs: surroundings.nowMs };
  if (sameParts(before.target, target)) return false;
  return settle(tx, deviceId, document, { ...before, target, failures: 0, message: undefined, changedAtMs: surroundings.nowMs }, surroundings);
}

/** A device begins anew (A7): an activation leaves it with empty documents. */
export function beginDeliveries(tx: WriteView, deviceId: string, nowMs: number): void {
  for (const document of DOCUMENT_NAMES) {
    const known = deliveryOf(tx, deviceId, document);
    if (known === undefined) continue;
    withdraw(tx, deviceId, known, nowMs);
    const sent = known.sent === undefined ? undefined : commandById(tx, deviceId, known.sent.commandId);
    // One that was deferred: it was made for the device as it was.
    if (sent !== undefined) finishCommand(tx, sent, { state: 'cancelled', finishedAtMs: nowMs, message: 'the device was activated anew' });
    putDelivery(tx, deviceId, document, { ...NEW_DEVICE, lastRevision: known.lastRevision, changedAtMs: nowMs });
  }
}

/** The content of an update that waits, as it would be handed out now. */
export function waitingUpdate(view: ReadView, deviceId: string, document: DocumentName): PlannedUpdate {
  const delivery = deliveryOf(view, deviceId, document) ?? { ...NEW_DEVICE, changedAtMs: 0 };
  return planUpdate(delivery, partContents(view, document, delivery.target));
}

/** Notes that an update was handed out; gives its properties, which stay as they are from now on. */
export function handOutUpdate(tx: WriteView, deviceId: string, document: DocumentName, commandId: string): wire.WireDocument {
  const { properties, after, target } = waitingUpdate(tx, deviceId, document);
  const delivery = deliveryOf(tx, deviceId, document);
  if (delivery !== undefined)
    putDelivery(tx, deviceId, document, { ...delivery, target, waiting: undefined, sent: { ...after, commandId }, lastRevision: after.revision });
  return properties;
}

/** Takes the result of an update (F5.5); another one follows when the device has not got everything. */
export function settleUpdate(tx: WriteView, command: CommandRecord, result: wire.CommandResult, surroundings: DeliverySurroundings): void {
  const { deviceId, commandId, type } = command;
  const document = documentOfUpdate(type);
  const delivery = document === undefined ? undefined : deliveryOf(tx, deviceId, document);
  if (document === undefined || delivery?.sent?.commandId !== commandId) return;
  const { sent, ...rest } = delivery;
  const told = result.data?.['revision'];
  if (result.status === 'done' && told === sent.revision) {
    const confirmed = { revision: sent.revision, parts: sent.parts };
    appendEvent(tx, { timeMs: surroundings.nowMs, type: 'CONFIGURATION_DELIVERED', deviceId, document, revision: sent.revision });
    settle(tx, deviceId, document, { ...rest, confirmed, isUnknown: undefined, failures: 0, message: undefined }, surroundings);
    return;
  }
  // It has another revision than UEM thinks: the next update is the whole document.
  const isUnknown = rest.isUnknown === true || result.status === 'done' || (typeof told === 'number' && told !== rest.confirmed.revision);
  const message = result.message ?? 'the device has another revision';
  appendEvent(tx, { timeMs: surroundings.nowMs, type: 'CONFIGURATION_FAILED', deviceId, document, revision: sent.revision, reason: message });
  settle(tx, deviceId, document, { ...rest, isUnknown: isUnknown || undefined, failures: rest.failures + 1, message }, surroundings);
}

/** Writes a delivery with the one update that it needs, or with none. */
function settle(tx: WriteView, deviceId: string, document: DocumentName, delivery: DeliveryRecord, { entropy, nowMs }: DeliverySurroundings): boolean {
  const isDue = needsUpdate(delivery);
  if (!isDue) {
    withdraw(tx, deviceId, delivery, nowMs);
    putDelivery(tx, deviceId, document, { ...delivery, waiting: undefined });
    return false;
  }
  if (delivery.waiting !== undefined) {
    putDelivery(tx, deviceId, document, delivery);
    return false;
  }
  const commandId = toHex(entropy.randomBytes(16));
  enqueueUpdate(tx, { commandId, deviceId, type: UPDATE_COMMANDS[document] }, nowMs);
  putDelivery(tx, deviceId, document, { ...delivery, waiting: commandId });
  putDueWakeUp(tx, deviceId, nowMs);
  return true;
}

/** True when the device has something else than it should, and nothing is on its way that may change that. */
function needsUpdate({ target, confirmed, isUnknown = false, sent, failures }: DeliveryRecord): boolean {
  if (sent !== undefined || failures >= MAX_UPDATE_FAILURES) return false;
  return isUnknown || !sameParts(target, confirmed.parts);
}

function withdraw(tx: WriteView, deviceId: string, { waiting }: DeliveryRecord, nowMs: number): void {
  if (waiting !== undefined) cancelCommand(tx, deviceId, waiting, 'nothing has to be changed any more', nowMs);
}
