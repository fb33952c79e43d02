import type * as wire from '@uemkit/protocol/wire';
import { applicationByGuid } from '../state/applications.ts';
import type { Disposition } from '../state/assignments.ts';
import { configurationProfileById } from '../state/configuration-profiles.ts';
import type { DocumentName, Parts } from '../state/deliveries.ts';
import { decodeDocument } from '../state/inventory.ts';
import { policyById } from '../state/policies.ts';
import type { ReadView } from '../store/lab-store.ts';
import type { EffectiveConfiguration } from './effective.ts';

/** Part of the policy document that says which policy it is; the other parts are its rule groups. */
export const POLICY_PART = 'policy';

/** One part as it is sent, with what tells it from other contents. */
export interface PartContent {
  readonly digest: string;
  readonly value: wire.WireDocumentValue;
}

/** The documents of a device as parts with digests. Reads no contents. */
export function documentParts(view: ReadView, effective: EffectiveConfiguration): Readonly<Record<DocumentName, Parts>> {
  const policy = effective.policyId === undefined ? undefined : policyById(view, effective.policyId);
  const profiles: Record<string, string> = {};
  for (const id of [...Object.values(effective.ranked), ...effective.unranked]) {
    const digest = configurationProfileById(view, id)?.digest;
    if (digest !== undefined) profiles[id] = digest;
  }
  const applications: Record<string, string> = {};
  for (const [guid, disposition] of Object.entries(effective.applications)) {
    const application = applicationByGuid(view, guid);
    if (application !== undefined) applications[guid] = digestOf(application.digest, disposition);
  }
  return { policy: policy === undefined ? {} : policyParts(policy.policyId, policy.digests), profiles, applications };
}

/** Two policies may have equal rule groups: the digest of a group names its content only, so the device is not sent it again. */
function policyParts(policyId: string, digests: Readonly<Record<string, string>>): Parts {
  return Object.keys(digests).length === 0 ? {} : { ...digests, [POLICY_PART]: `${digests[POLICY_PART]}:${policyId}` };
}

/** The disposition is part of what the device is told. */
function digestOf(digest: string, disposition: Disposition): string {
  return `${digest}:${disposition}`;
}

/** Reads the contents of parts of one document as they are now; absent: the part is gone meanwhile. */
export function partContents(view: ReadView, document: DocumentName, target: Parts): (name: string) => PartContent | undefined {
  switch (document) {
    case 'policy':
      return policyContents(view, target);
    case 'profiles':
      return (id) => profileContent(view, id);
    case 'applications':
      return (guid) => applicationContent(view, guid, target[guid]?.endsWith(':REQUIRED') === true ? 'REQUIRED' : 'OPTIONAL');
  }
}

function policyContents(view: ReadView, target: Parts): (name: string) => PartContent | undefined {
  const named = target[POLICY_PART];
  const policy = named === undefined ? undefined : policyById(view, named.slice(named.indexOf(':') + 1));
  const parts = policy === undefined ? {} : policyParts(policy.policyId, policy.digests);
  const rules: wire.WireDocument = policy === undefined ? {} : decodeDocument(policy.rules);
  return (name) => {
    const digest = parts[name];
    if (policy === undefined || digest === undefined) return undefined;
    const value = name === POLICY_PART ? { guid: policy.policyId, name: policy.name } : rules[name];
    return value === undefined ? undefined : { digest, value };
  };
}

function profileContent(view: ReadView, id: string): PartContent | undefined {
  const profile = configurationProfileById(view, id);
  if (profile?.digest === undefined) return undefined;
  return { digest: profile.digest, value: { kind: profile.kind, name: profile.name, content: decodeDocument(profile.content) } };
}

function applicationContent(view: ReadView, guid: string, disposition: Disposition): PartContent | undefined {
  const application = applicationByGuid(view, guid);
  if (application === undefined) return undefined;
  const { applicationId, name, version } = application;
  return { digest: digestOf(application.digest, disposition), value: { id: applicationId, name, version, disposition } };
}
