import { profileFor } from '../state/profiles.ts';
import type { ReadView } from '../store/lab-store.ts';
import { AdminProblem } from './problem.ts';

/** @throws AdminProblem `PROFILE_NOT_FOUND` when a profile is named that there is not */
export function requireProfile(view: ReadView, profileId: string | undefined): void {
  if (profileId !== undefined && profileFor(view, profileId)?.profileId !== profileId)
    throw new AdminProblem('PROFILE_NOT_FOUND', 'there is no such activation profile');
}
