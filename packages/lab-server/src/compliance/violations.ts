import { compareVersions } from '../configuration/compare-versions.ts';
import type { DeviceFacts } from '../configuration/device-facts.ts';
import type { ComplianceContent, ComplianceRule } from './compliance-content.ts';

/** One rule that a device breaks, in words for its user and for the administrator. */
export interface Violation {
  readonly rule: ComplianceRule;
  readonly displayName: string;
}

/** What the rules look at beside the device. */
export interface ComplianceSurroundings {
  /** Application ids that are assigned to the device as required. */
  readonly requiredApplications: readonly string[];
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;

/** Facts that are known before a device is activated. */
export type ActivationFacts = Pick<DeviceFacts, 'osFamily' | 'osVersion' | 'hardwareModel' | 'compromised'>;

/** Rules that a device breaks, in the order of the profile. What is not known breaks no rule: a fact that a device has not reported is no verdict. Pure. */
export function violationsOf(content: ComplianceContent, facts: DeviceFacts, surroundings: ComplianceSurroundings): readonly Violation[] {
  const { noContact, passwordMissing, encryptionMissing, restrictedApps, missingApps } = content;
  const { installedApps, lastContactMs } = facts;
  const found: Violation[] = [...activationViolations(content, facts)];
  const add = (rule: ComplianceRule, displayName: string): void => void found.push({ rule, displayName });
  if (noContact !== undefined && surroundings.nowMs >= lastContactMs + noContact.days * DAY_MS) add('noContact', `no contact for ${noContact.days} days`);
  if (passwordMissing !== undefined && facts.passwordSet === false) add('passwordMissing', 'the device has no password');
  if (encryptionMissing !== undefined && facts.encrypted === false) add('encryptionMissing', 'the device is not encrypted');
  if (installedApps === undefined) return found;
  const installed = new Set(installedApps.map(({ id }) => id));
  const restricted = restrictedApps?.applications.filter((id) => installed.has(id)) ?? [];
  if (restricted.length > 0) add('restrictedApps', `restricted apps are installed: ${few(restricted)}`);
  const required = missingApps === undefined ? [] : (missingApps.applications ?? surroundings.requiredApplications);
  const missing = required.filter((id) => !installed.has(id));
  if (missing.length > 0) add('missingApps', `required apps are missing: ${few(missing)}`);
  return found;
}

/** The rules that block new activations too, whatever their action (documented). Pure. */
export function activationViolations(content: ComplianceContent, facts: ActivationFacts): readonly Violation[] {
  const { jailbroken, osVersion, hardwareModel } = content;
  const found: Violation[] = [];
  if (jailbroken !== undefined && facts.compromised === true) found.push({ rule: 'jailbroken', displayName: 'the operating system is jailbroken or rooted' });
  const minimum = osVersion?.minimum.find(({ osFamily }) => osFamily === facts.osFamily)?.version;
  if (minimum !== undefined && compareVersions(facts.osVersion, minimum) < 0)
    found.push({ rule: 'osVersion', displayName: `version ${minimum} or later of the operating system is needed` });
  if (hardwareModel !== undefined) {
    const isListed = hardwareModel.models.some((model) => model.toLowerCase() === facts.hardwareModel.toLowerCase());
    if (isListed === (hardwareModel.mode === 'DISALLOW')) found.push({ rule: 'hardwareModel', displayName: `the model ${facts.hardwareModel} is not allowed` });
  }
  return found;
}

/** When time alone breaks the next rule; undefined: never. */
export function nextViolationMs({ noContact }: ComplianceContent, { lastContactMs }: DeviceFacts, nowMs: number): number | undefined {
  const dueMs = noContact === undefined ? undefined : lastContactMs + noContact.days * DAY_MS;
  return dueMs !== undefined && dueMs > nowMs ? dueMs : undefined;
}

/** A device may have hundreds of them, and people read this. */
function few(ids: readonly string[]): string {
  return ids.length <= 3 ? ids.join(', ') : `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more`;
}
