import type * as wire from '@uemkit/protocol/wire';
import type * as v from 'valibot';
import { PROFILE_CONTENTS } from '../configuration/profile-contents.ts';
import {
  type ConfigurationProfileRecord,
  configurationProfileById,
  deleteConfigurationProfile,
  isDefaultProfile,
  listConfigurationProfiles,
  MAX_PROFILES,
  type ProfileKind,
  putConfigurationProfile,
} from '../state/configuration-profiles.ts';
import { randomUuid } from '../state/ids.ts';
import { encodeDocument } from '../state/inventory.ts';
import type { ReadView } from '../store/lab-store.ts';
import { checkContent } from './check-content.ts';
import { type ConfigurationOptions, recomputeAssigned, required, requireRoom, requireUnassigned } from './configuration-options.ts';
import { digestOf } from './digest.ts';
import { rowsOf } from './pages.ts';
import { LAST_RANK } from './policy-administration.ts';
import { AdminProblem } from './problem.ts';

export interface NewConfigurationProfile {
  readonly kind: ProfileKind;
  readonly name: string;
  readonly description?: string | undefined;
  /** Of ranked kinds; the lowest number goes first. */
  readonly rank?: number | undefined;
  /** Checked against the kind. */
  readonly content: unknown;
}

/** Profiles, activation profiles apart. */
export interface ConfigurationProfileAdministration {
  /** @throws AdminProblem `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`, `LIMIT_REACHED` */
  createConfigurationProfile(profile: NewConfigurationProfile): Promise<ConfigurationProfileRecord>;
  /** Replaces a profile; its kind stays. @throws AdminProblem `PROFILE_NOT_FOUND`, `INVALID_PROPERTY`, `UNKNOWN_PROPERTY` */
  updateConfigurationProfile(profileId: string, profile: NewConfigurationProfile): Promise<ConfigurationProfileRecord>;
  /** @throws AdminProblem `PROFILE_NOT_FOUND`, `IN_USE` also for defaults */
  deleteConfigurationProfile(profileId: string): Promise<void>;
  /** @throws AdminProblem `PROFILE_NOT_FOUND` */
  configurationProfile(profileId: string): ConfigurationProfileRecord;
  configurationProfiles(): Iterable<ConfigurationProfileRecord>;
}

export function createConfigurationProfileAdministration(options: ConfigurationOptions): ConfigurationProfileAdministration {
  const { clock, crypto, entropy, store, reconfigure } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);

  const recordOf = (profileId: string, wanted: NewConfigurationProfile, version: number): ConfigurationProfileRecord => {
    const { kind, name, description, rank = LAST_RANK } = wanted;
    const content: wire.WireDocument = checkContent(PROFILE_CONTENTS[kind] as v.GenericSchema<unknown, object>, wanted.content, 'content') as wire.WireDocument;
    const record = { profileId, kind, name, description, rank, version, content: encodeDocument(content), updatedAtMs: clock.nowMs() };
    // A default without settings is what every device begins with.
    const isNothing = isDefaultProfile(record) && Object.keys(content).length === 0;
    return isNothing ? record : { ...record, digest: digestOf(crypto, { kind, name, content }) };
  };

  return {
    async createConfigurationProfile(wanted) {
      const profile = recordOf(randomUuid(entropy), wanted, 1);
      await store.transaction((tx) => {
        requireRoom(listConfigurationProfiles(tx, { limit: MAX_PROFILES }), MAX_PROFILES, 'profiles');
        putConfigurationProfile(tx, profile);
      });
      return profile;
    },
    async updateConfigurationProfile(profileId, wanted) {
      const changed = await store.transaction((tx) => {
        const known = requireProfile(tx, profileId);
        if (known.kind !== wanted.kind) throw new AdminProblem('INVALID_PROPERTY', `kind: the profile is of kind ${known.kind} and stays so`);
        const profile = recordOf(profileId, wanted, known.version + 1);
        putConfigurationProfile(tx, profile);
        recomputeAssigned(tx, { kind: 'profile', id: profileId }, isDefaultProfile(profile), clock.nowMs());
        return profile;
      });
      reconfigure();
      return changed;
    },
    async deleteConfigurationProfile(profileId) {
      await store.transaction((tx) => {
        if (isDefaultProfile(requireProfile(tx, profileId))) throw new AdminProblem('IN_USE', 'the default profile of a kind stays');
        requireUnassigned(tx, { kind: 'profile', id: profileId });
        deleteConfigurationProfile(tx, profileId);
      });
    },
    configurationProfile: (profileId) => store.read((view) => requireProfile(view, profileId)),
    *configurationProfiles() {
      for (const { record } of rowsOf(read, listConfigurationProfiles, (row) => row.id)) yield record;
    },
  };
}

function requireProfile(view: ReadView, profileId: string): ConfigurationProfileRecord {
  return required(configurationProfileById(view, profileId), 'PROFILE_NOT_FOUND', 'there is no such profile');
}
