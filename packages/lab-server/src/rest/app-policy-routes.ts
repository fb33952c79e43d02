import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { AppPolicy, NewAppPolicy, UploadedDefinition } from '../admin/app-policy-administration.ts';
import { CONTROLS, DEFINITION_LIMITS } from '../app-policy/definition.ts';
import { type BodySchema, component, guidText, line, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { APP_POLICY_PART, APPLICATION_PART } from './parts.ts';
import { rank } from './policy-routes.ts';
import { type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

const FIELDS = ['name', 'guid'] as const;
const readPolicy = (policy: AppPolicy, field: (typeof FIELDS)[number]): string => (field === 'name' ? policy.name : policy.appPolicyId);

interface DefinitionBody {
  readonly xml: string;
}

const definitionBody: BodySchema<DefinitionBody> = component(
  'NewPolicyDefinition',
  v.strictObject({
    xml: v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(DEFINITION_LIMITS.xmlBytes),
      v.description('Document with the root AppPolicyDefinition (urn:AppPolicySchema1.good.com), without document type'),
    ),
  }),
);
const single = v.union([v.boolean(), v.number(), v.string()]);
const value = v.union([single, v.array(v.union([v.number(), v.string()]))]);
const values = v.record(v.string(), value);

const definitionAnswer: ViewSchema = component(
  'PolicyDefinition',
  v.strictObject({
    application: v.strictObject({ guid: guidText }),
    version: v.optional(v.string()),
    settings: v.array(
      component(
        'PolicySetting',
        v.strictObject({
          name: v.string(),
          key: v.string(),
          control: v.picklist(CONTROLS),
          label: v.optional(v.string()),
          maxLength: v.optional(v.number()),
          options: v.optional(v.array(v.strictObject({ value: v.union([v.number(), v.string()]), description: v.string() }))),
          initial: v.optional(v.pipe(value, v.description('In force while no app policy sets another one; absent: apps are not told the key'))),
          dependsOn: v.optional(v.pipe(v.string(), v.description('Name of the checkbox that makes it count'))),
          isSent: v.pipe(v.boolean(), v.description('False: apps are never told it')),
        }),
      ),
    ),
    xml: v.string(),
    updated: timeText,
    links: linksView,
  }),
);

const policyBody: BodySchema<NewAppPolicy> = component(
  'NewAppPolicy',
  v.strictObject({
    name: line(128),
    rank: v.optional(rank),
    values: v.pipe(v.record(v.string(), v.unknown()), v.description('By key of the definition, and checked against it')),
  }),
) as BodySchema<NewAppPolicy>;

const policyAnswer: ViewSchema = component(
  'AppPolicy',
  v.strictObject({ guid: guidText, name: v.string(), rank: v.number(), values, updated: timeText, links: linksView }),
);
const policiesView = pageView('AppPolicies', 'appPolicies', policyAnswer);

/** /applications/{application}/policyDefinition */
function definitionView(base: string, { applicationGuid, xml, version, settings, updatedAtMs }: UploadedDefinition): View {
  const links = [
    { rel: 'self', href: `${base}/applications/${applicationGuid}/policyDefinition` },
    { rel: 'application', href: `${base}/applications/${applicationGuid}` },
  ];
  return { application: { guid: applicationGuid }, version, settings, xml, updated: timeOf(updatedAtMs), links };
}

/** /applications/{application}/appPolicies/{appPolicy} */
function policyView(base: string, policy: AppPolicy): View {
  const { appPolicyId, name, rank: place, updatedAtMs } = policy;
  const links = [{ rel: 'self', href: pathOf(base, policy) }];
  return { guid: appPolicyId, name, rank: place, values: Object.fromEntries(policy.values), updated: timeOf(updatedAtMs), links };
}

function pathOf(base: string, { applicationGuid, appPolicyId }: AppPolicy): string {
  return `${base}/applications/${applicationGuid}/appPolicies/${appPolicyId}`;
}

const APPLICATION = { application: APPLICATION_PART };
const BOTH = { ...APPLICATION, appPolicy: APP_POLICY_PART };

/** Policy definitions of applications, and app policies: the values that administrators set by them. */
export function appPolicyRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'getPolicyDefinition',
      method: 'GET',
      path: '/applications/{application}/policyDefinition',
      summary: 'Shows what an application can be set to do',
      tag: 'app policies',
      role: 'readOnly',
      parts: APPLICATION,
      answers: { 200: { noun: 'policydefinition', schema: definitionAnswer } },
      problems: ['APPLICATION_NOT_FOUND', 'POLICY_DEFINITION_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: definitionView(base, admin.policyDefinition(parts.application)) }),
    }),
    route({
      id: 'putPolicyDefinition',
      method: 'PUT',
      path: '/applications/{application}/policyDefinition',
      summary: 'Uploads the policy definition of an application, in place of the one before',
      tag: 'app policies',
      role: 'administrator',
      parts: APPLICATION,
      body: { noun: 'policydefinition', schema: definitionBody },
      answers: { 200: { noun: 'policydefinition', schema: definitionAnswer } },
      problems: ['APPLICATION_NOT_FOUND', 'INVALID_POLICY_DEFINITION', 'IN_USE'],
      run: async ({ parts, body, base }) => ({ status: 200, body: definitionView(base, await admin.putPolicyDefinition(parts.application, body.xml)) }),
    }),
    route({
      id: 'deletePolicyDefinition',
      method: 'DELETE',
      path: '/applications/{application}/policyDefinition',
      summary: 'Deletes a policy definition that no app policy goes by',
      tag: 'app policies',
      role: 'administrator',
      parts: APPLICATION,
      answers: { 204: {} },
      problems: ['APPLICATION_NOT_FOUND', 'POLICY_DEFINITION_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deletePolicyDefinition(parts.application);
        return { status: 204 };
      },
    }),
    route({
      id: 'listAppPolicies',
      method: 'GET',
      path: '/applications/{application}/appPolicies',
      summary: 'Lists the app policies of an application',
      tag: 'app policies',
      role: 'readOnly',
      parts: APPLICATION,
      list: FIELDS,
      answers: { 200: { noun: 'apppolicies', schema: policiesView } },
      problems: ['APPLICATION_NOT_FOUND'],
      run({ parts, list, base }) {
        const page = pageOf(admin.appPolicies(parts.application), list, readPolicy);
        const links = pageLinks(`${base}/applications/${parts.application}/appPolicies`, list, page.hasMore);
        return { status: 200, body: { appPolicies: page.items.map((policy) => policyView(base, policy)), links } };
      },
    }),
    route({
      id: 'createAppPolicy',
      method: 'POST',
      path: '/applications/{application}/appPolicies',
      summary: 'Adds an app policy: values for the settings of the definition',
      tag: 'app policies',
      role: 'administrator',
      parts: APPLICATION,
      body: { noun: 'apppolicy', schema: policyBody },
      answers: { 201: { noun: 'apppolicy', schema: policyAnswer, headers: { location: 'path of the app policy' } } },
      problems: ['APPLICATION_NOT_FOUND', 'POLICY_DEFINITION_NOT_FOUND', 'LIMIT_REACHED'],
      async run({ parts, body, base }) {
        const policy = await admin.createAppPolicy(parts.application, body);
        return { status: 201, body: policyView(base, policy), headers: { location: pathOf(base, policy) } };
      },
    }),
    route({
      id: 'getAppPolicy',
      method: 'GET',
      path: '/applications/{application}/appPolicies/{appPolicy}',
      summary: 'Shows one app policy',
      tag: 'app policies',
      role: 'readOnly',
      parts: BOTH,
      answers: { 200: { noun: 'apppolicy', schema: policyAnswer } },
      problems: ['APPLICATION_NOT_FOUND', 'POLICY_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: policyView(base, admin.appPolicy(parts.application, parts.appPolicy)) }),
    }),
    route({
      id: 'putAppPolicy',
      method: 'PUT',
      path: '/applications/{application}/appPolicies/{appPolicy}',
      summary: 'Replaces an app policy; apps get the new values when they ask next',
      tag: 'app policies',
      role: 'administrator',
      parts: BOTH,
      body: { noun: 'apppolicy', schema: policyBody },
      answers: { 200: { noun: 'apppolicy', schema: policyAnswer } },
      problems: ['APPLICATION_NOT_FOUND', 'POLICY_NOT_FOUND', 'POLICY_DEFINITION_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: policyView(base, await admin.updateAppPolicy(parts.application, parts.appPolicy, body)) }),
    }),
    route({
      id: 'deleteAppPolicy',
      method: 'DELETE',
      path: '/applications/{application}/appPolicies/{appPolicy}',
      summary: 'Deletes an app policy that is assigned to nobody',
      tag: 'app policies',
      role: 'administrator',
      parts: BOTH,
      answers: { 204: {} },
      problems: ['APPLICATION_NOT_FOUND', 'POLICY_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deleteAppPolicy(parts.application, parts.appPolicy);
        return { status: 204 };
      },
    }),
  ];
}
