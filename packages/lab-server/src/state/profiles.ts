import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

/** Who owns the devices that are activated with a profile. */
export type DeviceOwnership = 'notSpecified' | 'work' | 'personal';

/** One activation type, with what it makes of a device. */
export interface ActivationTypeChoice {
  /** For example `work-and-personal-full-control`. */
  readonly activationType: string;
  readonly createWorkSpace: boolean;
  readonly encryptDevice: boolean;
}

/** Models that may be activated: those of the list alone, or all but those of the list. */
export interface ModelRestriction {
  readonly rule: 'allow' | 'disallow';
  /** Names of models, compared without regard to case; `*` at the end stands for any rest. */
  readonly models: readonly string[];
}

/** What devices of a user become, and which may be activated at all (F1.1b). */
export interface ActivationProfileRecord extends ActivationTypeChoice {
  readonly profileId: string;
  readonly name: string;
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  /** Most devices that a user may have active at a time. */
  readonly allowedDevices: number;
  readonly ownership?: DeviceOwnership | undefined;
  /** Initial IT policy. */
  readonly policy?: wire.WireDocument | undefined;
  /** Shown to the user, who has to agree, before the activation goes on. */
  readonly organizationNotice?: string | undefined;
  /** Kinds of device (`DeviceInfo.platform`) that may be activated; absent: all. */
  readonly deviceKinds?: readonly string[] | undefined;
  /** Activation types by kind of device, the best first: a device gets the first that it can take. A kind that is not named gets that of the profile itself. */
  readonly activationTypes?: Readonly<Record<string, readonly ActivationTypeChoice[]>> | undefined;
  readonly modelRestriction?: ModelRestriction | undefined;
  /** Oldest version of the operating system, by kind of device. */
  readonly minimumOsVersions?: Readonly<Record<string, string>> | undefined;
}

/** The profile of users that none was assigned to. */
export const DEFAULT_PROFILE_ID = 'default';

interface Generation {
  readonly deleted: number;
}

const profiles: Table<ActivationProfileRecord> = table('profile');
/** How often a profile of this id was deleted. Grows by what administrators delete. */
const generations: Table<Generation> = table('profile-generation');

export function putProfile(tx: WriteView, profile: ActivationProfileRecord): void {
  profiles.put(tx, profile.profileId, profile);
}

/** Forgets a profile; secrets that were made for it are of no use from then on. False when there was none. */
export function deleteProfile(tx: WriteView, profileId: string): boolean {
  if (profiles.get(tx, profileId) === undefined) return false;
  profiles.delete(tx, profileId);
  generations.put(tx, profileId, { deleted: generationOf(tx, profileId) + 1 });
  return true;
}

/** Tells a profile from an earlier one of the same id. */
export function generationOf(view: ReadView, profileId: string): number {
  return generations.get(view, profileId)?.deleted ?? 0;
}

export function profileById(view: ReadView, profileId: string): ActivationProfileRecord | undefined {
  return profiles.get(view, profileId);
}

/** The profile in force for a user who has `profileId` assigned, or none. */
export function profileFor(view: ReadView, profileId: string | undefined): ActivationProfileRecord | undefined {
  return (profileId === undefined ? undefined : profiles.get(view, profileId)) ?? profiles.get(view, DEFAULT_PROFILE_ID);
}

export function listProfiles(view: ReadView, query: PageQuery): readonly Row<ActivationProfileRecord>[] {
  return profiles.page(view, query);
}
