import * as v from 'valibot';
import type { ActivationSecretRecord } from '../state/activation-secrets.ts';
import type { UserRecord } from '../state/users.ts';
import { component, guidText, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { timeOf, type View } from './views.ts';

/** Answer of /users/{guid} */
export const userDetailView: ViewSchema = component(
  'UserDetail',
  v.strictObject({
    guid: guidText,
    username: v.string(),
    displayName: v.string(),
    firstName: v.optional(v.string()),
    lastName: v.optional(v.string()),
    emailAddress: v.optional(v.string()),
    created: timeText,
    links: linksView,
  }),
);

export const usersView: ViewSchema = pageView('Users', 'users', userDetailView);

/** /users/{guid} */
export function userView(base: string, user: UserRecord): View {
  return {
    guid: user.guid,
    username: user.username,
    displayName: user.displayName,
    firstName: user.firstName,
    lastName: user.lastName,
    emailAddress: user.email,
    created: timeOf(user.createdAtMs),
    links: [
      { rel: 'self', href: `${base}/users/${user.guid}` },
      { rel: 'userDevices', href: `${base}/users/${user.guid}/userDevices` },
      { rel: 'activationPasswords', href: `${base}/users/${user.guid}/activationPasswords` },
    ],
  };
}

const secretKind = v.picklist(['PASSWORD', 'QR_CODE']);
const profileReference = component('GuidReference', v.strictObject({ guid: guidText }));

/** Activation passwords as they are listed. */
export const activationPasswordsView: ViewSchema = component(
  'ActivationPasswords',
  v.strictObject({
    activationPasswords: v.array(
      component(
        'ActivationPassword',
        v.strictObject({
          guid: guidText,
          kind: secretKind,
          created: timeText,
          expiry: timeText,
          expireAfterUse: v.boolean(),
          triesLeft: v.pipe(v.number(), v.integer(), v.minValue(0)),
          paired: v.boolean(),
          activationProfile: v.optional(profileReference),
        }),
      ),
    ),
  }),
);

/** Activation passwords as they are told, once. */
export const issuedPasswordsView: ViewSchema = component(
  'IssuedActivationPasswords',
  v.strictObject({
    activationPasswords: v.array(
      component(
        'IssuedActivationPassword',
        v.strictObject({
          kind: secretKind,
          password: v.optional(v.pipe(v.string(), v.base64(), v.description('Base64 of the password'))),
          qrCodeContent: v.optional(v.pipe(v.string(), v.description('What the QR code holds, base64url'))),
          expiry: timeText,
          expireAfterUse: v.boolean(),
          paired: v.boolean(),
          activationProfile: v.optional(profileReference),
          mail: v.optional(profileReference),
        }),
      ),
    ),
  }),
);

/** An activation password as it is listed: never the secret. */
export function activationPasswordView(secret: ActivationSecretRecord): View {
  return {
    guid: secret.secretId,
    kind: secret.kind === 'qr' ? 'QR_CODE' : 'PASSWORD',
    created: timeOf(secret.createdAtMs),
    expiry: timeOf(secret.expiresAtMs),
    expireAfterUse: secret.expireAfterUse,
    triesLeft: secret.tries.left,
    paired: secret.slot > 0,
    activationProfile: secret.profileId === undefined ? undefined : { guid: secret.profileId },
  };
}
