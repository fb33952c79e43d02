import type { PlainDocument, PlainValue, RevisedDocument } from '../operating-systems/device-state.ts';
import { objectName, type PlannedConfiguration, type PlannedObject } from '../plan/configuration-targets.ts';

/** Part of the policy document that names the policy; the others are groups of rules (docs/protocol 6.7). */
const POLICY_PART = 'policy';

/** What UEM keeps on a device, as the device has it. */
export interface HeldConfiguration {
  readonly policy: RevisedDocument;
  readonly profiles: RevisedDocument;
  readonly applications: RevisedDocument;
}

/** The policy that a device holds: which one, and its rules by group. */
export interface HeldPolicy {
  readonly guid?: string | undefined;
  readonly name?: string | undefined;
  readonly rules: PlainDocument;
}

export function heldPolicy({ policy }: HeldConfiguration): HeldPolicy {
  const { [POLICY_PART]: named, ...rules } = policy.content;
  const { guid, name } = isDocument(named) ? named : {};
  return { guid: textOf(guid), name: textOf(name), rules };
}

/** One profile that a device holds. */
export interface HeldProfile {
  readonly guid: string;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly content: PlainDocument;
}

export function heldProfiles({ profiles }: HeldConfiguration): readonly HeldProfile[] {
  return Object.entries(profiles.content).map(([guid, part]) => {
    const { kind, name, content } = isDocument(part) ? part : {};
    return { guid, kind: textOf(kind), name: textOf(name), content: isDocument(content) ? content : {} };
  });
}

/** What the plan wants on the device and is not there, in words; undefined when everything is. */
export function missingOnDevice(held: HeldConfiguration, { policy, profiles }: PlannedConfiguration, fleetId: string): string | undefined {
  const own = heldPolicy(held);
  if (policy !== undefined && !(own.name === objectName(fleetId, policy.entry) && sameDocument(own.rules, withoutEmpty(policy.entry.content))))
    return `policy ${policy.entry.name}`;
  const there = heldProfiles(held);
  const missing = profiles.find((wanted) => !there.some(({ name, kind, content }) => isProfile(wanted, fleetId, { name, kind, content })));
  return missing === undefined ? undefined : `profile ${missing.entry.name}`;
}

function isProfile({ entry }: PlannedObject, fleetId: string, { name, kind, content }: Omit<HeldProfile, 'guid'>): boolean {
  return entry.kind === 'profile' && name === objectName(fleetId, entry) && kind === entry.profileKind && sameDocument(content, entry.content);
}

/** A group without a rule is not sent. */
export function withoutEmpty(rules: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(rules).filter(([, group]) => typeof group !== 'object' || group === null || Object.keys(group).length > 0));
}

/** True for equal documents, whatever the order of their fields. */
export function sameDocument(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`;
}

function isDocument(value: PlainValue | undefined): value is PlainDocument {
  return typeof value === 'object' && !Array.isArray(value);
}

function textOf(value: PlainValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
