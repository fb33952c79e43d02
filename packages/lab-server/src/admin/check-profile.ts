import * as wire from '@uemkit/protocol/wire';
import { NO_VERSION, VERSION } from '../configuration/compare-versions.ts';
import type { ActivationProfileRecord, ActivationTypeChoice } from '../state/profiles.ts';
import { AdminProblem } from './problem.ts';

/** Entries of one list of an activation profile. */
export const MAX_PROFILE_ENTRIES = 500;
const MAX_INTERVAL_S = 31_536_000;
const MAX_NOTICE_BYTES = 4_096;

/**
 * Checks an activation profile (F1.1b) before it is kept: what is refused here would otherwise fail at the first device.
 * @throws AdminProblem `INVALID_PROPERTY` with the name of the field
 */
export function checkProfile(profile: ActivationProfileRecord): void {
  const { profileId, name, pollIntervalS, pollJitterS, allowedDevices, ownership, organizationNotice } = profile;
  require(/^[a-z0-9-]{1,64}$/.test(profileId), 'guid', 'is not lower-case letters, digits and hyphens');
  require(name.length >= 1 && name.length <= 128, 'name', 'is not 1 to 128 characters');
  checkChoice(profile, '');
  require(isWhole(pollIntervalS, 1, MAX_INTERVAL_S), 'pollIntervalS', 'is not a whole number of seconds up to a year');
  require(isWhole(pollJitterS, 0, MAX_INTERVAL_S), 'pollJitterS', 'is not a whole number of seconds up to a year');
  require(isWhole(allowedDevices, 1, 1_000), 'allowedDevices', 'is not a whole number from 1 to 1000');
  require(ownership === undefined || ['notSpecified', 'work', 'personal'].includes(ownership), 'ownership', 'is not notSpecified, work or personal');
  const noticeBytes = organizationNotice === undefined ? 1 : Buffer.byteLength(organizationNotice);
  require(noticeBytes >= 1 && noticeBytes <= MAX_NOTICE_BYTES, 'organizationNotice', `is not 1 to ${MAX_NOTICE_BYTES} bytes of text`);
  checkKinds(profile);
  checkTypes(profile);
  checkModels(profile);
  checkVersions(profile);
}

function checkKinds({ deviceKinds }: ActivationProfileRecord): void {
  if (deviceKinds === undefined) return;
  require(deviceKinds.length >= 1 && deviceKinds.length <= MAX_PROFILE_ENTRIES, 'deviceKinds', 'names no kind of device, or too many');
  for (const [index, kind] of deviceKinds.entries()) checkKind(kind, `deviceKinds.${index}`);
}

function checkTypes({ activationTypes }: ActivationProfileRecord): void {
  for (const [kind, choices] of Object.entries(activationTypes ?? {})) {
    const field = `activationTypes.${kind}`;
    checkKind(kind, field);
    require(choices.length >= 1 && choices.length <= 16, field, 'is not 1 to 16 activation types');
    // As documented: several, ranked, for Android; one for the others.
    const isAndroid = wire.platformOf(kind)?.family === 'Android';
    require(isAndroid || choices.length === 1, field, 'is more than one activation type, which only kinds of Android can have');
    for (const [index, choice] of choices.entries()) {
      checkChoice(choice, `${field}.${index}.`);
      const known = wire.platformOf(kind)?.activationTypes.includes(choice.activationType) === true;
      require(known, `${field}.${index}.activationType`, `is no activation type of ${kind}`);
    }
    const names = new Set(choices.map((choice) => choice.activationType));
    require(names.size === choices.length, field, 'names an activation type twice');
  }
}

function checkModels({ modelRestriction }: ActivationProfileRecord): void {
  if (modelRestriction === undefined) return;
  const { rule, models } = modelRestriction;
  require(rule === 'allow' || rule === 'disallow', 'modelRestriction.rule', 'is not allow or disallow');
  require(models.length >= 1 && models.length <= MAX_PROFILE_ENTRIES, 'modelRestriction.models', `is not 1 to ${MAX_PROFILE_ENTRIES} models`);
  for (const [index, model] of models.entries())
    require(model.length >= 1 && model.length <= 64, `modelRestriction.models.${index}`, 'is not 1 to 64 characters');
}

function checkVersions({ minimumOsVersions }: ActivationProfileRecord): void {
  for (const [kind, version] of Object.entries(minimumOsVersions ?? {})) {
    checkKind(kind, `minimumOsVersions.${kind}`);
    require(VERSION.test(version), `minimumOsVersions.${kind}`, NO_VERSION);
  }
}

function checkChoice({ activationType, createWorkSpace, encryptDevice }: ActivationTypeChoice, field: string): void {
  require(/^[a-z0-9-]{1,64}$/.test(activationType), `${field}activationType`, 'is not lower-case letters, digits and hyphens');
  require(typeof createWorkSpace === 'boolean', `${field}createWorkSpace`, 'is not true or false');
  require(typeof encryptDevice === 'boolean', `${field}encryptDevice`, 'is not true or false');
}

function checkKind(kind: string, field: string): void {
  require(wire.platformOf(kind) !== undefined, field, `is not one of ${Object.keys(wire.PLATFORMS).join(', ')}`);
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function require(holds: boolean, field: string, problem: string): void {
  if (!holds) throw new AdminProblem('INVALID_PROPERTY', `${field}: ${problem}`);
}
