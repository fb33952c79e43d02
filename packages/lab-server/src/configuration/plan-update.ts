import type * as wire from '@uemkit/protocol/wire';
import type { DeliveryRecord, Parts, RevisedParts } from '../state/deliveries.ts';
import { encodeDocument } from '../state/inventory.ts';
import type { PartContent } from './documents.ts';

/** Encoded contents of one update; what is over it follows in the next one. The frame has room for its other fields. */
export const MAX_UPDATE_BYTES = 56_000;
/** Encoded content of one part: it has to fit into one update. */
export const MAX_PART_BYTES = 32_768;
/** Values of one part, names of fields included. */
export const MAX_PART_VALUES = 3_000;
/** Values of one update, within what one frame may hold. */
const UPDATE_VALUES = 7_000;

/** One update (F5.4): the properties of the command, and what the device has once it has applied them. */
export interface PlannedUpdate {
  readonly properties: wire.WireDocument;
  readonly after: RevisedParts;
  /** The target with the contents of now: they may be newer than when it was worked out. */
  readonly target: Parts;
}

/**
 * The next update of one document: only the parts that differ from what the device has confirmed, or the whole document when nobody knows what it has. What does not
 * fit into one update is left for the next: each leaves the device with a document that holds together part by part. Pure.
 */
export function planUpdate(delivery: DeliveryRecord, contentOf: (name: string) => PartContent | undefined): PlannedUpdate {
  const { confirmed, isUnknown = false, lastRevision, target } = delivery;
  const isWhole = isUnknown || confirmed.revision === 0;
  const base: Parts = isWhole ? {} : confirmed.parts;
  const revision = lastRevision + 1;
  const set: Record<string, wire.WireDocumentValue> = {};
  const parts: Record<string, string> = {};
  let bytes = 0;
  let values = 0;
  let isFull = false;
  const current: Record<string, string> = {};
  for (const name of Object.keys(target).sort()) {
    const content = contentOf(name);
    // Gone since the target was worked out; the next computation takes it out of the target.
    if (content === undefined) continue;
    const { digest, value } = content;
    current[name] = digest;
    if (base[name] === digest) {
      parts[name] = digest;
      continue;
    }
    const size = sizeOf({ [name]: value });
    isFull ||= bytes + size.bytes > MAX_UPDATE_BYTES || values + size.values > UPDATE_VALUES;
    if (isFull) {
      // The device keeps what it has of this part until the next update.
      if (base[name] !== undefined) parts[name] = base[name];
      continue;
    }
    bytes += size.bytes;
    values += size.values;
    set[name] = value;
    parts[name] = digest;
  }
  const remove = Object.keys(base).filter((name) => current[name] === undefined);
  const properties = isWhole ? { revision, set } : { revision, baseRevision: confirmed.revision, set, remove };
  return { properties, after: { revision, parts }, target: current };
}

/** What a part takes of a frame. */
export function sizeOf(part: wire.WireDocument): { readonly bytes: number; readonly values: number } {
  return { bytes: encodeDocument(part).length, values: valuesOf(part) };
}

function valuesOf(value: wire.WireDocumentValue): number {
  if (typeof value !== 'object' || value instanceof Uint8Array) return 1;
  if (Array.isArray(value)) return (value as readonly wire.WireDocumentValue[]).reduce<number>((sum, item) => sum + valuesOf(item), 1);
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + valuesOf(item), 1);
}
