import type { Delivery, EffectiveConfiguration, ServerPolicy, ServerProfile } from '../admin/configuration-api.ts';
import { objectName, type PlannedConfiguration } from '../plan/configuration-targets.ts';
import type { Difference } from './difference.ts';
import { type HeldConfiguration, heldPolicy, heldProfiles, missingOnDevice, sameDocument, withoutEmpty } from './held-configuration.ts';

/** The configuration of one device as plan, server and device have it. */
export interface AuditedConfiguration {
  readonly fleetId: string;
  /** Absent: the plan has nothing for this device. */
  readonly planned?: PlannedConfiguration | undefined;
  readonly effective: EffectiveConfiguration;
  /** The policy and the profiles that are in force, as the server shows them. */
  readonly policy?: ServerPolicy | undefined;
  readonly profiles: readonly ServerProfile[];
  readonly held: HeldConfiguration;
}

/** Fields that the server tells to devices only. */
const TOLD_TO_DEVICES_ONLY: readonly string[] = ['preSharedKey', 'sharedSecret', 'payload'];
const DOCUMENTS = ['policy', 'profiles', 'applications'] as const;

/** Compares what a device holds with what the server says is in force, and both with the plan. */
export function checkConfiguration(device: number, audited: AuditedConfiguration): readonly Difference[] {
  const open = DOCUMENTS.flatMap((name) => openOf(name, audited.effective.delivery[name]));
  // What is on its way is another one in a moment.
  if (open.length > 0) return open.map((detail) => ({ device, problem: 'configurationOpen', detail }));
  return [
    ...differing(audited).map((detail): Difference => ({ device, problem: 'configurationDiffers', detail })),
    ...unplanned(audited).map((detail): Difference => ({ device, problem: 'configurationNotPlanned', detail })),
  ];
}

function openOf(name: string, delivery: Delivery | undefined): readonly string[] {
  return delivery === undefined || delivery.state === 'DELIVERED' ? [] : [`${name}: ${delivery.state} on the server`];
}

function differing({ effective, policy, profiles, held }: AuditedConfiguration): readonly string[] {
  const found: string[] = [];
  for (const name of DOCUMENTS) {
    const confirmed = effective.delivery[name]?.revision ?? 0;
    if (held[name].revision !== confirmed) found.push(`${name}: revision ${held[name].revision} on the device, ${confirmed} on the server`);
  }
  const rules = withoutEmpty(policy?.rules ?? {});
  const own = heldPolicy(held);
  // Nothing is sent of a policy that says nothing.
  if (Object.keys(rules).length > 0 && own.guid !== policy?.guid) found.push(`policy: ${own.name ?? 'none'} on the device, ${policy?.name} on the server`);
  else if (!sameDocument(own.rules, rules)) found.push(`policy ${policy?.name ?? 'none'}: other rules on the device than on the server`);
  found.push(...differingProfiles(profiles, held), ...differingApplications(effective, held));
  return found;
}

function differingProfiles(profiles: readonly ServerProfile[], held: HeldConfiguration): readonly string[] {
  const there = new Map(heldProfiles(held).map((profile) => [profile.guid, profile]));
  const found: string[] = [];
  for (const { guid, name, kind, isDefault, content } of profiles) {
    const own = there.get(guid);
    there.delete(guid);
    const saysNothing = isDefault && Object.keys(content).length === 0;
    if (own === undefined && !saysNothing) found.push(`profile ${name}: in force on the server, not on the device`);
    if (own === undefined) continue;
    const shown = Object.fromEntries(Object.entries(own.content).filter(([field]) => !TOLD_TO_DEVICES_ONLY.includes(field)));
    if (own.name !== name || own.kind !== kind || !sameDocument(shown, content))
      found.push(`profile ${name}: another content on the device than on the server`);
  }
  for (const { guid, name } of there.values()) found.push(`profile ${name ?? guid}: on the device, not in force on the server`);
  return found;
}

function differingApplications({ applications }: EffectiveConfiguration, { applications: { content } }: HeldConfiguration): readonly string[] {
  const wanted = Object.fromEntries(applications.map(({ guid, applicationId: id, name, version, disposition }) => [guid, { id, name, version, disposition }]));
  return sameDocument(content, wanted) ? [] : ['applications: others are assigned on the server than the device knows'];
}

function unplanned({ planned, effective, held, fleetId }: AuditedConfiguration): readonly string[] {
  if (planned === undefined) return [];
  const found: string[] = [];
  const { policy, profiles } = planned;
  if (policy !== undefined && effective.policy?.name !== objectName(fleetId, policy.entry))
    found.push(`policy: ${effective.policy?.name ?? 'none'} on the server, the plan wants ${policy.entry.name}`);
  const names = new Set(effective.profiles.map(({ name }) => name));
  for (const { entry } of profiles)
    if (!names.has(objectName(fleetId, entry))) found.push(`profile ${entry.name}: the plan wants it, the server does not have it in force`);
  const missing = found.length > 0 ? undefined : missingOnDevice(held, planned, fleetId);
  if (missing !== undefined) found.push(`${missing}: the device does not hold it as the plan has it`);
  return found;
}
