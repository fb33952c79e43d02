import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

interface TunnelKey {
  readonly key: Uint8Array;
}

const tunnelKeys: Table<TunnelKey> = table('tunnel-key');

/** K_tun of a device (A6), apart from what is shown of devices; secret. */
export function tunnelKeyOf(view: ReadView, deviceId: string): Uint8Array | undefined {
  return tunnelKeys.get(view, deviceId)?.key;
}

export function putTunnelKey(tx: WriteView, deviceId: string, key: Uint8Array): void {
  tunnelKeys.put(tx, deviceId, { key });
}

export function deleteTunnelKey(tx: WriteView, deviceId: string): void {
  tunnelKeys.delete(tx, deviceId);
}
