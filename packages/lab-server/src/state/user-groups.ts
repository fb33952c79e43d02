import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, partOf, type Row, type Table, table } from './table.ts';

/** A group of users; policies, profiles and applications are assigned to it. */
export interface UserGroupRecord {
  readonly groupId: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly createdAtMs: number;
}

/** User groups of a tenant. */
export const MAX_USER_GROUPS = 1_000;
/** Groups that one user may be in: what a device gets is worked out from all of them. */
export const MAX_GROUPS_OF_USER = 64;

interface MemberReference {
  readonly groupId: string;
  readonly userGuid: string;
}

const userGroups: Table<UserGroupRecord> = table('user-group');
const members: Table<MemberReference> = table('user-group-member');
const groupsOfUser: Table<MemberReference> = table('group-of-user');

export function putUserGroup(tx: WriteView, group: UserGroupRecord): void {
  userGroups.put(tx, group.groupId, group);
}

export function userGroupById(view: ReadView, groupId: string): UserGroupRecord | undefined {
  return userGroups.get(view, groupId);
}

export function listUserGroups(view: ReadView, query: PageQuery): readonly Row<UserGroupRecord>[] {
  return userGroups.page(view, query);
}

/** Forgets a group; members and assignments are the caller's business first. */
export function deleteUserGroup(tx: WriteView, groupId: string): void {
  userGroups.delete(tx, groupId);
}

/** False: the user was in the group already. */
export function addToUserGroup(tx: WriteView, groupId: string, userGuid: string): boolean {
  if (isInUserGroup(tx, groupId, userGuid)) return false;
  members.put(tx, joinId(groupId, userGuid), { groupId, userGuid });
  groupsOfUser.put(tx, joinId(userGuid, groupId), { groupId, userGuid });
  return true;
}

/** False: the user was not in the group. */
export function removeFromUserGroup(tx: WriteView, groupId: string, userGuid: string): boolean {
  if (!isInUserGroup(tx, groupId, userGuid)) return false;
  members.delete(tx, joinId(groupId, userGuid));
  groupsOfUser.delete(tx, joinId(userGuid, groupId));
  return true;
}

export function isInUserGroup(view: ReadView, groupId: string, userGuid: string): boolean {
  return members.get(view, joinId(groupId, userGuid)) !== undefined;
}

/** Guids of the members in their order; `after` is a guid. */
export function usersOfGroup(view: ReadView, groupId: string, query: { readonly after?: string | undefined; readonly limit: number }): readonly string[] {
  const after = query.after === undefined ? undefined : joinId(groupId, query.after);
  return members.page(view, { under: partOf(groupId), after, limit: query.limit }).map((row) => row.record.userGuid);
}

/** Ids of the groups that a user is in. */
export function groupsOf(view: ReadView, userGuid: string): readonly string[] {
  return groupsOfUser.page(view, { under: partOf(userGuid), limit: MAX_GROUPS_OF_USER }).map((row) => row.record.groupId);
}
