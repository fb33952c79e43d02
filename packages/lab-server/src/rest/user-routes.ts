import type { Administration } from '../admin/administration.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { UserRecord } from '../state/users.ts';
import { issueActivationPasswords } from './issue-activation-passwords.ts';
import { pageLinks, pageOf } from './paging.ts';
import { USER_PART } from './parts.ts';
import type { RouteResult } from './rest-request.ts';
import { type Route, route } from './route.ts';
import { type ActivationPasswordsBody, activationPasswordsBody, userBody } from './schemas.ts';
import { activationPasswordsView, activationPasswordView, issuedPasswordsView, userDetailView, usersView, userView } from './user-views.ts';

/** What lists of users are sorted and queried by. */
export const USER_FIELDS = ['username', 'displayName', 'emailAddress', 'guid'] as const;
type UserField = (typeof USER_FIELDS)[number];

/** A field of a user as text. */
export function readUser(user: UserRecord, field: UserField): string {
  return (field === 'emailAddress' ? user.email : user[field]) ?? '';
}

const LOCATION = { location: 'Path of what was created' };

const SETTING = {
  path: '/users/{guid}/activationPasswords',
  tag: 'activation passwords',
  role: 'helpDesk',
  parts: { guid: USER_PART },
  body: { noun: 'activationpasswords', schema: activationPasswordsBody },
  problems: ['USER_NOT_FOUND', 'PROFILE_NOT_FOUND', 'TOO_MANY_PASSWORDS', 'NO_MAIL_ADDRESS', 'EMAIL_TEMPLATE_NOT_FOUND', 'OUTBOX_FULL'],
} as const;

/** Users and their activation secrets (F1.1). */
export function userRoutes(admin: Administration): readonly Route[] {
  const issue = async (
    guid: string,
    { activationPasswords: wanted }: ActivationPasswordsBody,
    how: { readonly replacesAll?: boolean } = {},
  ): Promise<Pick<RouteResult, 'body' | 'userId'>> => {
    if (wanted.length === 2 && (wanted[0]?.qrCode ?? false) === (wanted[1]?.qrCode ?? false))
      throw new AdminProblem('INVALID_PROPERTY', 'activationPasswords: at most one password and one QR code');
    const issued = await issueActivationPasswords(admin, guid, wanted, how);
    return { body: { activationPasswords: issued }, userId: admin.user(guid).userId };
  };

  return [
    route({
      id: 'listUsers',
      method: 'GET',
      path: '/users',
      summary: 'Lists users',
      tag: 'users',
      role: 'readOnly',
      list: USER_FIELDS,
      answers: { 200: { noun: 'users', schema: usersView } },
      run({ list, base }) {
        const page = pageOf(admin.users(), list, readUser);
        const links = pageLinks(`${base}/users`, list, page.hasMore);
        return { status: 200, body: { users: page.items.map((user) => userView(base, user)), links } };
      },
    }),
    route({
      id: 'createUser',
      method: 'POST',
      path: '/users',
      summary: 'Adds a user; the Infrastructure knows it when the answer comes (F1.1)',
      tag: 'users',
      role: 'administrator',
      body: { noun: 'user', schema: userBody },
      answers: { 201: { noun: 'userdetail', schema: userDetailView, headers: LOCATION } },
      problems: ['USER_EXISTS', 'PROFILE_NOT_FOUND'],
      async run({ body, base }) {
        const { emailAddress, activationProfile, ...names } = body;
        const user = await admin.createUser({ ...names, email: emailAddress, profileId: activationProfile?.guid });
        return { status: 201, body: userView(base, user), headers: { location: `${base}/users/${user.guid}` }, userId: user.userId };
      },
    }),
    route({
      id: 'getUser',
      method: 'GET',
      path: '/users/{guid}',
      summary: 'Shows one user',
      tag: 'users',
      role: 'readOnly',
      parts: { guid: USER_PART },
      answers: { 200: { noun: 'userdetail', schema: userDetailView } },
      problems: ['USER_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: userView(base, admin.user(parts.guid)) }),
    }),
    route({
      id: 'deleteUser',
      method: 'DELETE',
      path: '/users/{guid}',
      summary: 'Deletes a user who has no devices',
      tag: 'users',
      role: 'administrator',
      parts: { guid: USER_PART },
      answers: { 204: {} },
      problems: ['USER_NOT_FOUND', 'USER_HAS_DEVICES'],
      async run({ parts }) {
        await admin.deleteUser(parts.guid);
        return { status: 204 };
      },
    }),
    route({
      id: 'listActivationPasswords',
      method: 'GET',
      path: '/users/{guid}/activationPasswords',
      summary: 'Lists the activation passwords of a user, never the secrets',
      tag: 'activation passwords',
      role: 'readOnly',
      parts: { guid: USER_PART },
      answers: { 200: { noun: 'activationpasswords', schema: activationPasswordsView } },
      problems: ['USER_NOT_FOUND'],
      run({ parts }) {
        const secrets = admin.activationSecrets(parts.guid);
        return { status: 200, body: { activationPasswords: secrets.map(activationPasswordView) } };
      },
    }),
    route({
      ...SETTING,
      id: 'setActivationPasswords',
      method: 'POST',
      summary: 'Sets an activation password, a QR code, or both, tells them once, and mails them when a template is named',
      answers: { 201: { noun: 'activationpasswords', schema: issuedPasswordsView } },
      run: ({ parts: { guid }, body }) => admin.changeSecretsInTurn(guid, async () => ({ status: 201, ...(await issue(guid, body)) })),
    }),
    route({
      ...SETTING,
      id: 'replaceActivationPasswords',
      method: 'PUT',
      summary: 'Sets activation passwords as POST does; the others of the user are useless at once',
      answers: { 200: { noun: 'activationpasswords', schema: issuedPasswordsView } },
      run: ({ parts: { guid }, body }) =>
        admin.changeSecretsInTurn(guid, async () => {
          const before = admin.activationSecrets(guid).map(({ secretId }) => secretId);
          const issued = await issue(guid, body, { replacesAll: true });
          await admin.expireActivationSecrets(guid, before);
          return { status: 200, ...issued };
        }),
    }),
    route({
      id: 'deleteActivationPasswords',
      method: 'DELETE',
      path: '/users/{guid}/activationPasswords',
      summary: 'Makes the activation passwords and QR codes of a user useless at once',
      tag: 'activation passwords',
      role: 'helpDesk',
      parts: { guid: USER_PART },
      answers: { 204: {} },
      problems: ['USER_NOT_FOUND'],
      async run({ parts }) {
        await admin.changeSecretsInTurn(parts.guid, () => admin.expireActivationSecrets(parts.guid));
        return { status: 204 };
      },
    }),
  ];
}
