import type { ScryptCost } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** The one organisation of a lab. */
export interface TenantRecord {
  /** Tenant GUID, first part of the admin REST path. */
  readonly tenantId: string;
  /** Name of this UEM in the activation protocol. */
  readonly coreId: string;
  readonly name: string;
  /** Key of the salts that unknown users get (F1.4); secret. */
  readonly fakeSaltKey: Uint8Array;
  /** scrypt cost in force for new activation passwords. */
  readonly cost: ScryptCost;
  readonly createdAtMs: number;
  /** Layout of the whole state. Another one is not read: what was not found would look as if it had never been. */
  readonly format?: number | undefined;
}

/** The layout that is written now. */
export const STATE_FORMAT = 4;

const tenants: Table<TenantRecord> = table('tenant');
const ONLY = 'this';

/** The tenant of this UEM; undefined before `lab-server init`. */
export function tenantOf(view: ReadView): TenantRecord | undefined {
  return tenants.get(view, ONLY);
}

/** Creates or replaces the tenant. */
export function putTenant(tx: WriteView, tenant: TenantRecord): void {
  tenants.put(tx, ONLY, tenant);
}
