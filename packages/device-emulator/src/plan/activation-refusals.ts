import type { PropertyValue } from '../scenario/readers.ts';
import type { ConfigurationContent } from '../scenario/scenario.ts';
import type { PlannedConfiguration } from './configuration-targets.ts';

/** What a device says of itself at its activation, as far as compliance rules look at it. */
export interface InspectedDevice {
  /** Family of its operating system, as rules name it: `IOS`. */
  readonly osFamily: string;
  readonly osVersion: string;
  readonly model: string;
  readonly compromised: boolean;
}

/** Rules of a compliance profile that the plan can decide by itself. They block new activations whatever their action is (documented). */
export const DECIDED_RULES = ['jailbroken', 'osVersion', 'hardwareModel'] as const;
export type DecidedRule = (typeof DECIDED_RULES)[number];

/** What the compliance profile says that the plan wants in force on a device; undefined: the plan has none for it. */
export function plannedCompliance(planned: PlannedConfiguration | undefined): ConfigurationContent | undefined {
  return planned?.profiles.find(({ entry }) => entry.kind === 'profile' && entry.profileKind === 'compliance')?.entry.content;
}

/** The rules that a device breaks from the beginning, by the documented meaning of the profile: UEM is not asked, so a mistake of UEM shows. */
export function brokenRules(content: ConfigurationContent, device: InspectedDevice): readonly DecidedRule[] {
  const { jailbroken, osVersion, hardwareModel } = content;
  const broken: Readonly<Record<DecidedRule, boolean>> = {
    jailbroken: jailbroken !== undefined && device.compromised,
    osVersion: isTooOld(fieldOf(osVersion, 'minimum'), device),
    hardwareModel: isForbidden(hardwareModel, device.model),
  };
  return DECIDED_RULES.filter((rule) => broken[rule]);
}

function isTooOld(minimum: PropertyValue | undefined, { osFamily, osVersion }: InspectedDevice): boolean {
  const wanted = listOf(minimum).find((entry) => fieldOf(entry, 'osFamily') === osFamily);
  return wanted !== undefined && isOlder(numbersOf(osVersion), numbersOf(String(fieldOf(wanted, 'version'))));
}

function isForbidden(rule: PropertyValue | undefined, model: string): boolean {
  if (rule === undefined) return false;
  const isListed = listOf(fieldOf(rule, 'models')).some((name) => String(name).toLowerCase() === model.toLowerCase());
  return isListed === (fieldOf(rule, 'mode') === 'DISALLOW');
}

function numbersOf(version: string): readonly number[] {
  return version.split('.').map(Number);
}

/** Part by part, the first one first; what is missing is 0. */
function isOlder(version: readonly number[], minimum: readonly number[]): boolean {
  const at = Array.from({ length: Math.max(version.length, minimum.length) }, (_, part) => part).find((part) => (version[part] ?? 0) !== (minimum[part] ?? 0));
  return at !== undefined && (version[at] ?? 0) < (minimum[at] ?? 0);
}

function fieldOf(value: PropertyValue | undefined, name: string): PropertyValue | undefined {
  return typeof value === 'object' && !Array.isArray(value) ? (value as { readonly [key: string]: PropertyValue })[name] : undefined;
}

function listOf(value: PropertyValue | undefined): readonly PropertyValue[] {
  return Array.isArray(value) ? value : [];
}
