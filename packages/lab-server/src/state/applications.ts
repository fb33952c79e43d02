import type { ReadView, WriteView } from '../store/lab-store.ts';
import type { OsFamily } from './os-family.ts';
import { escapePart, type PageQuery, type Row, type Table, table } from './table.ts';

/** An application that can be assigned. */
export interface ApplicationRecord {
  readonly guid: string;
  /** What devices know it by: package name, bundle id, entitlement identifier. One application each. */
  readonly applicationId: string;
  readonly name: string;
  /** The version that devices are to have. */
  readonly version: string;
  readonly vendor?: string | undefined;
  /** Families that it runs on; on others it is passed over. */
  readonly platforms: readonly OsFamily[];
  /** What operating systems know it by, `platform:package:hex(SHA-256 of the signer)` (F3.4); absent: no UEM Client gets an access key for it. */
  readonly platformIds?: readonly string[] | undefined;
  /** Versions of the Dynamics app that may be used; absent: every one. */
  readonly entitledVersions?: readonly string[] | undefined;
  /** Services that the Dynamics app offers to others of its user on its device; absent: none. */
  readonly services?: readonly OfferedService[] | undefined;
  /** What tells one content from another. */
  readonly digest: string;
  readonly updatedAtMs: number;
}

/** A service of an app, in one version. */
export interface OfferedService {
  /** Like an entitlement id: `com.good.gdservice.transfer-file`. */
  readonly serviceId: string;
  readonly version: string;
}

/** Where apps of the company find their servers (application servers of the documented API). */
export interface ApplicationServerRecord {
  readonly guid: string;
  readonly name: string;
  /** The application that they serve. */
  readonly applicationGuid: string;
  readonly servers: readonly { readonly host: string; readonly port: number; readonly priority: number }[];
  readonly updatedAtMs: number;
}

/** Applications of a tenant. */
export const MAX_APPLICATIONS = 500;
/** Application server entries of a tenant. */
export const MAX_APPLICATION_SERVERS = 500;

interface GuidReference {
  readonly guid: string;
}

const applications: Table<ApplicationRecord> = table('application');
const guidsById: Table<GuidReference> = table('application-by-id');
const servers: Table<ApplicationServerRecord> = table('application-server');

/** Adds or changes an application; its application id stays. */
export function putApplication(tx: WriteView, application: ApplicationRecord): void {
  applications.put(tx, application.guid, application);
  guidsById.put(tx, escapePart(application.applicationId), { guid: application.guid });
}

export function applicationByGuid(view: ReadView, guid: string): ApplicationRecord | undefined {
  return applications.get(view, guid);
}

export function applicationById(view: ReadView, applicationId: string): ApplicationRecord | undefined {
  const reference = guidsById.get(view, escapePart(applicationId));
  return reference === undefined ? undefined : applications.get(view, reference.guid);
}

export function listApplications(view: ReadView, query: PageQuery): readonly Row<ApplicationRecord>[] {
  return applications.page(view, query);
}

export function deleteApplication(tx: WriteView, application: ApplicationRecord): void {
  applications.delete(tx, application.guid);
  guidsById.delete(tx, escapePart(application.applicationId));
}

export function putApplicationServer(tx: WriteView, server: ApplicationServerRecord): void {
  servers.put(tx, server.guid, server);
}

export function applicationServerByGuid(view: ReadView, guid: string): ApplicationServerRecord | undefined {
  return servers.get(view, guid);
}

export function listApplicationServers(view: ReadView, query: PageQuery): readonly Row<ApplicationServerRecord>[] {
  return servers.page(view, query);
}

export function deleteApplicationServer(tx: WriteView, guid: string): void {
  servers.delete(tx, guid);
}
