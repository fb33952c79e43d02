import type { WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

interface ServicesKey {
  /** 32 bytes; secret. */
  readonly key: Uint8Array;
}

const keys: Table<ServicesKey> = table('services-key');
const ONLY = 'this';

/** What all keys between two apps come from (docs/protocol/14, 14.2), made once; secret. */
export function servicesKeyOf(tx: WriteView, make: () => Uint8Array): Uint8Array {
  const known = keys.get(tx, ONLY);
  if (known !== undefined) return known.key;
  const key = make();
  keys.put(tx, ONLY, { key });
  return key;
}
