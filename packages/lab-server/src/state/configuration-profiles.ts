import { type ProfileKind, RANKED_PROFILE_KINDS, type RankedProfileKind, UNRANKED_PROFILE_KINDS } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

export const RANKED_KINDS: typeof RANKED_PROFILE_KINDS = RANKED_PROFILE_KINDS;
export const UNRANKED_KINDS: typeof UNRANKED_PROFILE_KINDS = UNRANKED_PROFILE_KINDS;

/** Kinds that have a default, in force where no other one is assigned. Activation profiles are apart: `profiles.ts`. */
export const DEFAULT_KINDS = ['compliance', 'enterprise-connectivity', 'enterprise-management-agent'] as const;

export type RankedKind = RankedProfileKind;
export type { ProfileKind };

/** A profile: settings of one kind for devices. */
export interface ConfigurationProfileRecord {
  readonly profileId: string;
  readonly kind: ProfileKind;
  readonly name: string;
  readonly description?: string | undefined;
  /** Of ranked kinds: the lowest number goes first; of equals the lower id. */
  readonly rank: number;
  /** Counts the changes of the content. */
  readonly version: number;
  /** Encoded document, checked against its kind. */
  readonly content: Uint8Array;
  /** What tells one content from another. Absent: nothing is sent, the content is what every device begins with. */
  readonly digest?: string | undefined;
  readonly updatedAtMs: number;
}

/** Profiles of a tenant. */
export const MAX_PROFILES = 300;

const profiles: Table<ConfigurationProfileRecord> = table('configuration-profile');

/** Id of the default of a kind. */
export function defaultProfileId(kind: ProfileKind): string {
  return `default-${kind}`;
}

export function isRanked(kind: ProfileKind): kind is RankedKind {
  return (RANKED_KINDS as readonly string[]).includes(kind);
}

/** True for a profile that is there in every tenant and cannot be deleted. */
export function isDefaultProfile({ profileId, kind }: ConfigurationProfileRecord): boolean {
  return profileId === defaultProfileId(kind);
}

export function putConfigurationProfile(tx: WriteView, profile: ConfigurationProfileRecord): void {
  profiles.put(tx, profile.profileId, profile);
}

export function configurationProfileById(view: ReadView, profileId: string): ConfigurationProfileRecord | undefined {
  return profiles.get(view, profileId);
}

export function listConfigurationProfiles(view: ReadView, query: PageQuery): readonly Row<ConfigurationProfileRecord>[] {
  return profiles.page(view, query);
}

export function deleteConfigurationProfile(tx: WriteView, profileId: string): void {
  profiles.delete(tx, profileId);
}
