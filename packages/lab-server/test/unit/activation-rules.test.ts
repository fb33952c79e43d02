import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { type Applicant, isAtLeast, judgeApplicant } from '../../src/roles/uem/activation-rules.ts';
import type { ActivationProfileRecord } from '../../src/state/profiles.ts';
import { PROFILE } from '../support/uem-bench.ts';

const FULL = { activationType: 'work-and-personal-full-control', createWorkSpace: true, encryptDevice: true };
const PRIVACY = { activationType: 'work-and-personal-user-privacy', createWorkSpace: true, encryptDevice: false };
const APPLICANT: Applicant = {
  info: { platform: 'android-enterprise', osVersion: '14', model: 'Example Phone 9', clientVersion: '1' },
  activationTypes: undefined,
  counts: false,
  paired: false,
  userDevices: 0,
  tenantDevices: 0,
  licences: undefined,
  outOfCompliance: undefined,
};

function judge(profile: Partial<ActivationProfileRecord>, applicant: Partial<Applicant> & { readonly info?: wire.DeviceInfo } = {}): unknown {
  const judged = judgeApplicant({ ...PROFILE, ...profile }, { ...APPLICANT, ...applicant });
  return 'refusal' in judged ? judged.refusal : judged.admitted.activationType;
}

const device = (info: Partial<wire.DeviceInfo>): Pick<Applicant, 'info'> => ({ info: { ...APPLICANT.info, ...info } });

describe('rules of an activation', () => {
  it.each<[string, Partial<ActivationProfileRecord>, Partial<Applicant>, string]>([
    ['a profile without rules', {}, {}, FULL.activationType],
    ['a kind that is named', { deviceKinds: ['ios', 'android-enterprise'] }, {}, FULL.activationType],
    ['a kind that is not named', { deviceKinds: ['ios'] }, {}, 'kindNotAllowed'],
    ['a kind that only every object has', { deviceKinds: ['ios'] }, device({ platform: 'constructor' }), 'kindNotAllowed'],
    ['a model of the allow list, in other letters', { modelRestriction: { rule: 'allow', models: ['EXAMPLE PHONE 9'] } }, {}, FULL.activationType],
    ['a model that is not on the allow list', { modelRestriction: { rule: 'allow', models: ['Example Phone 10'] } }, {}, 'modelNotAllowed'],
    ['a model on the disallow list', { modelRestriction: { rule: 'disallow', models: ['Other', 'Example*'] } }, {}, 'modelNotAllowed'],
    ['a model that is not on the disallow list', { modelRestriction: { rule: 'disallow', models: ['Example'] } }, {}, FULL.activationType],
    ['the oldest version', { minimumOsVersions: { 'android-enterprise': '14' } }, {}, FULL.activationType],
    ['a version that is too old', { minimumOsVersions: { 'android-enterprise': '14.1' } }, {}, 'osTooOld'],
    ['a version rule for another kind', { minimumOsVersions: { ios: '99' } }, {}, FULL.activationType],
    ['a version that is none', { minimumOsVersions: { 'android-enterprise': '1' } }, device({ osVersion: 'newest' }), 'osTooOld'],
    ['what every object has in place of a rule', { minimumOsVersions: {} }, device({ platform: '__proto__' }), FULL.activationType],
    ['a compliance rule', {}, { outOfCompliance: 'the device is rooted' }, 'compliance'],
    ['room for one more', { allowedDevices: 2 }, { userDevices: 1 }, FULL.activationType],
    ['a user with all devices', { allowedDevices: 2 }, { userDevices: 2 }, 'deviceLimit'],
    ['a paired password of a user with all devices', { allowedDevices: 2 }, { userDevices: 2, paired: true }, FULL.activationType],
    ['the last licence', {}, { licences: 5, tenantDevices: 4 }, FULL.activationType],
    ['no licence left', {}, { licences: 5, tenantDevices: 5 }, 'licenceLimit'],
    ['no licence left, and a paired password', {}, { licences: 5, tenantDevices: 5, paired: true }, 'licenceLimit'],
    ['no licence at all', {}, { licences: 0 }, 'licenceLimit'],
    ['a device that counts already', { allowedDevices: 1 }, { counts: true, userDevices: 1, licences: 1, tenantDevices: 1 }, FULL.activationType],
    [
      'the best type that the device can take',
      { activationTypes: { 'android-enterprise': [FULL, PRIVACY] } },
      { activationTypes: [PRIVACY.activationType] },
      PRIVACY.activationType,
    ],
    [
      'the rank of the profile, not of the device',
      { activationTypes: { 'android-enterprise': [PRIVACY, FULL] } },
      { activationTypes: [FULL.activationType, PRIVACY.activationType] },
      PRIVACY.activationType,
    ],
    ['a device that does not say what it can take', { activationTypes: { 'android-enterprise': [PRIVACY] } }, {}, PRIVACY.activationType],
    [
      'no type that the device can take',
      { activationTypes: { 'android-enterprise': [PRIVACY] } },
      { activationTypes: ['work-space-only'] },
      'activationTypeNotAvailable',
    ],
    ['types of another kind', { activationTypes: { ios: [PRIVACY] } }, { activationTypes: ['work-space-only'] }, FULL.activationType],
  ])('%s', (_name, profile, applicant, expected) => {
    expect(judge(profile, applicant)).toBe(expected);
  });

  it('has words for its user with each refusal', () => {
    const refused = judgeApplicant({ ...PROFILE, minimumOsVersions: { 'android-enterprise': '15' } }, APPLICANT);
    expect(refused).toEqual({ refusal: 'osTooOld', message: 'version 15 or later of the operating system is needed' });
    expect(wire.encodeActivationOutcome(refused as wire.ActivationRefused).length).toBeLessThan(200);
  });
});

describe('versions', () => {
  it.each([
    ['14', '14', true],
    ['14', '9', true],
    ['9', '14', false],
    ['10.0.19045.4046', '10.0.19045', true],
    ['10.0.19044', '10.0.19045', false],
    ['14', '14.0.0', true],
    ['14.0.1', '14', true],
    ['', '1', false],
    ['14-beta', '1', false],
    ['1.', '1', false],
    ['99999999999', '1', false],
  ])('%s is at least %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });
});
