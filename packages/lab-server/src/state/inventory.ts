import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { decodeRecord, encodeRecord } from '../store/record-codec.ts';
import { type Table, table } from './table.ts';

/** What a device last answered to requests for information (F5.4). */
export interface InventoryRecord {
  /** Encoded document: it may be as large and deep as a message allows, so it is not part of the record. */
  readonly deviceInfo?: Uint8Array | undefined;
  readonly deviceInfoAtMs?: number | undefined;
  readonly installedApps?: Uint8Array | undefined;
  readonly installedAppsAtMs?: number | undefined;
}

const inventories: Table<InventoryRecord> = table('inventory');

export function inventoryOf(view: ReadView, deviceId: string): InventoryRecord {
  return inventories.get(view, deviceId) ?? {};
}

export function putInventory(tx: WriteView, deviceId: string, inventory: InventoryRecord): void {
  inventories.put(tx, deviceId, inventory);
}

/** A free document as stored. */
export function encodeDocument(document: wire.WireDocument): Uint8Array {
  return encodeRecord(document);
}

/** @throws ProtocolError `ERR_STORE_READ` */
export function decodeDocument(bytes: Uint8Array): wire.WireDocument {
  return decodeRecord<wire.WireDocument>(bytes);
}

/** Forgets what a device told. */
export function deleteInventory(tx: WriteView, deviceId: string): void {
  inventories.delete(tx, deviceId);
}
