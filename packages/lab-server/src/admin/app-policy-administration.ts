import { type PolicyDefinition, PolicyDefinitionError, type PolicyValues } from '../app-policy/definition.ts';
import { readDefinition } from '../app-policy/read-definition.ts';
import { checkValues, valuesJson, valuesOfJson } from '../app-policy/values.ts';
import {
  type AppPolicyRecord,
  appPolicyById,
  deleteAppPolicy,
  deletePolicyDefinition,
  everyAppPolicy,
  listAppPolicies,
  MAX_APP_POLICIES,
  policyDefinitionOf,
  putAppPolicy,
  putPolicyDefinition,
} from '../state/app-policies.ts';
import { applicationByGuid } from '../state/applications.ts';
import { randomUuid } from '../state/ids.ts';
import type { ReadView } from '../store/lab-store.ts';
import { type ConfigurationOptions, required, requireRoom, requireUnassigned } from './configuration-options.ts';
import { LAST_RANK } from './policy-administration.ts';
import { AdminProblem } from './problem.ts';

export interface NewAppPolicy {
  readonly name: string;
  /** The lowest number goes first. */
  readonly rank?: number | undefined;
  /** By key of the definition; what is left out stays as the definition begins. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A definition as administrators see it. */
export interface UploadedDefinition extends PolicyDefinition {
  readonly applicationGuid: string;
  readonly xml: string;
  readonly updatedAtMs: number;
}

/** An app policy as administrators see it. */
export interface AppPolicy extends Omit<AppPolicyRecord, 'values'> {
  readonly values: PolicyValues;
}

/** What the apps of the company can be set to do, and what they are set to. */
export interface AppPolicyAdministration {
  /**
   * Takes the policy definition of an application, in place of the one before. Values that are set have to fit it.
   * @throws AdminProblem `APPLICATION_NOT_FOUND`, `INVALID_POLICY_DEFINITION` with line, column and path, `IN_USE` with the policy whose values do not fit
   */
  putPolicyDefinition(applicationGuid: string, xml: string): Promise<UploadedDefinition>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `POLICY_DEFINITION_NOT_FOUND` */
  policyDefinition(applicationGuid: string): UploadedDefinition;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `POLICY_DEFINITION_NOT_FOUND`, `IN_USE` while there are app policies */
  deletePolicyDefinition(applicationGuid: string): Promise<void>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `POLICY_DEFINITION_NOT_FOUND`, `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`, `LIMIT_REACHED` */
  createAppPolicy(applicationGuid: string, policy: NewAppPolicy): Promise<AppPolicy>;
  /** Replaces an app policy; apps hear of it when they ask next (F5.3). @throws AdminProblem `APPLICATION_NOT_FOUND`, `POLICY_NOT_FOUND`, `INVALID_PROPERTY`, `UNKNOWN_PROPERTY` */
  updateAppPolicy(applicationGuid: string, appPolicyId: string, policy: NewAppPolicy): Promise<AppPolicy>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `POLICY_NOT_FOUND`, `IN_USE` while it is assigned */
  deleteAppPolicy(applicationGuid: string, appPolicyId: string): Promise<void>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `POLICY_NOT_FOUND` */
  appPolicy(applicationGuid: string, appPolicyId: string): AppPolicy;
  /** By its id alone, for lists of assignments. @throws AdminProblem `POLICY_NOT_FOUND` */
  appPolicyById(appPolicyId: string): AppPolicy;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND` */
  appPolicies(applicationGuid: string): readonly AppPolicy[];
}

export function createAppPolicyAdministration({ clock, entropy, store }: ConfigurationOptions): AppPolicyAdministration {
  return {
    async putPolicyDefinition(applicationGuid, xml) {
      const definition = parsed(xml);
      const record = { applicationGuid, xml, definition: JSON.stringify(definition), updatedAtMs: clock.nowMs() };
      await store.transaction((tx) => {
        requireApplication(tx, applicationGuid);
        for (const policy of listAppPolicies(tx, applicationGuid)) {
          const checked = checkValues(definition, Object.fromEntries(valuesOfJson(policy.values)));
          // check: what is set has to mean something in the new definition, too
          if ('fault' in checked) {
            const { key, problem } = checked.fault;
            throw new AdminProblem('IN_USE', `app policy ${policy.appPolicyId} does not fit: ${key}: ${problem}; take the value out of it first`);
          }
        }
        putPolicyDefinition(tx, record);
      });
      return { applicationGuid, xml, updatedAtMs: record.updatedAtMs, ...definition };
    },
    policyDefinition: (applicationGuid) =>
      store.read((view) => {
        const { xml, updatedAtMs, definition } = requireDefinition(view, applicationGuid);
        return { applicationGuid, xml, updatedAtMs, ...(JSON.parse(definition) as PolicyDefinition) };
      }),
    async deletePolicyDefinition(applicationGuid) {
      await store.transaction((tx) => {
        requireDefinition(tx, applicationGuid);
        const [policy] = listAppPolicies(tx, applicationGuid);
        if (policy !== undefined) throw new AdminProblem('IN_USE', `app policy ${policy.appPolicyId} goes by it; delete that first`);
        deletePolicyDefinition(tx, applicationGuid);
      });
    },
    async createAppPolicy(applicationGuid, wanted) {
      return store.transaction((tx) => {
        const values = requireValues(tx, applicationGuid, wanted);
        requireRoom(everyAppPolicy(tx), MAX_APP_POLICIES, 'app policies');
        const { name, rank = LAST_RANK } = wanted;
        const record = { appPolicyId: randomUuid(entropy), applicationGuid, name, rank, values: valuesJson(values), updatedAtMs: clock.nowMs() };
        putAppPolicy(tx, record);
        return seen(record);
      });
    },
    async updateAppPolicy(applicationGuid, appPolicyId, wanted) {
      return store.transaction((tx) => {
        const known = requirePolicy(tx, applicationGuid, appPolicyId);
        const values = requireValues(tx, applicationGuid, wanted);
        const { name, rank = LAST_RANK } = wanted;
        const record = { ...known, name, rank, values: valuesJson(values), updatedAtMs: clock.nowMs() };
        putAppPolicy(tx, record);
        return seen(record);
      });
    },
    async deleteAppPolicy(applicationGuid, appPolicyId) {
      await store.transaction((tx) => {
        const policy = requirePolicy(tx, applicationGuid, appPolicyId);
        requireUnassigned(tx, { kind: 'appPolicy', id: appPolicyId });
        deleteAppPolicy(tx, policy);
      });
    },
    appPolicy: (applicationGuid, appPolicyId) => store.read((view) => seen(requirePolicy(view, applicationGuid, appPolicyId))),
    appPolicyById: (appPolicyId) => store.read((view) => seen(required(appPolicyById(view, appPolicyId), 'POLICY_NOT_FOUND', 'there is no such app policy'))),
    appPolicies: (applicationGuid) =>
      store.read((view) => {
        requireApplication(view, applicationGuid);
        return listAppPolicies(view, applicationGuid).map(seen);
      }),
  };
}

const seen = (record: AppPolicyRecord): AppPolicy => ({ ...record, values: valuesOfJson(record.values) });

function parsed(xml: string): PolicyDefinition {
  try {
    return readDefinition(xml);
  } catch (error) {
    if (!(error instanceof PolicyDefinitionError)) throw error;
    throw new AdminProblem('INVALID_POLICY_DEFINITION', `xml: ${error.message} (${error.fault})`);
  }
}

function requireApplication(view: ReadView, guid: string): void {
  required(applicationByGuid(view, guid), 'APPLICATION_NOT_FOUND', 'there is no such application');
}

function requireDefinition(view: ReadView, applicationGuid: string) {
  requireApplication(view, applicationGuid);
  return required(policyDefinitionOf(view, applicationGuid), 'POLICY_DEFINITION_NOT_FOUND', 'the application has no policy definition; upload one first');
}

function requirePolicy(view: ReadView, applicationGuid: string, appPolicyId: string): AppPolicyRecord {
  requireApplication(view, applicationGuid);
  const policy = required(appPolicyById(view, appPolicyId), 'POLICY_NOT_FOUND', 'there is no such app policy');
  if (policy.applicationGuid !== applicationGuid) throw new AdminProblem('POLICY_NOT_FOUND', 'there is no such app policy of this application');
  return policy;
}

function requireValues(view: ReadView, applicationGuid: string, { values }: NewAppPolicy): PolicyValues {
  const definition = JSON.parse(requireDefinition(view, applicationGuid).definition) as PolicyDefinition;
  const checked = checkValues(definition, values);
  if ('values' in checked) return checked.values;
  const { key, problem, isUnknown } = checked.fault;
  const field = key === '' ? 'values' : `values.${key.slice(0, 128)}`;
  throw new AdminProblem(isUnknown === true ? 'UNKNOWN_PROPERTY' : 'INVALID_PROPERTY', `${field}: ${problem}`);
}
