import type { Administration } from '../admin/administration.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { UserRecord } from '../state/users.ts';
import { listQuery, pageLinks, pageOf } from './paging.ts';
import type { Route } from './rest-request.ts';
import { type ActivationPasswordBody, activationPasswordsBody, checkBody, userBody } from './schemas.ts';
import { activationPasswordView, userView } from './views.ts';

const USER_FIELDS = ['username', 'displayName', 'emailAddress', 'guid'] as const;
type UserField = (typeof USER_FIELDS)[number];

function readUser(user: UserRecord, field: UserField): string {
  return (field === 'emailAddress' ? user.email : user[field]) ?? '';
}

/** Users and their activation secrets (F1.1). */
export function userRoutes(admin: Administration): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/users',
      run({ query, base }) {
        const wanted = listQuery(query, USER_FIELDS);
        const page = pageOf(admin.users(), wanted, readUser);
        const links = pageLinks(`${base}/users`, wanted, page.hasMore);
        return { status: 200, noun: 'users', body: { users: page.items.map((user) => userView(base, user)), links } };
      },
    },
    {
      method: 'POST',
      path: '/users',
      takes: 'user',
      async run({ json, base }) {
        const { emailAddress, activationProfile, ...names } = checkBody(userBody, json);
        const user = await admin.createUser({ ...names, email: emailAddress, profileId: activationProfile?.guid });
        return { status: 201, noun: 'userdetail', body: userView(base, user), headers: { location: `${base}/users/${user.guid}` }, userId: user.userId };
      },
    },
    {
      method: 'GET',
      path: '/users/{guid}',
      run({ parts, base }) {
        return { status: 200, noun: 'userdetail', body: userView(base, admin.user(parts['guid'] as string)) };
      },
    },
    {
      method: 'DELETE',
      path: '/users/{guid}',
      async run({ parts }) {
        await admin.deleteUser(parts['guid'] as string);
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: '/users/{guid}/activationPasswords',
      run({ parts }) {
        const secrets = admin.activationSecrets(parts['guid'] as string);
        return { status: 200, noun: 'activationpasswords', body: { activationPasswords: secrets.map(activationPasswordView) } };
      },
    },
    {
      method: 'POST',
      path: '/users/{guid}/activationPasswords',
      takes: 'activationpasswords',
      async run({ parts, json }) {
        const guid = parts['guid'] as string;
        const { activationPasswords: wanted } = checkBody(activationPasswordsBody, json);
        if (wanted.length === 2 && wanted[0]?.qrCode === wanted[1]?.qrCode)
          throw new AdminProblem('INVALID_PROPERTY', 'activationPasswords: at most one password and one QR code');
        const issued: object[] = [];
        for (const [index, one] of wanted.entries()) issued.push(await issue(admin, guid, one, `activationPasswords.${index}`));
        return { status: 201, noun: 'activationpasswords', body: { activationPasswords: issued }, userId: admin.user(guid).userId };
      },
    },
    {
      method: 'DELETE',
      path: '/users/{guid}/activationPasswords',
      async run({ parts }) {
        await admin.expireActivationSecrets(parts['guid'] as string);
        return { status: 204 };
      },
    },
  ];
}

async function issue(admin: Administration, guid: string, wanted: ActivationPasswordBody, field: string): Promise<object> {
  const { expiry, expireAfterUse, activationProfile } = wanted;
  const secret = { expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry), expireAfterUse, profileId: activationProfile?.guid };
  const common = { expireAfterUse: expireAfterUse ?? true, ...(activationProfile === undefined ? {} : { activationProfile }) };
  if (wanted.qrCode === true) {
    // The secret of a QR code is never one that a person chose.
    if (typeof wanted.password === 'string') throw new AdminProblem('INVALID_PROPERTY', `${field}.password: the secret of a QR code is made by the server`);
    const { content, expiresAtMs } = await admin.createQrCode(guid, secret);
    return { kind: 'QR_CODE', qrCodeContent: content, expiry: new Date(expiresAtMs).toISOString(), ...common };
  }
  const { password, expiresAtMs } = await admin.setActivationPassword(guid, { ...secret, password: passwordOf(wanted.password, field) });
  return { kind: 'PASSWORD', password: Buffer.from(password, 'utf8').toString('base64'), expiry: new Date(expiresAtMs).toISOString(), ...common };
}

function passwordOf(base64: string | null | undefined, field: string): string | undefined {
  if (base64 === undefined || base64 === null) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw new AdminProblem('INVALID_PROPERTY', `${field}.password: is not base64 of UTF-8 text`);
  }
}
