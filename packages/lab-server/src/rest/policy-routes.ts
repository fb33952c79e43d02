import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { NewPolicy } from '../admin/policy-administration.ts';
import { policyRules } from '../configuration/policy-rules.ts';
import { decodeDocument } from '../state/inventory.ts';
import { DEFAULT_POLICY_ID, type PolicyRecord } from '../state/policies.ts';
import { type BodySchema, component, guidText, line, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { POLICY_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import { jsonDocument, timeOf, type View } from './views.ts';

const FIELDS = ['name', 'guid'] as const;
const readPolicy = (policy: PolicyRecord, field: (typeof FIELDS)[number]): string => (field === 'name' ? policy.name : policy.policyId);

/** Place among others: the lowest number goes first. */
export const rank: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000));
const rules = component('PolicyRules', policyRules);

const policyBody: BodySchema<NewPolicy> = component(
  'NewPolicy',
  v.strictObject({ name: line(128), description: v.optional(line(1_024)), rank: v.optional(rank), rules }),
) as BodySchema<NewPolicy>;

const policyAnswer: ViewSchema = component(
  'Policy',
  v.strictObject({
    guid: guidText,
    name: v.string(),
    description: v.optional(v.string()),
    rank: v.number(),
    isDefault: v.boolean(),
    version: v.number(),
    updated: timeText,
    rules,
    links: linksView,
  }),
);
const policiesView = pageView('Policies', 'policies', policyAnswer);

/** /policies/{policy} */
function policyView(base: string, policy: PolicyRecord): View {
  const { policyId, name, description, rank: place, version, updatedAtMs } = policy;
  return {
    guid: policyId,
    name,
    description,
    rank: place,
    isDefault: policyId === DEFAULT_POLICY_ID,
    version,
    updated: timeOf(updatedAtMs),
    rules: jsonDocument(decodeDocument(policy.rules)),
    links: [{ rel: 'self', href: `${base}/policies/${policyId}` }],
  };
}

const PARTS = { policy: POLICY_PART };

/** IT policies (F5.1). */
export function policyRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listPolicies',
      method: 'GET',
      path: '/policies',
      summary: 'Lists IT policies',
      tag: 'policies',
      role: 'readOnly',
      list: FIELDS,
      answers: { 200: { noun: 'policies', schema: policiesView } },
      run({ list, base }) {
        const page = pageOf(admin.policies(), list, readPolicy);
        const links = pageLinks(`${base}/policies`, list, page.hasMore);
        return { status: 200, body: { policies: page.items.map((policy) => policyView(base, policy)), links } };
      },
    }),
    route({
      id: 'createPolicy',
      method: 'POST',
      path: '/policies',
      summary: 'Adds an IT policy',
      tag: 'policies',
      role: 'administrator',
      body: { noun: 'policy', schema: policyBody },
      answers: { 201: { noun: 'policy', schema: policyAnswer, headers: { location: 'path of the policy' } } },
      problems: ['LIMIT_REACHED'],
      async run({ body, base }) {
        const policy = await admin.createPolicy(body);
        return { status: 201, body: policyView(base, policy), headers: { location: `${base}/policies/${policy.policyId}` } };
      },
    }),
    route({
      id: 'getPolicy',
      method: 'GET',
      path: '/policies/{policy}',
      summary: 'Shows one IT policy',
      tag: 'policies',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'policy', schema: policyAnswer } },
      problems: ['POLICY_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: policyView(base, admin.policy(parts.policy)) }),
    }),
    route({
      id: 'putPolicy',
      method: 'PUT',
      path: '/policies/{policy}',
      summary: 'Replaces an IT policy; devices get the rule groups that have changed',
      tag: 'policies',
      role: 'administrator',
      parts: PARTS,
      body: { noun: 'policy', schema: policyBody },
      answers: { 200: { noun: 'policy', schema: policyAnswer } },
      problems: ['POLICY_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: policyView(base, await admin.updatePolicy(parts.policy, body)) }),
    }),
    route({
      id: 'deletePolicy',
      method: 'DELETE',
      path: '/policies/{policy}',
      summary: 'Deletes an IT policy that is assigned to nobody',
      tag: 'policies',
      role: 'administrator',
      parts: PARTS,
      answers: { 204: {} },
      problems: ['POLICY_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deletePolicy(parts.policy);
        return { status: 204 };
      },
    }),
  ];
}
