import * as v from 'valibot';
import { OS_FAMILIES } from '../state/os-family.ts';

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
export const complianceContent = v.strictObject({
  jailbroken: v.optional(v.strictObject(enforcement)),
  osVersion: v.optional(
    v.strictObject({
      /** Families that it does not name are left alone. */
      minimum: v.pipe(
        v.array(v.strictObject({ osFamily: v.picklist(OS_FAMILIES), version: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) })),
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
