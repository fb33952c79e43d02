import type { wire } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type PageQuery, type Row, type Table, table } from './table.ts';

/** What devices of a user become (F1.1b). */
export interface ActivationProfileRecord {
  readonly profileId: string;
  readonly name: string;
  /** For example `work-and-personal-full-control`. */
  readonly activationType: string;
  readonly createWorkSpace: boolean;
  readonly encryptDevice: boolean;
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  /** Most devices that a user may have active at a time. */
  readonly allowedDevices: number;
  /** Initial IT policy. */
  readonly policy?: wire.WireDocument | undefined;
  readonly organizationNotice?: string | undefined;
}

/** The profile of users that none was assigned to. */
export const DEFAULT_PROFILE_ID = 'default';

const profiles: Table<ActivationProfileRecord> = table('profile');

export function putProfile(tx: WriteView, profile: ActivationProfileRecord): void {
  profiles.put(tx, profile.profileId, profile);
}

/** The profile in force for a user who has `profileId` assigned, or none. */
export function profileFor(view: ReadView, profileId: string | undefined): ActivationProfileRecord | undefined {
  return (profileId === undefined ? undefined : profiles.get(view, profileId)) ?? profiles.get(view, DEFAULT_PROFILE_ID);
}

export function listProfiles(view: ReadView, query: PageQuery): readonly Row<ActivationProfileRecord>[] {
  return profiles.page(view, query);
}
