import type * as wire from '@uemkit/protocol/wire';
import { POLICY_PART } from '../configuration/documents.ts';
import { type PolicyRules, policyRules } from '../configuration/policy-rules.ts';
import { randomUuid } from '../state/ids.ts';
import { encodeDocument } from '../state/inventory.ts';
import { DEFAULT_POLICY_ID, deletePolicy, listPolicies, MAX_POLICIES, type PolicyRecord, policyById, putPolicy } from '../state/policies.ts';
import type { ReadView } from '../store/lab-store.ts';
import { checkContent } from './check-content.ts';
import { type ConfigurationOptions, recomputeAssigned, required, requireRoom, requireUnassigned } from './configuration-options.ts';
import { digestOf } from './digest.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';

export interface NewPolicy {
  readonly name: string;
  readonly description?: string | undefined;
  /** The lowest number goes first. */
  readonly rank?: number | undefined;
  /** Checked against the rule groups. */
  readonly rules: unknown;
}

/** Rank of what nobody has ranked: behind everything else. */
export const LAST_RANK = 1_000_000;

/** IT policies. */
export interface PolicyAdministration {
  /** @throws AdminProblem `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`, `LIMIT_REACHED` */
  createPolicy(policy: NewPolicy): Promise<PolicyRecord>;
  /** Replaces a policy; devices get the rule groups that have changed. @throws AdminProblem `POLICY_NOT_FOUND`, `INVALID_PROPERTY`, `UNKNOWN_PROPERTY` */
  updatePolicy(policyId: string, policy: NewPolicy): Promise<PolicyRecord>;
  /** @throws AdminProblem `POLICY_NOT_FOUND`, `IN_USE` also for the default policy */
  deletePolicy(policyId: string): Promise<void>;
  /** @throws AdminProblem `POLICY_NOT_FOUND` */
  policy(policyId: string): PolicyRecord;
  policies(): Iterable<PolicyRecord>;
}

export function createPolicyAdministration(options: ConfigurationOptions): PolicyAdministration {
  const { clock, crypto, entropy, store, reconfigure } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);

  const recordOf = (policyId: string, { name, description, rank = LAST_RANK, rules }: NewPolicy, version: number): PolicyRecord => {
    const content: PolicyRules & wire.WireDocument = checkContent(policyRules, rules, 'rules');
    const groups = Object.entries(content).filter(([, group]) => Object.keys(group as object).length > 0);
    const digests = Object.fromEntries(groups.map(([group, value]) => [group, digestOf(crypto, value)]));
    // A policy without a rule is not sent; one with rules says its name too.
    const named = groups.length === 0 ? {} : { [POLICY_PART]: digestOf(crypto, name) };
    return { policyId, name, description, rank, version, rules: encodeDocument(content), digests: { ...digests, ...named }, updatedAtMs: clock.nowMs() };
  };

  return {
    async createPolicy(wanted) {
      const policy = recordOf(randomUuid(entropy), wanted, 1);
      await store.transaction((tx) => {
        requireRoom(listPolicies(tx, { limit: MAX_POLICIES }), MAX_POLICIES, 'IT policies');
        putPolicy(tx, policy);
      });
      return policy;
    },
    async updatePolicy(policyId, wanted) {
      const changed = await store.transaction((tx) => {
        const known = requirePolicy(tx, policyId);
        const policy = recordOf(policyId, wanted, known.version + 1);
        putPolicy(tx, policy);
        recomputeAssigned(tx, { kind: 'policy', id: policyId }, policyId === DEFAULT_POLICY_ID, clock.nowMs());
        return policy;
      });
      reconfigure();
      return changed;
    },
    async deletePolicy(policyId) {
      await store.transaction((tx) => {
        requirePolicy(tx, policyId);
        if (policyId === DEFAULT_POLICY_ID) throw new AdminProblem('IN_USE', 'the default policy stays');
        requireUnassigned(tx, { kind: 'policy', id: policyId });
        deletePolicy(tx, policyId);
      });
    },
    policy: (policyId) => store.read((view) => requirePolicy(view, policyId)),
    *policies() {
      for (const { record } of rowsOf(read, listPolicies, (row) => row.id)) yield record;
    },
  };
}

function requirePolicy(view: ReadView, policyId: string): PolicyRecord {
  return required(policyById(view, policyId), 'POLICY_NOT_FOUND', 'there is no such IT policy');
}
