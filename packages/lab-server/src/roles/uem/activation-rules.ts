import * as wire from '@uemkit/protocol/wire';
import { VERSION } from '../../configuration/compare-versions.ts';
import type { ActivationProfileRecord, ActivationTypeChoice, ModelRestriction } from '../../state/profiles.ts';

/** What the rules look at; everything that was read from the state is given, so that they are a pure function. */
export interface Applicant {
  readonly info: wire.DeviceInfo;
  /** Activation types that the device can take; undefined: it did not say, and those of its kind count. */
  readonly activationTypes: readonly string[] | undefined;
  /** The device counts already: it needs neither another place nor another licence. */
  readonly counts: boolean;
  /** The secret is paired with the profile, so the number of the user's devices does not matter. */
  readonly paired: boolean;
  /** Active devices of the user, and of the tenant. */
  readonly userDevices: number;
  readonly tenantDevices: number;
  /** Most active devices of the tenant; undefined: no limit. */
  readonly licences: number | undefined;
  /** Why a compliance rule blocks new activations of such a device; undefined: none does. */
  readonly outOfCompliance: string | undefined;
}

/** An admitted device gets this activation type. */
export interface Admission {
  readonly admitted: ActivationTypeChoice;
}

/**
 * The rules of an activation profile, of the tenant and of compliance, in the order in which a user can do something about them: another device, another version,
 * then what only an administrator can change (F1.4).
 */
export function judgeApplicant(profile: ActivationProfileRecord, applicant: Applicant): Admission | wire.ActivationRefused {
  const { info, outOfCompliance } = applicant;
  if (profile.deviceKinds !== undefined && !profile.deviceKinds.includes(info.platform)) {
    return { refusal: 'kindNotAllowed', message: `devices of the kind ${info.platform} are not allowed` };
  }
  if (profile.modelRestriction !== undefined && !isModelAllowed(profile.modelRestriction, info.model)) {
    return { refusal: 'modelNotAllowed', message: `the model ${info.model} is not allowed` };
  }
  const minimum = ownValue(profile.minimumOsVersions, info.platform);
  if (minimum !== undefined && !isAtLeast(info.osVersion, minimum)) {
    return { refusal: 'osTooOld', message: `version ${minimum} or later of the operating system is needed` };
  }
  if (outOfCompliance !== undefined) return { refusal: 'compliance', message: outOfCompliance };
  const admitted = chooseType(profile, applicant);
  if (admitted === undefined) return { refusal: 'activationTypeNotAvailable', message: 'the device can take none of the activation types of its profile' };
  return placeRefusal(profile, applicant) ?? { admitted };
}

/** The part of the rules that may have changed between A6 and A7, when several devices were admitted to one place. */
export function placeRefusal(
  { allowedDevices }: Pick<ActivationProfileRecord, 'allowedDevices'>,
  { counts, paired, userDevices, tenantDevices, licences }: Pick<Applicant, 'counts' | 'paired' | 'userDevices' | 'tenantDevices' | 'licences'>,
): wire.ActivationRefused | undefined {
  if (counts) return undefined;
  if (!paired && userDevices >= allowedDevices) return { refusal: 'deviceLimit', message: `the user has ${allowedDevices} active devices, which is the limit` };
  if (licences !== undefined && tenantDevices >= licences) return { refusal: 'licenceLimit', message: 'the organisation has no licence left' };
  return undefined;
}

function chooseType(profile: ActivationProfileRecord, { info, activationTypes }: Applicant): ActivationTypeChoice | undefined {
  const { activationType, createWorkSpace, encryptDevice } = profile;
  const wanted = ownValue(profile.activationTypes, info.platform);
  // Without a list for this kind the device itself finds out whether it can: its A7 says so.
  if (wanted === undefined) return { activationType, createWorkSpace, encryptDevice };
  const able = activationTypes ?? wire.platformOf(info.platform)?.activationTypes;
  return wanted.find((choice) => able === undefined || able.includes(choice.activationType));
}

function isModelAllowed({ rule, models }: ModelRestriction, model: string): boolean {
  const name = model.toLowerCase();
  const isListed = models.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
  });
  return isListed === (rule === 'allow');
}

/** Numbers between full stops, the first one first; what is missing is 0. A text that is no version is older than any. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [numbers, wanted] = [numbersOf(version), numbersOf(minimum)];
  if (numbers === undefined || wanted === undefined) return false;
  for (let index = 0; index < Math.max(numbers.length, wanted.length); index++) {
    const difference = (numbers[index] ?? 0) - (wanted[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbersOf(version: string): readonly number[] | undefined {
  return VERSION.test(version) ? version.split('.').map(Number) : undefined;
}

/** The platform is the device's own word: it must not reach what every object has. */
function ownValue<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
