import { type ActivationSettingsRecord, activationSettings, putActivationSettings } from '../state/activation-settings.ts';
import { activeDevicesOfTenant } from '../state/devices.ts';
import { DEFAULT_PROFILE_ID, deleteProfile, listProfiles, profileById, putProfile } from '../state/profiles.ts';
import type { LabStore, ReadView } from '../store/lab-store.ts';
import { type Administration, SECRET_LEAST_LIFE_MS, SECRET_LIFE_MS } from './administration.ts';
import { checkProfile } from './check-profile.ts';
import { requireUnassigned } from './configuration-options.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';

export type ActivationAdministration = Pick<
  Administration,
  'profiles' | 'profile' | 'putProfile' | 'deleteProfile' | 'activationSettings' | 'changeActivationSettings' | 'licences'
>;

/** Least strength of a password that is made, in bits: about that of eight digits. */
const LEAST_BITS = 26;

/** Activation profiles (F1.1b), and what holds for all activations of the tenant. */
export function createActivationAdministration({ store }: { readonly store: LabStore }): ActivationAdministration {
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);
  return {
    *profiles() {
      for (const { record: profile } of rowsOf(read, listProfiles, (row) => row.id)) yield profile;
    },
    profile(profileId) {
      const profile = store.read((view) => profileById(view, profileId));
      if (profile === undefined) throw noSuchProfile();
      return profile;
    },
    async putProfile(profile) {
      checkProfile(profile);
      await store.transaction((tx) => putProfile(tx, profile));
    },
    async deleteProfile(profileId) {
      if (profileId === DEFAULT_PROFILE_ID) throw new AdminProblem('PROFILE_IN_USE', 'users without a profile of their own need the default one');
      const deleted = await store.transaction((tx) => {
        requireUnassigned(tx, { kind: 'activationProfile', id: profileId });
        return deleteProfile(tx, profileId);
      });
      if (!deleted) throw noSuchProfile();
    },
    activationSettings: () => store.read(activationSettings),
    changeActivationSettings(changes) {
      return store.transaction((tx) => {
        const before = activationSettings(tx);
        const changed: ActivationSettingsRecord = {
          passwordLength: changes.passwordLength ?? before.passwordLength,
          passwordAlphabet: changes.passwordAlphabet ?? before.passwordAlphabet,
          secretLifeMs: changes.secretLifeMs ?? before.secretLifeMs,
          expireAfterUse: changes.expireAfterUse ?? before.expireAfterUse,
          licences: changes.licences === undefined ? before.licences : (changes.licences ?? undefined),
        };
        checkSettings(changed);
        putActivationSettings(tx, changed);
        return changed;
      });
    },
    licences: () => store.read((view) => ({ limit: activationSettings(view).licences, used: activeDevicesOfTenant(view) })),
  };
}

function noSuchProfile(): AdminProblem {
  return new AdminProblem('PROFILE_NOT_FOUND', 'there is no such activation profile');
}

function checkSettings({ passwordAlphabet, passwordLength, secretLifeMs, licences }: ActivationSettingsRecord): void {
  const characters = [...passwordAlphabet];
  if (!/^[!-~]{10,94}$/.test(passwordAlphabet) || new Set(characters).size !== characters.length)
    throw new AdminProblem('INVALID_PROPERTY', 'passwordAlphabet: is not 10 or more different printable ASCII characters');
  if (!Number.isSafeInteger(passwordLength) || passwordLength < 8 || passwordLength > 64)
    throw new AdminProblem('INVALID_PROPERTY', 'passwordLength: is not a whole number from 8 to 64');
  if (passwordLength * Math.log2(characters.length) < LEAST_BITS)
    throw new AdminProblem('INVALID_PROPERTY', 'passwordLength: such a password could be guessed; more characters are needed');
  if (!Number.isSafeInteger(secretLifeMs) || secretLifeMs < SECRET_LEAST_LIFE_MS || secretLifeMs > SECRET_LIFE_MS)
    throw new AdminProblem('INVALID_PROPERTY', 'secretLifeMs: is not from one minute to 30 days');
  if (licences !== undefined && (!Number.isSafeInteger(licences) || licences < 0 || licences > 1_000_000_000))
    throw new AdminProblem('INVALID_PROPERTY', 'licences: is not a whole number from 0 on');
}
