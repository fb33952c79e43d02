import * as v from 'valibot';
import { NO_VERSION, VERSION } from '../configuration/compare-versions.ts';
import { OS_FAMILIES } from '../state/os-family.ts';

/** Tries to bring a device back into compliance before something is done with it (documented default). */
export const DEFAULT_PROMPT_COUNT = 3;
/** Time between two prompts (documented default: four hours). */
export const DEFAULT_PROMPT_INTERVAL_S: number = 4 * 3_600;

/** What is done with a device that does not come back into compliance (documented). */
export const COMPLIANCE_ACTIONS = ['MONITOR_AND_LOG', 'UNTRUST', 'DELETE_WORK_DATA', 'DELETE_ALL_DATA', 'REMOVE_FROM_SERVER'] as const;

const whole = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
const names = v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(128))), v.minLength(1), v.maxLength(200));

/** What every rule says beside its condition: who is asked how often, and what comes then. */
const enforcement = {
  promptBehavior: v.optional(v.picklist(['PROMPT', 'IMMEDIATE'])),
  promptMethod: v.optional(v.picklist(['DEVICE_NOTIFICATION', 'EMAIL', 'BOTH'])),
  promptCount: v.optional(whole(1, 100)),
  promptIntervalS: v.optional(whole(60, 31_536_000)),
  action: v.picklist(COMPLIANCE_ACTIONS),
};

/** Content of a compliance profile: each rule that is there is checked. */
export const complianceContent: v.GenericSchema<unknown, ComplianceContent> = v.strictObject({
  jailbroken: v.optional(v.strictObject(enforcement)),
  osVersion: v.optional(
    v.strictObject({
      /** Families that it does not name are left alone. */
      minimum: v.pipe(
        v.array(v.strictObject({ osFamily: v.picklist(OS_FAMILIES), version: v.pipe(v.string(), v.regex(VERSION, NO_VERSION)) })),
        v.minLength(1),
        v.maxLength(8),
      ),
      ...enforcement,
    }),
  ),
  hardwareModel: v.optional(v.strictObject({ mode: v.picklist(['ALLOW', 'DISALLOW']), models: names, ...enforcement })),
  noContact: v.optional(v.strictObject({ days: whole(1, 3_650), ...enforcement })),
  passwordMissing: v.optional(v.strictObject(enforcement)),
  encryptionMissing: v.optional(v.strictObject(enforcement)),
  restrictedApps: v.optional(v.strictObject({ applications: names, ...enforcement })),
  missingApps: v.optional(
    v.strictObject({
      /** Absent: every application that is assigned as required. */
      applications: v.optional(names),
      ...enforcement,
    }),
  ),
});

/** What every rule may say; what it leaves out has a default (`enforcementOf`). */
export interface EnforcementContent {
  readonly promptBehavior?: 'PROMPT' | 'IMMEDIATE' | undefined;
  readonly promptMethod?: 'DEVICE_NOTIFICATION' | 'EMAIL' | 'BOTH' | undefined;
  readonly promptCount?: number | undefined;
  readonly promptIntervalS?: number | undefined;
  readonly action: ComplianceAction;
}

/** Content of a compliance profile. */
export interface ComplianceContent {
  readonly jailbroken?: EnforcementContent | undefined;
  readonly osVersion?:
    | (EnforcementContent & { readonly minimum: readonly { readonly osFamily: (typeof OS_FAMILIES)[number]; readonly version: string }[] })
    | undefined;
  readonly hardwareModel?: (EnforcementContent & { readonly mode: 'ALLOW' | 'DISALLOW'; readonly models: readonly string[] }) | undefined;
  readonly noContact?: (EnforcementContent & { readonly days: number }) | undefined;
  readonly passwordMissing?: EnforcementContent | undefined;
  readonly encryptionMissing?: EnforcementContent | undefined;
  readonly restrictedApps?: (EnforcementContent & { readonly applications: readonly string[] }) | undefined;
  readonly missingApps?: (EnforcementContent & { readonly applications?: readonly string[] | undefined }) | undefined;
}
export type ComplianceRule = keyof ComplianceContent;
export type ComplianceAction = (typeof COMPLIANCE_ACTIONS)[number];

/** Enforcement of a rule with its defaults. */
export interface Enforcement {
  readonly promptBehavior: 'PROMPT' | 'IMMEDIATE';
  readonly promptMethod: 'DEVICE_NOTIFICATION' | 'EMAIL' | 'BOTH';
  readonly promptCount: number;
  readonly promptIntervalS: number;
  readonly action: ComplianceAction;
}

/** The enforcement of one rule; undefined when the profile does not have the rule. */
export function enforcementOf(content: ComplianceContent, rule: ComplianceRule): Enforcement | undefined {
  const said = content[rule];
  if (said === undefined) return undefined;
  return {
    promptBehavior: said.promptBehavior ?? 'PROMPT',
    promptMethod: said.promptMethod ?? 'DEVICE_NOTIFICATION',
    promptCount: said.promptCount ?? DEFAULT_PROMPT_COUNT,
    promptIntervalS: said.promptIntervalS ?? DEFAULT_PROMPT_INTERVAL_S,
    action: said.action,
  };
}
