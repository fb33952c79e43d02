import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { MAX_MEMBERS_PER_CALL } from '../admin/user-group-administration.ts';
import type { UserGroupRecord } from '../state/user-groups.ts';
import { type BodySchema, component, guidText, line, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { USER_GROUP_PART, USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import type { GuidReference } from './schemas.ts';
import { readUser, USER_FIELDS } from './user-routes.ts';
import { usersView, userView } from './user-views.ts';
import { timeOf, type View } from './views.ts';

const FIELDS = ['name', 'guid'] as const;
const readGroup = (group: UserGroupRecord, field: (typeof FIELDS)[number]): string => (field === 'name' ? group.name : group.groupId);

interface GroupBody {
  readonly name: string;
  readonly description?: string | undefined;
}

const groupBody: BodySchema<GroupBody> = component('NewUserGroup', v.strictObject({ name: line(128), description: v.optional(line(1_024)) }));

interface UsersBody {
  readonly users: readonly GuidReference[];
}

const usersBody: BodySchema<UsersBody> = component(
  'UserReferences',
  v.strictObject({ users: v.pipe(v.array(v.strictObject({ guid: guidText })), v.minLength(1), v.maxLength(MAX_MEMBERS_PER_CALL)) }),
);

const groupAnswer: ViewSchema = component(
  'UserGroup',
  v.strictObject({ guid: guidText, name: v.string(), description: v.optional(v.string()), created: timeText, links: linksView }),
);
const groupsView = pageView('UserGroups', 'groups', groupAnswer);

/** /groups/{group} */
function groupView(base: string, { groupId, name, description, createdAtMs }: UserGroupRecord): View {
  const self = `${base}/groups/${groupId}`;
  const links = ['users', 'applications', 'profiles', 'policies'].map((rel) => ({ rel, href: `${self}/${rel}` }));
  return { guid: groupId, name, description, created: timeOf(createdAtMs), links: [{ rel: 'self', href: self }, ...links] };
}

const PARTS = { group: USER_GROUP_PART };

/** Groups of users, and who is in them. */
export function groupRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listGroups',
      method: 'GET',
      path: '/groups',
      summary: 'Lists user groups',
      tag: 'groups',
      role: 'readOnly',
      list: FIELDS,
      answers: { 200: { noun: 'groups', schema: groupsView } },
      run({ list, base }) {
        const page = pageOf(admin.userGroups(), list, readGroup);
        return { status: 200, body: { groups: page.items.map((group) => groupView(base, group)), links: pageLinks(`${base}/groups`, list, page.hasMore) } };
      },
    }),
    route({
      id: 'createGroup',
      method: 'POST',
      path: '/groups',
      summary: 'Adds a user group',
      tag: 'groups',
      role: 'administrator',
      body: { noun: 'group', schema: groupBody },
      answers: { 201: { noun: 'group', schema: groupAnswer, headers: { location: 'path of the group' } } },
      problems: ['LIMIT_REACHED'],
      async run({ body, base }) {
        const group = await admin.createUserGroup(body);
        return { status: 201, body: groupView(base, group), headers: { location: `${base}/groups/${group.groupId}` } };
      },
    }),
    route({
      id: 'getGroup',
      method: 'GET',
      path: '/groups/{group}',
      summary: 'Shows one user group',
      tag: 'groups',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'group', schema: groupAnswer } },
      problems: ['GROUP_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: groupView(base, admin.userGroup(parts.group)) }),
    }),
    route({
      id: 'putGroup',
      method: 'PUT',
      path: '/groups/{group}',
      summary: 'Changes name and description of a user group',
      tag: 'groups',
      role: 'administrator',
      parts: PARTS,
      body: { noun: 'group', schema: groupBody },
      answers: { 200: { noun: 'group', schema: groupAnswer } },
      problems: ['GROUP_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: groupView(base, await admin.updateUserGroup(parts.group, body)) }),
    }),
    route({
      id: 'deleteGroup',
      method: 'DELETE',
      path: '/groups/{group}',
      summary: 'Deletes a user group that has no members',
      tag: 'groups',
      role: 'administrator',
      parts: PARTS,
      answers: { 204: {} },
      problems: ['GROUP_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deleteUserGroup(parts.group);
        return { status: 204 };
      },
    }),
    route({
      id: 'listGroupUsers',
      method: 'GET',
      path: '/groups/{group}/users',
      summary: 'Lists the users of a group',
      tag: 'groups',
      role: 'readOnly',
      parts: PARTS,
      list: USER_FIELDS,
      answers: { 200: { noun: 'users', schema: usersView } },
      problems: ['GROUP_NOT_FOUND'],
      run({ parts, list, base }) {
        const page = pageOf(admin.usersOfGroup(parts.group), list, readUser);
        const links = pageLinks(`${base}/groups/${parts.group}/users`, list, page.hasMore);
        return { status: 200, body: { users: page.items.map((user) => userView(base, user)), links } };
      },
    }),
    route({
      id: 'addGroupUsers',
      method: 'POST',
      path: '/groups/{group}/users',
      summary: 'Puts users into a group, all or none',
      tag: 'groups',
      role: 'administrator',
      parts: PARTS,
      body: { noun: 'users', schema: usersBody },
      answers: { 204: {} },
      problems: ['GROUP_NOT_FOUND', 'USER_NOT_FOUND', 'LIMIT_REACHED'],
      async run({ parts, body }) {
        await admin.addUsersToGroup(
          parts.group,
          body.users.map(({ guid }) => guid),
        );
        return { status: 204 };
      },
    }),
    route({
      id: 'removeGroupUser',
      method: 'DELETE',
      path: '/groups/{group}/users/{guid}',
      summary: 'Takes a user out of a group',
      tag: 'groups',
      role: 'administrator',
      parts: { group: USER_GROUP_PART, guid: USER_PART },
      answers: { 204: {} },
      problems: ['GROUP_NOT_FOUND', 'USER_NOT_FOUND'],
      async run({ parts }) {
        await admin.removeUserFromGroup(parts.group, parts.guid);
        return { status: 204 };
      },
    }),
    route({
      id: 'listUserGroups',
      method: 'GET',
      path: '/users/{guid}/groups',
      summary: 'Lists the groups that a user is in',
      tag: 'groups',
      role: 'readOnly',
      parts: { guid: USER_PART },
      answers: { 200: { noun: 'groups', schema: groupsView } },
      problems: ['USER_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: { groups: admin.groupsOfUser(parts.guid).map((group) => groupView(base, group)), links: [] } }),
    }),
  ];
}
