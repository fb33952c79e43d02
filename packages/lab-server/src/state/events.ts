import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import type { DocumentName } from './deliveries.ts';
import { type Ring, ring } from './ring.ts';
import { type Table, table } from './table.ts';

/** Events that are kept; the oldest are forgotten. */
export const MAX_EVENTS = 100_000;

/** Longest text of an event; what is longer is cut. */
export const MAX_EVENT_REASON_CHARACTERS = 200;

/** What may happen, and what it means for whoever reads it. */
export const EVENT_TYPES = {
  USER_CREATED: 'A user was added',
  USER_DELETED: 'A user was deleted',
  ACTIVATION_REFUSED: 'A device proved its secret and was not activated; `refusal` says which rule it was',
  ACTIVATION_FAILED: 'An activation that had begun ended before the device counted',
  DEVICE_ACTIVATED: 'A device counts from now on, or was activated anew',
  DEVICE_DEACTIVATED: 'A device left: its user removed it, or did not consent to a new activation',
  DEVICE_WIPED: 'A device carried out a command that deletes data, and left',
  DEVICE_REMOVED: 'UEM removed a device: its certificates are revoked',
  DEVICE_LATE_CONTACT: 'A device that was removed after it had counted made contact, and so deletes its work data',
  ACCESS_KEY_CREATED: 'An access key was made: `accessKey` names it',
  ACCESS_KEY_REVOKED: 'An access key was taken back before it was used',
  ACCESS_KEY_USED: 'An app was activated with an access key',
  ACCESS_KEY_REFUSED: 'An access key was not accepted, or is dead now; `reason` says why',
  APPLICATION_ENDED: 'An activated app is none any more, since its user may not have it: its keys and its link to the NOC are gone',
  COMMAND_QUEUED: 'A command waits for a device',
  COMMAND_SENT: 'A device has got a command',
  COMMAND_DEFERRED: 'A device will carry a command out later',
  COMMAND_COMPLETED: 'A device has carried a command out',
  COMMAND_FAILED: 'A device could not, or would not, carry a command out',
  COMMAND_CANCELLED: 'A command ended before it was carried out',
  CONFIGURATION_DELIVERED: 'A device has confirmed a revision of its policy, profiles or applications',
  CONFIGURATION_FAILED: 'A device has not applied an update of its policy, profiles or applications',
  COMPLIANCE_VIOLATED: 'A device breaks a rule of its compliance profile',
  COMPLIANCE_ACTION: 'The action of a rule was taken',
  COMPLIANCE_RESTORED: 'A device keeps a rule again',
} as const;

export type EventType = keyof typeof EVENT_TYPES;

/** One change. Never holds a secret: whoever may read anything may read it. */
export interface EventRecord {
  /** Counts from 1 without gaps; never used twice. */
  readonly sequence: number;
  readonly timeMs: number;
  readonly type: EventType;
  readonly userGuid?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly commandId?: string | undefined;
  readonly commandType?: string | undefined;
  /** Name of an access key, and the app that it was used by or made for. */
  readonly keyId?: string | undefined;
  readonly applicationId?: string | undefined;
  readonly refusal?: wire.ActivationRefusalReason | undefined;
  /** Document of the configuration, and the revision that the device has. */
  readonly document?: DocumentName | undefined;
  readonly revision?: number | undefined;
  /** Rule of compliance, and the action that was taken. */
  readonly rule?: string | undefined;
  readonly action?: string | undefined;
  /** In words. */
  readonly reason?: string | undefined;
}

export type NewEvent = Omit<EventRecord, 'sequence'>;

interface EventCounter {
  readonly last: number;
}

const events: Ring<EventRecord> = ring('event', MAX_EVENTS);
const counter: Table<EventCounter> = table('event-counter', { read: 'lastOne' });
const ONLY = 'this';

/** Number of the newest event, 0 when there is none. */
export function lastEventSequence(view: ReadView): number {
  return counter.get(view, ONLY)?.last ?? 0;
}

/** Number of the oldest event that is kept; one more than the newest when there is none. */
export function firstEventSequence(view: ReadView): number {
  return Math.max(1, lastEventSequence(view) - MAX_EVENTS + 1);
}

/** Adds an event in the transaction of the change that it tells of: there is neither without the other. */
export function appendEvent(tx: WriteView, event: NewEvent): void {
  const sequence = lastEventSequence(tx) + 1;
  const reason = event.reason?.slice(0, MAX_EVENT_REASON_CHARACTERS).toWellFormed();
  events.put(tx, sequence, { ...event, sequence, reason });
  counter.put(tx, ONLY, { last: sequence });
}

/** Events after a number, the oldest first. */
export function listEvents(view: ReadView, { after, limit }: { readonly after: number; readonly limit: number }): readonly EventRecord[] {
  const newest = lastEventSequence(view);
  return events.list(view, { after: Math.max(after, newest - MAX_EVENTS), newest, limit });
}
