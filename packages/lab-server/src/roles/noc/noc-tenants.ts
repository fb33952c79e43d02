import { type Destination, isDestination, type NocTenant } from '@uemkit/protocol/wire';
import { escapePart, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';

/** What the NOC knows of a tenant for F10.3: nothing that opens anything. */
interface TenantRecord {
  readonly proxyIds: readonly string[];
  readonly destinations: readonly Destination[];
}

const tenants: Table<TenantRecord> = table('noc-tenant');

/** UEM has said what its Proxies and allowed destinations are now. */
export function putNocTenant(tx: WriteView, { tenantId, proxyIds, destinations }: NocTenant): void {
  tenants.put(tx, escapePart(tenantId), { proxyIds, destinations });
}

/** True when this Proxy belongs to this tenant. */
export function isProxyOf(view: ReadView, tenantId: string, proxyId: string): boolean {
  return tenants.get(view, escapePart(tenantId))?.proxyIds.includes(proxyId) === true;
}

/** True when apps of this tenant may be connected to this server without a Proxy. */
export function mayConnect(view: ReadView, tenantId: string, target: { readonly host: string; readonly port: number }): boolean {
  return isDestination(tenants.get(view, escapePart(tenantId))?.destinations ?? [], target);
}
