import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, partOf, type Row, type Table, table } from './table.ts';

/** The uploaded policy definition of an application. */
export interface PolicyDefinitionRecord {
  readonly applicationGuid: string;
  /** As it was uploaded. */
  readonly xml: string;
  /** What was read of it, as JSON: numbers of options may be negative or broken, which records cannot hold. */
  readonly definition: string;
  readonly updatedAtMs: number;
}

/** Values that administrators have set for an application; it is assigned to users and user groups. */
export interface AppPolicyRecord {
  readonly appPolicyId: string;
  readonly applicationGuid: string;
  readonly name: string;
  /** The lowest number goes first; of equals the lower id. */
  readonly rank: number;
  /** Values by key, as JSON; checked against the definition. */
  readonly values: string;
  readonly updatedAtMs: number;
}

/** App policies of a tenant. */
export const MAX_APP_POLICIES = 500;

const definitions: Table<PolicyDefinitionRecord> = table('policy-definition', { read: 'asRecords' });
const policies: Table<AppPolicyRecord> = table('app-policy');
const policiesOf: Table<{ readonly appPolicyId: string }> = table('app-policy-of');

export function putPolicyDefinition(tx: WriteView, definition: PolicyDefinitionRecord): void {
  definitions.put(tx, definition.applicationGuid, definition);
}

export function policyDefinitionOf(view: ReadView, applicationGuid: string): PolicyDefinitionRecord | undefined {
  return definitions.get(view, applicationGuid);
}

export function deletePolicyDefinition(tx: WriteView, applicationGuid: string): void {
  definitions.delete(tx, applicationGuid);
}

export function putAppPolicy(tx: WriteView, policy: AppPolicyRecord): void {
  policies.put(tx, policy.appPolicyId, policy);
  policiesOf.put(tx, joinId(policy.applicationGuid, policy.appPolicyId), { appPolicyId: policy.appPolicyId });
}

export function appPolicyById(view: ReadView, appPolicyId: string): AppPolicyRecord | undefined {
  return policies.get(view, appPolicyId);
}

export function listAppPolicies(view: ReadView, applicationGuid: string): readonly AppPolicyRecord[] {
  const query: PageQuery = { under: partOf(applicationGuid), limit: MAX_APP_POLICIES };
  return policiesOf.page(view, query).flatMap(({ record }: Row<{ readonly appPolicyId: string }>) => policies.get(view, record.appPolicyId) ?? []);
}

/** Those of every application. */
export function everyAppPolicy(view: ReadView): readonly Row<AppPolicyRecord>[] {
  return policies.page(view, { limit: MAX_APP_POLICIES });
}

export function deleteAppPolicy(tx: WriteView, { applicationGuid, appPolicyId }: AppPolicyRecord): void {
  policies.delete(tx, appPolicyId);
  policiesOf.delete(tx, joinId(applicationGuid, appPolicyId));
}
