import * as v from 'valibot';
import { ADMIN_ROLES, type AdminRole } from '../admin/admin-role.ts';
import type { Administrators } from '../admin/administrators.ts';
import type { AuditLog } from '../admin/audit-log.ts';
import type { AdministratorRecord } from '../state/administrators.ts';
import type { AuditEntry } from '../state/audit.ts';
import { type BodySchema, component, guidText, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { MAX_PAGE_ITEMS, pageLinks, pageOf } from './paging.ts';
import { ADMINISTRATOR_PART } from './parts.ts';
import { wholeNumberText } from './query.ts';
import { type QuerySchema, type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

interface AdministratorBody {
  readonly username: string;
  readonly role: AdminRole;
}

/** POST /administrators. Names are part of HTTP Basic, which has no room for a colon. */
const administratorBody: BodySchema<AdministratorBody> = component(
  'NewAdministrator',
  v.strictObject({ username: v.pipe(v.string(), v.regex(/^[\w.@+-]{1,64}$/, 'is not letters, digits and . _ @ + -')), role: v.picklist(ADMIN_ROLES) }),
);

const FIELDS = { guid: guidText, username: v.string(), role: v.picklist(ADMIN_ROLES), created: v.optional(timeText), links: linksView };
const administratorView: ViewSchema = component('Administrator', v.strictObject(FIELDS));
const administratorsView: ViewSchema = pageView('Administrators', 'administrators', administratorView);
const issuedView: ViewSchema = component('IssuedAdministrator', v.strictObject({ ...FIELDS, password: v.pipe(v.string(), v.description('Told this once')) }));

const auditEntryView: ViewSchema = component(
  'AuditEntry',
  v.strictObject({
    sequence: v.pipe(v.number(), v.integer(), v.minValue(1)),
    time: timeText,
    username: v.string(),
    role: v.picklist(ADMIN_ROLES),
    source: v.string(),
    operation: v.string(),
    object: v.pipe(v.string(), v.description('Path of the object, below the tenant')),
    status: v.optional(v.pipe(v.number(), v.integer(), v.description('HTTP status; absent: the server stopped before it answered'))),
    problem: v.optional(v.string()),
  }),
);
const auditLogView: ViewSchema = component(
  'AuditLog',
  v.strictObject({ entries: v.array(auditEntryView), last: v.pipe(v.number(), v.integer(), v.description('Number of the newest entry')) }),
);

const auditQuery: QuerySchema<{ readonly after?: number | undefined; readonly max?: number | undefined }> = v.strictObject({
  after: v.optional(wholeNumberText(0, Number.MAX_SAFE_INTEGER)),
  max: v.optional(wholeNumberText(1, MAX_PAGE_ITEMS)),
});

const ADMINISTRATOR_FIELDS = ['username', 'role', 'guid'] as const;

/** Administrators with their roles, and the log of what they did. */
export function administratorRoutes({ administrators, audit }: { readonly administrators: Administrators; readonly audit: AuditLog }): readonly Route[] {
  const view = (base: string, { guid, username, role, createdAtMs }: AdministratorRecord): View => ({
    guid,
    username,
    role,
    // The administrator that the lab was made with has no time of its own.
    created: createdAtMs === 0 ? undefined : timeOf(createdAtMs),
    links: [{ rel: 'self', href: `${base}/administrators/${guid}` }],
  });
  return [
    route({
      id: 'listAdministrators',
      method: 'GET',
      path: '/administrators',
      summary: 'Lists who may administrate',
      tag: 'administrators',
      role: 'administrator',
      list: ADMINISTRATOR_FIELDS,
      answers: { 200: { noun: 'administrators', schema: administratorsView } },
      run({ list, base }) {
        const page = pageOf(administrators.all(), list, (administrator, field) => administrator[field]);
        const links = pageLinks(`${base}/administrators`, list, page.hasMore);
        return { status: 200, body: { administrators: page.items.map((administrator) => view(base, administrator)), links } };
      },
    }),
    route({
      id: 'createAdministrator',
      method: 'POST',
      path: '/administrators',
      summary: 'Adds an administrator; the password is made by the server and told once',
      tag: 'administrators',
      role: 'administrator',
      body: { noun: 'administrator', schema: administratorBody },
      answers: { 201: { noun: 'administrator', schema: issuedView, headers: { location: 'Path of what was created' } } },
      problems: ['ADMINISTRATOR_EXISTS', 'TOO_MANY_ADMINISTRATORS'],
      async run({ body, base }) {
        const { administrator, password } = await administrators.create(body);
        return { status: 201, body: { ...view(base, administrator), password }, headers: { location: `${base}/administrators/${administrator.guid}` } };
      },
    }),
    route({
      id: 'getAdministrator',
      method: 'GET',
      path: '/administrators/{guid}',
      summary: 'Shows one administrator',
      tag: 'administrators',
      role: 'administrator',
      parts: { guid: ADMINISTRATOR_PART },
      answers: { 200: { noun: 'administrator', schema: administratorView } },
      problems: ['ADMINISTRATOR_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: view(base, administrators.one(parts.guid)) }),
    }),
    route({
      id: 'deleteAdministrator',
      method: 'DELETE',
      path: '/administrators/{guid}',
      summary: 'Deletes an administrator; its values for the Authorization header end at once',
      tag: 'administrators',
      role: 'administrator',
      parts: { guid: ADMINISTRATOR_PART },
      answers: { 204: {} },
      problems: ['ADMINISTRATOR_NOT_FOUND', 'ADMINISTRATOR_REQUIRED'],
      async run({ parts }) {
        await administrators.delete(parts.guid);
        return { status: 204 };
      },
    }),
    route({
      id: 'readAuditLog',
      method: 'GET',
      path: '/auditLog',
      summary: 'Reads who did what, when, with which object, and how it ended; the oldest first',
      tag: 'administrators',
      role: 'administrator',
      query: auditQuery,
      answers: { 200: { noun: 'auditlog', schema: auditLogView } },
      run({ query: { after = 0, max = MAX_PAGE_ITEMS } }) {
        return { status: 200, body: { entries: audit.entries({ after, max }).map(entryView), last: audit.last() } };
      },
    }),
  ];
}

function entryView({ timeMs, ...entry }: AuditEntry): View {
  return { ...entry, time: timeOf(timeMs) };
}
