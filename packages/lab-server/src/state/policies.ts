import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

/** One of several IT policies; a device has exactly one in force. */
export interface PolicyRecord {
  readonly policyId: string;
  readonly name: string;
  readonly description?: string | undefined;
  /** The lowest number goes first; of equals the lower id. */
  readonly rank: number;
  /** Counts the changes of the content. */
  readonly version: number;
  /** Encoded document: rule group → rule → value. */
  readonly rules: Uint8Array;
  /** What tells one content of a part from another, by part of the policy document. Empty: nothing is sent. */
  readonly digests: Readonly<Record<string, string>>;
  readonly updatedAtMs: number;
}

/** Policies of a tenant. */
export const MAX_POLICIES = 100;

/** In force where no other one is assigned. */
export const DEFAULT_POLICY_ID = 'default';

const policies: Table<PolicyRecord> = table('it-policy');

export function putPolicy(tx: WriteView, policy: PolicyRecord): void {
  policies.put(tx, policy.policyId, policy);
}

export function policyById(view: ReadView, policyId: string): PolicyRecord | undefined {
  return policies.get(view, policyId);
}

export function listPolicies(view: ReadView, query: PageQuery): readonly Row<PolicyRecord>[] {
  return policies.page(view, query);
}

export function deletePolicy(tx: WriteView, policyId: string): void {
  policies.delete(tx, policyId);
}
