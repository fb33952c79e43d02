import * as v from 'valibot';
import { AdminProblem } from '../admin/problem.ts';
import { type BodySchema, component, line } from './components.ts';

const base64 = v.pipe(v.string(), v.maxLength(400), v.base64('is not base64'));
const guid = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** Reference to another object by its guid. */
export interface GuidReference {
  readonly guid: string;
}

export interface AuthorizationBody {
  readonly username: string;
  /** Base64. */
  readonly password: string;
  readonly provider?: 'LOCAL' | undefined;
  readonly domain?: string | undefined;
}

/** POST /util/authorization */
export const authorizationBody: BodySchema<AuthorizationBody> = component(
  'AuthorizationRequest',
  v.strictObject({
    username: line(254),
    password: base64,
    provider: v.optional(v.picklist(['LOCAL'], 'is not LOCAL: a lab has no other directory')),
    domain: v.optional(v.string()),
  }),
);

export interface UserBody {
  readonly username: string;
  readonly displayName?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly emailAddress?: string | undefined;
  readonly activationProfile?: GuidReference | undefined;
}

/** POST /users */
export const userBody: BodySchema<UserBody> = component(
  'NewUser',
  v.strictObject({
    username: line(254),
    displayName: v.optional(line(200)),
    firstName: v.optional(line(100)),
    lastName: v.optional(line(100)),
    emailAddress: v.optional(line(254)),
    activationProfile: v.optional(v.strictObject({ guid })),
  }),
);

export interface ActivationPasswordBody {
  /** Base64; null or left out: one is made. */
  readonly password?: string | null | undefined;
  /** The password or QR code is mailed to the user with this template. */
  readonly emailTemplate?: GuidReference | undefined;
  readonly expiry?: string | undefined;
  readonly expireAfterUse?: boolean | undefined;
  readonly activationProfile?: GuidReference | undefined;
  /** The lab's own: makes the secret of a QR code. */
  readonly qrCode?: boolean | undefined;
  /** The lab's own: one more, paired with `activationProfile`; its devices are admitted whatever their number. */
  readonly paired?: boolean | undefined;
}

export interface ActivationPasswordsBody {
  readonly activationPasswords: readonly ActivationPasswordBody[];
}

/** POST /users/{guid}/activationPasswords */
export const activationPasswordsBody: BodySchema<ActivationPasswordsBody> = component(
  'NewActivationPasswords',
  v.strictObject({
    activationPasswords: v.pipe(
      v.array(
        v.strictObject({
          password: v.optional(v.nullable(base64)),
          emailTemplate: v.optional(v.strictObject({ guid })),
          expiry: v.optional(v.pipe(v.string(), v.isoTimestamp('is not an ISO 8601 time'))),
          expireAfterUse: v.optional(v.boolean()),
          activationProfile: v.optional(v.strictObject({ guid })),
          qrCode: v.optional(v.boolean()),
          paired: v.optional(v.boolean()),
        }),
      ),
      v.minLength(1),
      v.maxLength(2),
    ),
  }),
);

export interface CommandBody {
  readonly type: string;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly expiry?: string | undefined;
}

/** POST .../commands. The properties are checked against the type by the command table. */
export const commandBody: BodySchema<CommandBody> = component(
  'NewCommand',
  v.strictObject({
    type: line(64),
    properties: v.optional(v.record(v.string(), v.unknown())),
    expiry: v.optional(v.pipe(v.string(), v.isoTimestamp('is not an ISO 8601 time'))),
  }),
);

/**
 * Checks a body against its schema.
 * @throws AdminProblem `UNKNOWN_PROPERTY`, `INVALID_PROPERTY` with the name of the field
 */
export function checkBody<T>(schema: BodySchema<T>, json: unknown): T {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? 'body';
  if (issue.type === 'strict_object' && issue.expected === 'never') throw new AdminProblem('UNKNOWN_PROPERTY', `${field}: there is no such property`);
  throw new AdminProblem('INVALID_PROPERTY', `${field}: ${issue.received === 'undefined' ? 'is missing' : withoutValue(issue.message)}`);
}

/** The checker quotes what it got; that may be a password in the wrong place, and problems go into the journal. */
function withoutValue(message: string): string {
  return message.replace(/ but received [\s\S]*$/, '');
}
