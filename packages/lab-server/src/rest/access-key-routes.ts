import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import { mapChange } from '../admin/planned-change.ts';
import { type AccessKeyRecord, MAX_FAILED_PROOFS } from '../state/access-keys.ts';
import { type BodySchema, component, guidText, timeText, type ViewSchema } from './components.ts';
import { ACCESS_KEY_PART, USER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import type { GuidReference } from './schemas.ts';
import { timeOf, type View } from './views.ts';

interface AccessKeyBody {
  readonly expiry?: string | undefined;
  readonly emailTemplate?: GuidReference | undefined;
}

/** POST /users/{guid}/accessKeys */
const accessKeyBody: BodySchema<AccessKeyBody> = component(
  'NewAccessKey',
  v.strictObject({
    expiry: v.optional(v.pipe(v.string(), v.isoTimestamp('is not an ISO 8601 time'))),
    emailTemplate: v.optional(v.strictObject({ guid: guidText })),
  }),
);

const accessKeyView: ViewSchema = component(
  'AccessKey',
  v.strictObject({
    guid: guidText,
    kind: v.pipe(v.picklist(['TYPED', 'ASSISTED']), v.description('ASSISTED: made for one app of a device, without a person')),
    created: timeText,
    expiry: timeText,
    triesLeft: v.pipe(v.number(), v.integer(), v.minValue(0)),
    applicationId: v.optional(v.string()),
    device: v.optional(v.strictObject({ guid: guidText })),
  }),
);
const accessKeysView: ViewSchema = component('AccessKeys', v.strictObject({ accessKeys: v.array(accessKeyView) }));
const issuedView: ViewSchema = component(
  'IssuedAccessKey',
  v.strictObject({
    guid: guidText,
    accessKey: v.pipe(v.string(), v.description('15 characters, shown 5-5-5; told this once')),
    expiry: timeText,
    mail: v.optional(v.strictObject({ guid: guidText })),
  }),
);

const PATH = '/users/{guid}/accessKeys';
const PARTS = { guid: USER_PART };

/** Access keys of a user, with which Dynamics apps are activated (F3.4, F3.5). The vendor calls them access passwords too; path and fields are ours. */
export function accessKeyRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listAccessKeys',
      method: 'GET',
      path: PATH,
      summary: 'Lists the access keys of a user that can still be used, never the keys themselves',
      tag: 'access keys',
      role: 'readOnly',
      parts: PARTS,
      answers: { 200: { noun: 'accesskeys', schema: accessKeysView } },
      problems: ['USER_NOT_FOUND'],
      run: ({ parts: { guid } }) => ({ status: 200, body: { accessKeys: admin.accessKeys(guid).map(viewOf) } }),
    }),
    route({
      id: 'createAccessKey',
      method: 'POST',
      path: PATH,
      summary: 'Makes an access key for one app of a user, tells it once, and mails it when a template is named',
      tag: 'access keys',
      role: 'helpDesk',
      parts: PARTS,
      body: { noun: 'accesskey', schema: accessKeyBody },
      answers: { 201: { noun: 'accesskey', schema: issuedView } },
      problems: ['USER_NOT_FOUND', 'LIMIT_REACHED', 'NO_MAIL_ADDRESS', 'EMAIL_TEMPLATE_NOT_FOUND', 'OUTBOX_FULL'],
      async change({ parts: { guid }, body: { expiry, emailTemplate } }) {
        const wanted = { expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry), template: emailTemplate?.guid };
        return mapChange(await admin.planAccessKey(guid, wanted), ({ keyId, userId, accessKey, expiresAtMs, mail }) => ({
          status: 201,
          body: { guid: keyId, accessKey, expiry: timeOf(expiresAtMs), mail: mail === undefined ? undefined : { guid: mail.mailId } },
          userId,
        }));
      },
    }),
    route({
      id: 'revokeAccessKey',
      method: 'DELETE',
      path: '/users/{guid}/accessKeys/{accessKey}',
      summary: 'Takes an access key back that was not used; what began with it ends',
      tag: 'access keys',
      role: 'helpDesk',
      parts: { ...PARTS, accessKey: ACCESS_KEY_PART },
      answers: { 204: {} },
      problems: ['USER_NOT_FOUND', 'ACCESS_KEY_NOT_FOUND'],
      change: ({ parts: { guid, accessKey } }) => mapChange(admin.planAccessKeyRevocation(guid, accessKey), ({ userId }) => ({ status: 204, userId })),
    }),
  ];
}

function viewOf({ keyId, kind, createdAtMs, expiresAtMs, failedProofs, origin }: AccessKeyRecord): View {
  return {
    guid: keyId,
    kind: kind === 'typed' ? 'TYPED' : 'ASSISTED',
    created: timeOf(createdAtMs),
    expiry: timeOf(expiresAtMs),
    triesLeft: Math.max(0, MAX_FAILED_PROOFS - failedProofs),
    applicationId: origin?.appId,
    device: origin?.deviceId === undefined ? undefined : { guid: origin.deviceId },
  };
}
