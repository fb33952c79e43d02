import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type Table, table } from './table.ts';

/** Documents that a device is given, each by an update of its own. */
export const DOCUMENT_NAMES = ['policy', 'profiles', 'applications'] as const;

export type DocumentName = (typeof DOCUMENT_NAMES)[number];

/** Parts of a document: what tells the content of each from another. Small, so that ten thousand devices can be compared without reading contents. */
export type Parts = Readonly<Record<string, string>>;

/** A document as the device has it. */
export interface RevisedParts {
  /** 0: as an activation leaves it, empty. */
  readonly revision: number;
  readonly parts: Parts;
}

/** One document of one device: what it should have, what it has, what is on its way. */
export interface DeliveryRecord {
  /** What the device should have. */
  readonly target: Parts;
  /** What the device has confirmed. */
  readonly confirmed: RevisedParts;
  /** The device said that it has another revision: it gets the whole document. */
  readonly isUnknown?: boolean | undefined;
  /** The update that is in flight or deferred, and what the device has when it is done. */
  readonly sent?: (RevisedParts & { readonly commandId: string }) | undefined;
  /** The update that waits to be handed out; its content is made then. */
  readonly waiting?: string | undefined;
  /** Revision given last; never given twice. */
  readonly lastRevision: number;
  /** Updates in a row that the device did not apply; over `MAX_UPDATE_FAILURES` it waits for the next change. */
  readonly failures: number;
  /** Why the last one was not applied. */
  readonly message?: string | undefined;
  readonly changedAtMs: number;
}

/** Updates towards one target that a device may fail before UEM stops until the next change. */
export const MAX_UPDATE_FAILURES = 3;

const deliveries: Table<DeliveryRecord> = table('delivery');

export function deliveryOf(view: ReadView, deviceId: string, document: DocumentName): DeliveryRecord | undefined {
  return deliveries.get(view, joinId(deviceId, document));
}

export function putDelivery(tx: WriteView, deviceId: string, document: DocumentName, delivery: DeliveryRecord): void {
  deliveries.put(tx, joinId(deviceId, document), delivery);
}

/** Forgets what a device was given. */
export function deleteDeliveries(tx: WriteView, deviceId: string): void {
  for (const document of DOCUMENT_NAMES) deliveries.delete(tx, joinId(deviceId, document));
}

/** True when both name the same parts with the same contents. */
export function sameParts(a: Parts, b: Parts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
