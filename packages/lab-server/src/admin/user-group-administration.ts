import { deleteAssignmentsOf } from '../state/assignments.ts';
import { randomUuid } from '../state/ids.ts';
import { putRecomputeJob } from '../state/recompute-jobs.ts';
import {
  addToUserGroup,
  deleteUserGroup,
  groupsOf,
  listUserGroups,
  MAX_GROUPS_OF_USER,
  MAX_USER_GROUPS,
  putUserGroup,
  removeFromUserGroup,
  type UserGroupRecord,
  userGroupById,
  usersOfGroup,
} from '../state/user-groups.ts';
import { type UserRecord, userByGuid } from '../state/users.ts';
import type { ReadView } from '../store/lab-store.ts';
import { type ConfigurationOptions, required, requireRoom } from './configuration-options.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';

export interface NewGroup {
  readonly name: string;
  readonly description?: string | undefined;
}

/** Users that one call puts into a group. */
export const MAX_MEMBERS_PER_CALL = 1_000;

/** Groups of users, and who is in them. */
export interface UserGroupAdministration {
  /** @throws AdminProblem `LIMIT_REACHED` */
  createUserGroup(group: NewGroup): Promise<UserGroupRecord>;
  /** @throws AdminProblem `GROUP_NOT_FOUND` */
  updateUserGroup(groupId: string, group: NewGroup): Promise<UserGroupRecord>;
  /** Deletes a group that has no members and that nothing is assigned to. @throws AdminProblem `GROUP_NOT_FOUND`, `IN_USE` */
  deleteUserGroup(groupId: string): Promise<void>;
  /** @throws AdminProblem `GROUP_NOT_FOUND` */
  userGroup(groupId: string): UserGroupRecord;
  userGroups(): Iterable<UserGroupRecord>;
  /** Puts users into a group, all or none. @throws AdminProblem `GROUP_NOT_FOUND`, `USER_NOT_FOUND`, `LIMIT_REACHED` */
  addUsersToGroup(groupId: string, userGuids: readonly string[]): Promise<void>;
  /** @throws AdminProblem `GROUP_NOT_FOUND`, `USER_NOT_FOUND` when the user is not in it */
  removeUserFromGroup(groupId: string, userGuid: string): Promise<void>;
  /** @throws AdminProblem `GROUP_NOT_FOUND` */
  usersOfGroup(groupId: string): Iterable<UserRecord>;
  /** @throws AdminProblem `USER_NOT_FOUND` */
  groupsOfUser(userGuid: string): readonly UserGroupRecord[];
}

export function createUserGroupAdministration({ clock, entropy, store, reconfigure }: ConfigurationOptions): UserGroupAdministration {
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);
  return {
    createUserGroup: ({ name, description }) =>
      store.transaction((tx) => {
        requireRoom(listUserGroups(tx, { limit: MAX_USER_GROUPS }), MAX_USER_GROUPS, 'user groups');
        const group: UserGroupRecord = { groupId: randomUuid(entropy), name, description, createdAtMs: clock.nowMs() };
        putUserGroup(tx, group);
        return group;
      }),
    updateUserGroup: (groupId, { name, description }) =>
      store.transaction((tx) => {
        const group: UserGroupRecord = { ...requireGroup(tx, groupId), name, description };
        putUserGroup(tx, group);
        return group;
      }),
    async deleteUserGroup(groupId) {
      await store.transaction((tx) => {
        requireGroup(tx, groupId);
        if (usersOfGroup(tx, groupId, { limit: 1 }).length > 0) throw new AdminProblem('IN_USE', 'the group has members; take them out first');
        // Nobody is in it, so what is assigned to it changes nothing for anybody.
        deleteAssignmentsOf(tx, { kind: 'userGroup', id: groupId });
        deleteUserGroup(tx, groupId);
      });
    },
    userGroup: (groupId) => store.read((view) => requireGroup(view, groupId)),
    *userGroups() {
      for (const { record } of rowsOf(read, listUserGroups, (row) => row.id)) yield record;
    },
    async addUsersToGroup(groupId, userGuids) {
      const nowMs = clock.nowMs();
      if (userGuids.length > MAX_MEMBERS_PER_CALL) throw new AdminProblem('LIMIT_REACHED', `at most ${MAX_MEMBERS_PER_CALL} users at a time`);
      await store.transaction((tx) => {
        requireGroup(tx, groupId);
        for (const guid of userGuids) {
          required(userByGuid(tx, guid), 'USER_NOT_FOUND', `there is no user ${guid}`);
          if (!addToUserGroup(tx, groupId, guid)) continue;
          if (groupsOf(tx, guid).length >= MAX_GROUPS_OF_USER) throw new AdminProblem('LIMIT_REACHED', `a user is in at most ${MAX_GROUPS_OF_USER - 1} groups`);
          putRecomputeJob(tx, { kind: 'user', id: guid }, nowMs);
        }
      });
      reconfigure();
    },
    async removeUserFromGroup(groupId, userGuid) {
      await store.transaction((tx) => {
        requireGroup(tx, groupId);
        if (!removeFromUserGroup(tx, groupId, userGuid)) throw new AdminProblem('USER_NOT_FOUND', 'the user is not in the group');
        putRecomputeJob(tx, { kind: 'user', id: userGuid }, clock.nowMs());
      });
      reconfigure();
    },
    *usersOfGroup(groupId) {
      store.read((view) => requireGroup(view, groupId));
      const page = (view: ReadView, query: { readonly after?: string; readonly limit: number }): readonly { guid: string; user: UserRecord | undefined }[] =>
        usersOfGroup(view, groupId, query).map((guid) => ({ guid, user: userByGuid(view, guid) }));
      for (const { user } of rowsOf(read, page, (row) => row.guid)) if (user !== undefined) yield user;
    },
    groupsOfUser: (userGuid) =>
      store.read((view) => {
        required(userByGuid(view, userGuid), 'USER_NOT_FOUND', 'there is no such user');
        return groupsOf(view, userGuid).flatMap((groupId) => userGroupById(view, groupId) ?? []);
      }),
  };
}

function requireGroup(view: ReadView, groupId: string): UserGroupRecord {
  return required(userGroupById(view, groupId), 'GROUP_NOT_FOUND', 'there is no such user group');
}
