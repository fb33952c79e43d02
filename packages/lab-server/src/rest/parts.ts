import type { PartDeclaration } from './route.ts';

/** The user of a path. */
export const USER_PART: PartDeclaration = { is: 'guid of the user' };
/** The device of a path. */
export const DEVICE_PART: PartDeclaration = { is: 'guid of the device' };
/** The access key of a path. */
export const ACCESS_KEY_PART: PartDeclaration = { is: 'guid of the access key', pattern: /^[0-9a-f]{32}$/ };
/** The Dynamics app of a path. */
export const DYNAMICS_APP_PART: PartDeclaration = { is: 'entitlement id of the Dynamics app', pattern: /^(?=.{1,255}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/ };
/** The activated app of a path. */
export const APP_INSTANCE_PART: PartDeclaration = { is: 'guid of the activated app', pattern: /^[0-9a-f]{32}$/ };
/** The command of a path. */
export const COMMAND_PART: PartDeclaration = { is: 'guid of the command' };
/** The activation profile of a path; the administrator chooses its guid. */
export const PROFILE_PART: PartDeclaration = { is: 'guid of the activation profile', pattern: /^[a-z0-9-]{1,64}$/ };
/** The administrator of a path. */
export const ADMINISTRATOR_PART: PartDeclaration = { is: 'guid of the administrator' };
/** The fault of a path. */
export const FAULT_PART: PartDeclaration = { is: 'id of the fault' };
/** The user group of a path. */
export const USER_GROUP_PART: PartDeclaration = { is: 'guid of the user group' };
/** The device group of a path. */
export const DEVICE_GROUP_PART: PartDeclaration = { is: 'guid of the device group' };
/** The IT policy of a path. */
export const POLICY_PART: PartDeclaration = { is: 'guid of the IT policy' };
/** The profile of a path; activation profiles are others. */
export const CONFIGURATION_PROFILE_PART: PartDeclaration = { is: 'guid of the profile' };
/** The application of a path. */
export const APPLICATION_PART: PartDeclaration = { is: 'guid of the application' };
/** The application server of a path. */
export const APPLICATION_SERVER_PART: PartDeclaration = { is: 'guid of the application server' };
/** The app policy of a path. */
export const APP_POLICY_PART: PartDeclaration = { is: 'guid of the app policy' };
/** The e-mail template of a path; the administrator chooses its guid. */
export const EMAIL_TEMPLATE_PART: PartDeclaration = { is: 'guid of the e-mail template', pattern: /^[a-z0-9-]{1,64}$/ };
/** The mail of a path. */
export const MAIL_PART: PartDeclaration = { is: 'guid of the mail', pattern: /^\d{16}-[0-9a-f]{16}$/ };
/** The mail of the inbox of a path. */
export const INBOX_MAIL_PART: PartDeclaration = { is: 'guid of the mail in the inbox', pattern: /^\d{16}-[0-9a-f-]{36}$/ };
