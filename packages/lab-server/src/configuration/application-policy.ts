import type * as wire from '@uemkit/protocol/wire';
import type { PolicyDefinition } from '../app-policy/definition.ts';
import { valuesInForce, valuesJson, valuesOfJson } from '../app-policy/values.ts';
import { type AppPolicyRecord, appPolicyById, policyDefinitionOf } from '../state/app-policies.ts';
import type { ApplicationRecord } from '../state/applications.ts';
import { type Assignee, assignmentsOf } from '../state/assignments.ts';
import { groupsOf } from '../state/user-groups.ts';
import type { ReadView } from '../store/lab-store.ts';
import { appPolicy } from './app-provisioning.ts';

/** Everything that one app of a user goes by (F3.11, F5.4): the profiles of Dynamics that are in force, and its own policy under `application`. */
export function policyOfApp(view: ReadView, userGuid: string, application: Pick<ApplicationRecord, 'guid'>): wire.WireDocument {
  const own = applicationPolicy(view, userGuid, application.guid);
  return own === undefined ? appPolicy(view, userGuid) : { ...appPolicy(view, userGuid), application: own };
}

/** The values of an app for one user, and which policy they come from; undefined while the application has no definition. */
export function applicationPolicy(view: ReadView, userGuid: string, applicationGuid: string): wire.WireDocument | undefined {
  const record = policyDefinitionOf(view, applicationGuid);
  if (record === undefined) return undefined;
  const definition = JSON.parse(record.definition) as PolicyDefinition;
  const set = appPolicyInForce(view, userGuid, applicationGuid);
  return { values: valuesJson(valuesInForce(definition, set === undefined ? undefined : valuesOfJson(set.values))) };
}

/** Of the app policies of this application that the user has: those of the user beat those of groups, then rank, then the lower id. */
export function appPolicyInForce(view: ReadView, userGuid: string, applicationGuid: string): AppPolicyRecord | undefined {
  const own = bestOf(view, [{ kind: 'user', id: userGuid }], applicationGuid);
  const groups = (): readonly Assignee[] => groupsOf(view, userGuid).map((id) => ({ kind: 'userGroup', id }));
  return own ?? bestOf(view, groups(), applicationGuid);
}

function bestOf(view: ReadView, assignees: readonly Assignee[], applicationGuid: string): AppPolicyRecord | undefined {
  let best: AppPolicyRecord | undefined;
  for (const assignee of assignees)
    for (const { object } of assignmentsOf(view, assignee)) {
      const policy = object.kind === 'appPolicy' ? appPolicyById(view, object.id) : undefined;
      if (policy?.applicationGuid !== applicationGuid) continue;
      const isFirst = best === undefined || policy.rank < best.rank || (policy.rank === best.rank && policy.appPolicyId < best.appPolicyId);
      if (isFirst) best = policy;
    }
  return best;
}
