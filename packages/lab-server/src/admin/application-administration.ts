import { deletePolicyDefinition, listAppPolicies } from '../state/app-policies.ts';
import {
  type ApplicationRecord,
  type ApplicationServerRecord,
  applicationByGuid,
  applicationById,
  applicationServerByGuid,
  deleteApplication,
  deleteApplicationServer,
  listApplicationServers,
  listApplications,
  MAX_APPLICATION_SERVERS,
  MAX_APPLICATIONS,
  type OfferedService,
  putApplication,
  putApplicationServer,
} from '../state/applications.ts';
import { randomUuid } from '../state/ids.ts';
import type { OsFamily } from '../state/os-family.ts';
import type { ReadView } from '../store/lab-store.ts';
import { type ConfigurationOptions, recomputeAssigned, required, requireRoom, requireUnassigned } from './configuration-options.ts';
import { digestOf } from './digest.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';

export interface NewApplication {
  readonly applicationId: string;
  readonly name: string;
  readonly version: string;
  readonly vendor?: string | undefined;
  readonly platforms: readonly OsFamily[];
  readonly platformIds?: readonly string[] | undefined;
  /** Versions of the Dynamics app that may be used; absent: every one. Others are locked (F5.5). */
  readonly entitledVersions?: readonly string[] | undefined;
  /** What it offers to other apps of its user on its device (docs/protocol/14). */
  readonly services?: readonly OfferedService[] | undefined;
}

export interface NewApplicationServer {
  readonly name: string;
  readonly applicationGuid: string;
  readonly servers: ApplicationServerRecord['servers'];
}

/** Applications that can be assigned, and the servers that they are told of. */
export interface ApplicationAdministration {
  /** @throws AdminProblem `APPLICATION_EXISTS`, `LIMIT_REACHED` */
  createApplication(application: NewApplication): Promise<ApplicationRecord>;
  /** Replaces an application; its application id stays. @throws AdminProblem `APPLICATION_NOT_FOUND`, `INVALID_PROPERTY` */
  updateApplication(guid: string, application: NewApplication): Promise<ApplicationRecord>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `IN_USE` */
  deleteApplication(guid: string): Promise<void>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND` */
  application(guid: string): ApplicationRecord;
  applications(): Iterable<ApplicationRecord>;
  /** @throws AdminProblem `APPLICATION_NOT_FOUND`, `LIMIT_REACHED` */
  createApplicationServer(server: NewApplicationServer): Promise<ApplicationServerRecord>;
  /** @throws AdminProblem `APPLICATION_SERVER_NOT_FOUND`, `APPLICATION_NOT_FOUND` */
  updateApplicationServer(guid: string, server: NewApplicationServer): Promise<ApplicationServerRecord>;
  /** @throws AdminProblem `APPLICATION_SERVER_NOT_FOUND` */
  deleteApplicationServer(guid: string): Promise<void>;
  /** @throws AdminProblem `APPLICATION_SERVER_NOT_FOUND` */
  applicationServer(guid: string): ApplicationServerRecord;
  applicationServers(): Iterable<ApplicationServerRecord>;
}

export function createApplicationAdministration(options: ConfigurationOptions): ApplicationAdministration {
  const { clock, crypto, entropy, store, reconfigure, serversChanged } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);
  const recordOf = (
    guid: string,
    { applicationId, name, version, vendor, platforms, platformIds, entitledVersions, services }: NewApplication,
  ): ApplicationRecord => {
    const digest = digestOf(crypto, { applicationId, name, version });
    const dynamics = { platformIds, entitledVersions, services };
    return { guid, applicationId, name, version, vendor, platforms: [...new Set(platforms)], ...dynamics, digest, updatedAtMs: clock.nowMs() };
  };

  return {
    async createApplication(wanted) {
      const application = recordOf(randomUuid(entropy), wanted);
      await store.transaction((tx) => {
        if (applicationById(tx, wanted.applicationId) !== undefined)
          throw new AdminProblem('APPLICATION_EXISTS', 'there is an application of this application id already');
        requireRoom(listApplications(tx, { limit: MAX_APPLICATIONS }), MAX_APPLICATIONS, 'applications');
        putApplication(tx, application);
      });
      return application;
    },
    async updateApplication(guid, wanted) {
      const changed = await store.transaction((tx) => {
        const known = requireApplication(tx, guid);
        if (known.applicationId !== wanted.applicationId) throw new AdminProblem('INVALID_PROPERTY', 'applicationId: stays as it is');
        const application = recordOf(guid, wanted);
        putApplication(tx, application);
        recomputeAssigned(tx, { kind: 'application', id: guid }, false, clock.nowMs());
        return application;
      });
      reconfigure();
      return changed;
    },
    async deleteApplication(guid) {
      await store.transaction((tx) => {
        const application = requireApplication(tx, guid);
        requireUnassigned(tx, { kind: 'application', id: guid });
        for (const { record: server } of listApplicationServers(tx, { limit: MAX_APPLICATION_SERVERS }))
          if (server.applicationGuid === guid) throw new AdminProblem('IN_USE', `application server ${server.guid} serves it; delete that first`);
        const [policy] = listAppPolicies(tx, guid);
        if (policy !== undefined) throw new AdminProblem('IN_USE', `app policy ${policy.appPolicyId} is for it; delete that first`);
        deletePolicyDefinition(tx, guid);
        deleteApplication(tx, application);
      });
    },
    application: (guid) => store.read((view) => requireApplication(view, guid)),
    *applications() {
      for (const { record } of rowsOf(read, listApplications, (row) => row.id)) yield record;
    },
    async createApplicationServer(wanted) {
      const created = await store.transaction((tx) => {
        requireApplication(tx, wanted.applicationGuid);
        requireRoom(listApplicationServers(tx, { limit: MAX_APPLICATION_SERVERS }), MAX_APPLICATION_SERVERS, 'application servers');
        const server: ApplicationServerRecord = { guid: randomUuid(entropy), ...wanted, updatedAtMs: clock.nowMs() };
        putApplicationServer(tx, server);
        return server;
      });
      serversChanged();
      return created;
    },
    async updateApplicationServer(guid, wanted) {
      const updated = await store.transaction((tx) => {
        requireServer(tx, guid);
        requireApplication(tx, wanted.applicationGuid);
        const server: ApplicationServerRecord = { guid, ...wanted, updatedAtMs: clock.nowMs() };
        putApplicationServer(tx, server);
        return server;
      });
      serversChanged();
      return updated;
    },
    async deleteApplicationServer(guid) {
      await store.transaction((tx) => deleteApplicationServer(tx, requireServer(tx, guid).guid));
      serversChanged();
    },
    applicationServer: (guid) => store.read((view) => requireServer(view, guid)),
    *applicationServers() {
      for (const { record } of rowsOf(read, listApplicationServers, (row) => row.id)) yield record;
    },
  };
}

function requireApplication(view: ReadView, guid: string): ApplicationRecord {
  return required(applicationByGuid(view, guid), 'APPLICATION_NOT_FOUND', 'there is no such application');
}

function requireServer(view: ReadView, guid: string): ApplicationServerRecord {
  return required(applicationServerByGuid(view, guid), 'APPLICATION_SERVER_NOT_FOUND', 'there is no such application server');
}
