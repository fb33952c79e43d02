import { toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import type { ViewSchema } from './components.ts';

/** A JSON object of the API. Properties without a value are left out, as documented. */
export type View = Readonly<Record<string, unknown>>;

/** Milliseconds of the wall clock as ISO 8601. */
export function timeOf(ms: number): string;
export function timeOf(ms: number | undefined): string | undefined;
export function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : isoTime(ms);
}

const DAY_MS = 86_400_000;
/** Times of one answer are mostly of one day, and its date takes longest. */
let lastDay = -1;
let lastDate = '';

/** What `Date.toISOString` makes of it, in a fraction of the time. */
function isoTime(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) return new Date(ms).toISOString();
  const day = Math.floor(ms / DAY_MS);
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -'00:00:00.000Z'.length);
    lastDay = day;
  }
  const inDay = ms - day * DAY_MS;
  const seconds = Math.floor(inDay / 1_000);
  const minutes = Math.floor(seconds / 60);
  return `${lastDate}${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}:${digits(seconds % 60, 2)}.${digits(inDay % 1_000, 3)}Z`;
}

function digits(value: number, count: 2 | 3): string {
  const short = value < 10 ? `0${value}` : `${value}`;
  return count === 3 && value < 100 ? `0${short}` : short;
}

/** A free document of a device as it is answered. */
export const documentView: ViewSchema = v.record(v.string(), v.unknown());

/** A document of the wire as JSON; bytes as hexadecimal text. */
export function jsonDocument(document: wire.WireDocument): View {
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, jsonValue(value)]));
}

function jsonValue(value: wire.WireDocumentValue): unknown {
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return toHex(value);
  return Array.isArray(value) ? (value as readonly wire.WireDocumentValue[]).map(jsonValue) : jsonDocument(value as wire.WireDocument);
}
