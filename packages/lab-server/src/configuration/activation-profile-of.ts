import { type Assignee, assignmentsOf } from '../state/assignments.ts';
import { profileById } from '../state/profiles.ts';
import { groupsOf } from '../state/user-groups.ts';
import { userByGuid } from '../state/users.ts';
import type { ReadView } from '../store/lab-store.ts';

/**
 * Activation profile that a user has (F1.1b): the one that was set with the user, else one that is assigned to the user, else one of the groups; undefined: the default one. Activation profiles have no
 * rank among themselves: of several in one place the lowest id is in force.
 */
export function activationProfileOf(view: ReadView, userGuid: string): string | undefined {
  const own = userByGuid(view, userGuid)?.profileId;
  if (own !== undefined) return own;
  const groups = groupsOf(view, userGuid).map((id): Assignee => ({ kind: 'userGroup', id }));
  return assigned(view, [{ kind: 'user', id: userGuid }]) ?? assigned(view, groups);
}

function assigned(view: ReadView, assignees: readonly Assignee[]): string | undefined {
  const ids = assignees.flatMap((assignee) => assignmentsOf(view, assignee).flatMap(({ object }) => (object.kind === 'activationProfile' ? object.id : [])));
  return ids.filter((id) => profileById(view, id) !== undefined).sort()[0];
}
