import { type CryptoProvider, concatBytes, lp, toHex, utf8 } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { joinId, partOf, type Table, table } from '../../state/table.ts';
import type { ReadView, WriteView } from '../../store/lab-store.ts';

/** Tenants that one Infrastructure serves. */
export const MAX_TENANTS = 1_000;
/** Rows that one step of forgetting a tenant's users takes. */
const FORGET_ROWS = 1_000;

/** Where the devices of a tenant are activated. */
export interface TenantAddress {
  readonly tenantId: string;
  readonly activationAddress: string;
  readonly spkiPins: readonly Uint8Array[];
}

interface Registration {
  readonly tenantId: string;
}

interface Mark {
  readonly userHash: string;
}

interface FakeKey {
  readonly key: Uint8Array;
}

const tenants: Table<TenantAddress> = table('noc-tenant');
const registrations: Table<Registration> = table('noc-user');
const byTenant: Table<Mark> = table('noc-user-by-tenant');
const keys: Table<FakeKey> = table('noc-key');

/** Takes over the users of a tenant (F1.1); false when there are too many tenants. */
export function applyRegistrations(tx: WriteView, message: wire.RegisterUsers): boolean {
  const { tenantId, activationAddress, spkiPins } = message;
  if (tenants.get(tx, joinId(tenantId)) === undefined && tenants.page(tx, { limit: MAX_TENANTS }).length === MAX_TENANTS) return false;
  tenants.put(tx, joinId(tenantId), { tenantId, activationAddress, spkiPins });
  if (message.replaceAll === true) forgetTenant(tx, tenantId);
  for (const hash of message.remove) remove(tx, tenantId, toHex(hash));
  for (const hash of message.add) {
    const userHash = toHex(hash);
    const before = registrations.get(tx, userHash);
    if (before !== undefined && before.tenantId !== tenantId) byTenant.delete(tx, joinId(before.tenantId, userHash));
    registrations.put(tx, userHash, { tenantId });
    byTenant.put(tx, joinId(tenantId, userHash), { userHash });
  }
  return true;
}

function forgetTenant(tx: WriteView, tenantId: string): void {
  for (;;) {
    const rows = byTenant.page(tx, { under: partOf(tenantId), limit: FORGET_ROWS });
    for (const { record } of rows) remove(tx, tenantId, record.userHash);
    if (rows.length < FORGET_ROWS) return;
  }
}

function remove(tx: WriteView, tenantId: string, userHash: string): void {
  byTenant.delete(tx, joinId(tenantId, userHash));
  // A user who moved to another tenant is that tenant's to remove.
  if (registrations.get(tx, userHash)?.tenantId === tenantId) registrations.delete(tx, userHash);
}

/** Secret key of the answers for unknown users; made once. */
export function fakeKey(tx: WriteView, make: () => Uint8Array): Uint8Array {
  const known = keys.get(tx, 'this');
  if (known !== undefined) return known.key;
  const key = make();
  keys.put(tx, 'this', { key });
  return key;
}

/**
 * The tenant of a user. For an unknown user one of the tenants, always the same, chosen by a secret key: so the answer has the form and the length of
 * a real one and does not tell whether the user exists. Undefined when no tenant has registered yet.
 */
export function tenantOfUser(
  view: ReadView,
  options: { readonly crypto: CryptoProvider; readonly fakeKey: Uint8Array; readonly userHash: Uint8Array },
): { readonly tenant: TenantAddress; readonly known: boolean } | undefined {
  const { crypto, userHash } = options;
  // The highest keyed score wins: a new tenant takes over a share of the unknown users and moves no other. Looked for in any case, as time would tell.
  let best: { readonly score: string; readonly tenant: TenantAddress } | undefined;
  for (const { record } of tenants.page(view, { limit: MAX_TENANTS })) {
    const score = toHex(crypto.hmacSha256(options.fakeKey, concatBytes(lp(userHash), lp(utf8(record.tenantId)))));
    if (best === undefined || score > best.score) best = { score, tenant: record };
  }
  const registration = registrations.get(view, toHex(userHash));
  const tenant = registration === undefined ? undefined : tenants.get(view, joinId(registration.tenantId));
  if (tenant !== undefined) return { tenant, known: true };
  return best === undefined ? undefined : { tenant: best.tenant, known: false };
}
