import type { Administration } from '../admin/administration.ts';
import type { Administrators } from '../admin/administrators.ts';
import type { AuditLog } from '../admin/audit-log.ts';
import type { EventFeed } from '../events/event-feed.ts';
import type { Faults } from '../faults/faults.ts';
import type { RingJournal } from '../journal/journal.ts';
import { LAB_VERSION } from '../version.ts';
import { accessKeyRoutes } from './access-key-routes.ts';
import { activationRoutes } from './activation-routes.ts';
import { administratorRoutes } from './administrator-routes.ts';
import { appPolicyRoutes } from './app-policy-routes.ts';
import { applicationRoutes } from './application-routes.ts';
import { assignmentRoutes } from './assignment-routes.ts';
import type { Authorization } from './authorization.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { commandRoutes } from './command-routes.ts';
import { configurationProfileRoutes } from './configuration-profile-routes.ts';
import { deviceGroupRoutes } from './device-group-routes.ts';
import { deviceRoutes } from './device-routes.ts';
import { dynamicsAppRoutes } from './dynamics-app-routes.ts';
import { effectiveRoutes } from './effective-routes.ts';
import { emailTemplateRoutes } from './email-template-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { groupRoutes } from './group-routes.ts';
import { labRoutes } from './lab-routes.ts';
import { licensingRoutes } from './licensing-routes.ts';
import { mailRoutes } from './mail-routes.ts';
import { openApiDocument } from './openapi.ts';
import { openApiRoute } from './openapi-route.ts';
import { policyRoutes } from './policy-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { proxyRoutes } from './proxy-routes.ts';
import type { Route } from './route.ts';
import { userRoutes } from './user-routes.ts';
import { type SystemInfo, utilRoutes } from './util-routes.ts';

/** What the routes stand on. */
export interface RouteParts {
  readonly administration: Administration;
  readonly authorization: Authorization;
  readonly administrators: Administrators;
  readonly audit: AuditLog;
  readonly events: EventFeed;
  readonly info: SystemInfo;
  readonly faults: Faults;
  readonly journal: RingJournal;
}

/** Every route of the admin REST API: the one table that requests, documents and tests go by. */
export function adminRoutes(parts: RouteParts): readonly Route[] {
  const { administration, authorization, administrators, audit, events, info, faults, journal } = parts;
  const routes: readonly Route[] = [
    ...utilRoutes(authorization, info),
    ...administratorRoutes({ administrators, audit }),
    ...licensingRoutes(administration),
    ...eventRoutes(events),
    ...userRoutes(administration),
    ...deviceRoutes(administration),
    ...commandRoutes(administration),
    ...bulkRoutes(administration),
    ...activationRoutes(administration),
    ...accessKeyRoutes(administration),
    ...proxyRoutes(administration),
    ...dynamicsAppRoutes(administration),
    ...profileRoutes(administration),
    ...emailTemplateRoutes(administration),
    ...mailRoutes(administration),
    ...groupRoutes(administration),
    ...deviceGroupRoutes(administration),
    ...policyRoutes(administration),
    ...configurationProfileRoutes(administration),
    ...applicationRoutes(administration),
    ...appPolicyRoutes(administration),
    ...assignmentRoutes(administration),
    ...effectiveRoutes(administration),
    ...labRoutes({ faults, journal }),
    openApiRoute(() => routes),
  ];
  return routes;
}

/** The OpenAPI document of this version: the same for every lab, but for its server. A route needs its parts only when it runs. */
export function adminRestDocument(): object {
  return openApiDocument({ routes: adminRoutes({} as RouteParts), version: LAB_VERSION });
}
