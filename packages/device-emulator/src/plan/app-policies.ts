import type { ProfileKind } from '@uemkit/protocol';
import type { ConfigurationContent, TimelineStep } from '../scenario/scenario.ts';
import type { PlannedConfiguration } from './configuration-targets.ts';

/** Kinds of profiles that Dynamics apps go by; they stand in the policy of an app under their names. */
const APP_PROFILE_KINDS: readonly ProfileKind[] = ['dynamics', 'dynamics-connectivity'];

/** True for a step that changes what apps go by. */
export function configuresApps(step: TimelineStep): boolean {
  return step.kind === 'configure' && step.configure.some((entry) => entry.kind === 'profile' && APP_PROFILE_KINDS.includes(entry.profileKind));
}

/** True for a step that apps hear of only when they ask UEM. */
export function reachesApps(step: TimelineStep): boolean {
  return step.kind === 'sendToApps' || configuresApps(step);
}

/** What the plan has in force for the apps of a device, by kind of profile. */
export function plannedAppPolicies(configuration: PlannedConfiguration | undefined): Readonly<Record<string, ConfigurationContent>> {
  const found: Record<string, ConfigurationContent> = {};
  for (const { entry } of configuration?.profiles ?? [])
    if (entry.kind === 'profile' && APP_PROFILE_KINDS.includes(entry.profileKind)) found[entry.profileKind] ??= entry.content;
  return found;
}
