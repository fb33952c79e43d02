import { fromBase64url } from '@uemkit/protocol';
import type { Administration } from '../admin/administration.ts';
import { createAdministrators } from '../admin/administrators.ts';
import { createAuditLog } from '../admin/audit-log.ts';
import type { RoleFile, UemSecrets } from '../data/role-file.ts';
import type { EventFeed } from '../events/event-feed.ts';
import type { ActiveFault } from '../faults/faults.ts';
import { createAuthorization } from '../rest/authorization.ts';
import { LAB_PATH } from '../rest/lab-routes.ts';
import { restHandler } from '../rest/rest-handler.ts';
import type { RestRequest, RestResponse } from '../rest/rest-request.ts';
import { adminRoutes } from '../rest/route-table.ts';
import type { LabStore } from '../store/lab-store.ts';
import { LAB_VERSION } from '../version.ts';
import type { LabEnvironment } from './lab-environment.ts';

export interface AdminRestOptions {
  readonly file: RoleFile;
  readonly secrets: UemSecrets;
  /** Store of UEM: administrators and audit log. */
  readonly store: LabStore;
  readonly administration: Administration;
  readonly events: EventFeed;
  /** The fault that a request to service `admin` meets. */
  meet(service: string): ActiveFault | undefined;
}

/** The admin REST API of one UEM; `undefined`: a fault loses the request. */
export function createAdminRest(environment: LabEnvironment, options: AdminRestOptions): (request: RestRequest) => Promise<RestResponse | undefined> {
  const { clock, crypto, entropy, journal, faults } = environment;
  const { file, secrets, store, administration, events } = options;
  const { tenantId, coreId } = file;
  const administrators = createAdministrators({ clock, crypto, entropy, store, first: secrets });
  const authorization = createAuthorization({ clock, crypto, entropy, administrators, sessionKey: fromBase64url(secrets.sessionKey) });
  const audit = createAuditLog({ clock, store });
  const info = { tenantId, coreId, version: LAB_VERSION };
  const handle = restHandler({
    clock,
    journal,
    tenantId,
    authorization,
    audit,
    routes: adminRoutes({ administration, authorization, administrators, audit, events, info, faults, journal }),
  });
  const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void clock.setTimer(delayMs, resolve));

  const faulty = async (request: RestRequest, fault: ActiveFault): Promise<RestResponse | undefined> => {
    const answer = fault.kind === 'status' ? String(fault.status) : fault.kind === 'delay' ? 'delayed' : 'dropped';
    const { source } = request;
    const reason = `fault ${fault.id}: ${fault.kind}`;
    journal.record({ timeMs: clock.nowMs(), role: 'uem', service: 'admin', request: `${request.method} ${request.path}`, answer, source, reason });
    if (fault.kind === 'status') return { status: fault.status ?? 500, headers: {}, body: '' };
    if (fault.kind === 'delay') {
      await wait(fault.delayMs ?? 0);
      return handle(request);
    }
    if (fault.at === 'answer') (await handle(request)).stream?.close();
    return undefined;
  };

  return (request) => {
    const fault = request.path.startsWith(LAB_PATH) ? undefined : options.meet('admin');
    return fault === undefined ? handle(request) : faulty(request, fault);
  };
}
