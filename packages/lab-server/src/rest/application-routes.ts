import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { NewApplication } from '../admin/application-administration.ts';
import type { ApplicationRecord, ApplicationServerRecord } from '../state/applications.ts';
import { OS_FAMILIES } from '../state/os-family.ts';
import { type BodySchema, component, guidText, line, linksView, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { APPLICATION_PART, APPLICATION_SERVER_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import type { GuidReference } from './schemas.ts';
import { timeOf, type View } from './views.ts';

const FIELDS = ['name', 'applicationId', 'guid'] as const;
const readApplication = (application: ApplicationRecord, field: (typeof FIELDS)[number]): string => application[field];
const SERVER_FIELDS = ['name', 'guid'] as const;
const readServer = (server: ApplicationServerRecord, field: (typeof SERVER_FIELDS)[number]): string => server[field];

/** As documented of entitlements and services. */
const VERSION = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){0,3}$/;

const applicationFields = {
  applicationId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'is not letters, digits, points, hyphens and underscores')),
  name: line(128),
  version: line(64),
  vendor: v.optional(line(128)),
  platforms: v.pipe(v.array(v.picklist(OS_FAMILIES)), v.minLength(1), v.maxLength(OS_FAMILIES.length)),
  platformIds: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.maxLength(255), v.regex(/^[a-z0-9-]+:[^:\p{Cc}]+:[0-9a-f]{64}$/u, 'is not platform:package:hash of the signer'))),
      v.maxLength(16),
      v.description('What operating systems know the app by: a UEM Client gets access keys for these and no others (F3.4)'),
    ),
  ),
  entitledVersions: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.regex(VERSION, 'is not one to four numbers of up to three digits'))),
      v.minLength(1),
      v.maxLength(64),
      v.description('Versions of the Dynamics app that may be used; absent: every one. Others are locked'),
    ),
  ),
  services: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          serviceId: v.pipe(v.string(), v.maxLength(128), v.regex(/^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/, 'is not lower-case labels with points')),
          version: v.pipe(v.string(), v.regex(VERSION, 'is not one to four numbers of up to three digits')),
        }),
      ),
      v.maxLength(8),
      v.checkItems(
        (one, index, all) => all.findIndex(({ serviceId, version }) => serviceId === one.serviceId && version === one.version) === index,
        'is there twice',
      ),
      v.description('What the Dynamics app offers to other apps of its user on its device'),
    ),
  ),
};
const applicationBody: BodySchema<NewApplication> = component('NewApplication', v.strictObject(applicationFields));
const applicationAnswer: ViewSchema = component('Application', v.strictObject({ guid: guidText, ...applicationFields, updated: timeText, links: linksView }));
const applicationsView = pageView('Applications', 'applications', applicationAnswer);

/** /applications/{application} */
function applicationView(base: string, { digest: _digest, updatedAtMs, ...application }: ApplicationRecord): View {
  return { ...application, updated: timeOf(updatedAtMs), links: [{ rel: 'self', href: `${base}/applications/${application.guid}` }] };
}

interface ServerBody {
  readonly name: string;
  readonly application: GuidReference;
  readonly servers: ApplicationServerRecord['servers'];
}

const serverFields = {
  name: line(128),
  application: v.strictObject({ guid: guidText }),
  servers: v.pipe(
    v.array(
      v.strictObject({
        host: v.pipe(v.string(), v.regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/, 'is not a host name')),
        port: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535)),
        priority: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(3)),
      }),
    ),
    v.minLength(1),
    v.maxLength(32),
  ),
};
const serverBody: BodySchema<ServerBody> = component('NewApplicationServer', v.strictObject(serverFields));
const serverAnswer: ViewSchema = component('ApplicationServer', v.strictObject({ guid: guidText, ...serverFields, updated: timeText, links: linksView }));
const serversView = pageView('ApplicationServers', 'applicationServers', serverAnswer);

/** /applicationServers/{server} */
function serverView(base: string, { guid, name, applicationGuid, servers, updatedAtMs }: ApplicationServerRecord): View {
  const links = [
    { rel: 'self', href: `${base}/applicationServers/${guid}` },
    { rel: 'application', href: `${base}/applications/${applicationGuid}` },
  ];
  return { guid, name, application: { guid: applicationGuid }, servers, updated: timeOf(updatedAtMs), links };
}

const fromBody = ({ name, application, servers }: ServerBody) => ({ name, applicationGuid: application.guid, servers });

/** Applications and the servers that they are told of. */
export function applicationRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listApplications',
      method: 'GET',
      path: '/applications',
      summary: 'Lists applications',
      tag: 'applications',
      role: 'readOnly',
      list: FIELDS,
      answers: { 200: { noun: 'applications', schema: applicationsView } },
      run({ list, base }) {
        const page = pageOf(admin.applications(), list, readApplication);
        const links = pageLinks(`${base}/applications`, list, page.hasMore);
        return { status: 200, body: { applications: page.items.map((application) => applicationView(base, application)), links } };
      },
    }),
    route({
      id: 'createApplication',
      method: 'POST',
      path: '/applications',
      summary: 'Adds an application that can be assigned',
      tag: 'applications',
      role: 'administrator',
      body: { noun: 'application', schema: applicationBody },
      answers: { 201: { noun: 'application', schema: applicationAnswer, headers: { location: 'path of the application' } } },
      problems: ['APPLICATION_EXISTS', 'LIMIT_REACHED'],
      async run({ body, base }) {
        const application = await admin.createApplication(body);
        return { status: 201, body: applicationView(base, application), headers: { location: `${base}/applications/${application.guid}` } };
      },
    }),
    route({
      id: 'getApplication',
      method: 'GET',
      path: '/applications/{application}',
      summary: 'Shows one application',
      tag: 'applications',
      role: 'readOnly',
      parts: { application: APPLICATION_PART },
      answers: { 200: { noun: 'application', schema: applicationAnswer } },
      problems: ['APPLICATION_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: applicationView(base, admin.application(parts.application)) }),
    }),
    route({
      id: 'putApplication',
      method: 'PUT',
      path: '/applications/{application}',
      summary: 'Replaces an application, for example by a newer version; its application id stays',
      tag: 'applications',
      role: 'administrator',
      parts: { application: APPLICATION_PART },
      body: { noun: 'application', schema: applicationBody },
      answers: { 200: { noun: 'application', schema: applicationAnswer } },
      problems: ['APPLICATION_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: applicationView(base, await admin.updateApplication(parts.application, body)) }),
    }),
    route({
      id: 'deleteApplication',
      method: 'DELETE',
      path: '/applications/{application}',
      summary: 'Deletes an application that is assigned to nobody and that no application server serves',
      tag: 'applications',
      role: 'administrator',
      parts: { application: APPLICATION_PART },
      answers: { 204: {} },
      problems: ['APPLICATION_NOT_FOUND', 'IN_USE'],
      async run({ parts }) {
        await admin.deleteApplication(parts.application);
        return { status: 204 };
      },
    }),
    route({
      id: 'listApplicationServers',
      method: 'GET',
      path: '/applicationServers',
      summary: 'Lists application servers',
      tag: 'applications',
      role: 'readOnly',
      list: SERVER_FIELDS,
      answers: { 200: { noun: 'applicationservers', schema: serversView } },
      run({ list, base }) {
        const page = pageOf(admin.applicationServers(), list, readServer);
        const links = pageLinks(`${base}/applicationServers`, list, page.hasMore);
        return { status: 200, body: { applicationServers: page.items.map((server) => serverView(base, server)), links } };
      },
    }),
    route({
      id: 'createApplicationServer',
      method: 'POST',
      path: '/applicationServers',
      summary: 'Adds the servers of an application',
      tag: 'applications',
      role: 'administrator',
      body: { noun: 'applicationserver', schema: serverBody },
      answers: { 201: { noun: 'applicationserver', schema: serverAnswer, headers: { location: 'path of the application server' } } },
      problems: ['APPLICATION_NOT_FOUND', 'LIMIT_REACHED'],
      async run({ body, base }) {
        const server = await admin.createApplicationServer(fromBody(body));
        return { status: 201, body: serverView(base, server), headers: { location: `${base}/applicationServers/${server.guid}` } };
      },
    }),
    route({
      id: 'getApplicationServer',
      method: 'GET',
      path: '/applicationServers/{server}',
      summary: 'Shows the servers of an application',
      tag: 'applications',
      role: 'readOnly',
      parts: { server: APPLICATION_SERVER_PART },
      answers: { 200: { noun: 'applicationserver', schema: serverAnswer } },
      problems: ['APPLICATION_SERVER_NOT_FOUND'],
      run: ({ parts, base }) => ({ status: 200, body: serverView(base, admin.applicationServer(parts.server)) }),
    }),
    route({
      id: 'putApplicationServer',
      method: 'PUT',
      path: '/applicationServers/{server}',
      summary: 'Replaces the servers of an application',
      tag: 'applications',
      role: 'administrator',
      parts: { server: APPLICATION_SERVER_PART },
      body: { noun: 'applicationserver', schema: serverBody },
      answers: { 200: { noun: 'applicationserver', schema: serverAnswer } },
      problems: ['APPLICATION_SERVER_NOT_FOUND', 'APPLICATION_NOT_FOUND'],
      run: async ({ parts, body, base }) => ({ status: 200, body: serverView(base, await admin.updateApplicationServer(parts.server, fromBody(body))) }),
    }),
    route({
      id: 'deleteApplicationServer',
      method: 'DELETE',
      path: '/applicationServers/{server}',
      summary: 'Deletes the servers of an application',
      tag: 'applications',
      role: 'administrator',
      parts: { server: APPLICATION_SERVER_PART },
      answers: { 204: {} },
      problems: ['APPLICATION_SERVER_NOT_FOUND'],
      async run({ parts }) {
        await admin.deleteApplicationServer(parts.server);
        return { status: 204 };
      },
    }),
  ];
}
