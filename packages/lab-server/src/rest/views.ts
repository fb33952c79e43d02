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
  return ms === undefined ? undefined : new Date(ms).toISOString();
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
