import type * as wire from '@uemkit/protocol/wire';
import { type ApplicationRecord, applicationById, listApplicationServers, MAX_APPLICATION_SERVERS } from '../state/applications.ts';
import { configurationProfileById } from '../state/configuration-profiles.ts';
import { decodeDocument } from '../state/inventory.ts';
import { listProxies } from '../state/proxies.ts';
import { tenantOf } from '../state/tenants.ts';
import type { UserRecord } from '../state/users.ts';
import type { ReadView } from '../store/lab-store.ts';
import { assignmentReader } from './assigned-objects.ts';
import { effectiveConfiguration } from './effective.ts';

/** Kinds of profiles that Dynamics apps go by; they stand in the policy under their names. */
const APP_PROFILE_KINDS = ['dynamics', 'dynamics-connectivity'] as const;

/** The application of this entitlement id, when it is assigned to the user or to one of the user's groups (F3.1). */
export function assignedApplication(view: ReadView, userGuid: string, appId: string): ApplicationRecord | undefined {
  const application = applicationById(view, appId);
  if (application === undefined) return undefined;
  const { user, userGroups } = assignmentReader(view).inputOfUser(userGuid);
  return [...user.applications, ...userGroups.applications].some(({ id }) => id === application.guid) ? application : undefined;
}

/** Application configuration of one app (F3.11), with the names that app developers know; what is not set is left out. */
export function appConfiguration(view: ReadView, application: ApplicationRecord, user: UserRecord, instanceId: string): wire.WireDocument {
  const servers = listApplicationServers(view, { limit: MAX_APPLICATION_SERVERS }).flatMap(({ record }) =>
    record.applicationGuid === application.guid ? record.servers.map(({ host, port, priority }) => ({ server: host, port, priority })) : [],
  );
  servers.sort((a, b) => a.priority - b.priority);
  const [first] = servers;
  return {
    appServers: servers,
    ...(first === undefined ? {} : { appHost: first.server, appPort: first.port }),
    containerId: instanceId,
    enterpriseId: tenantOf(view)?.tenantId ?? '',
    userId: user.userId,
    upn: user.email ?? user.userId,
    ...(application.entitledVersions === undefined ? {} : { entitledVersions: [...application.entitledVersions] }),
  };
}

/** Proxies of the tenant, as apps are told of them (F3.11). */
export function appProxies(view: ReadView, roots: readonly Uint8Array[]): readonly wire.ProxyInstance[] {
  return listProxies(view).map(({ proxyId: id, host, port, spkiPin, keyExchangeKey }) => ({ id, host, port, spkiPins: [spkiPin], keyExchangeKey, roots }));
}

/** True when the policy of the user marks this app as one that may ask for access keys of other apps (F3.4). */
export function isActivationDelegate(view: ReadView, userGuid: string, appId: string): boolean {
  const { activationDelegates = [] } = (appPolicy(view, userGuid)['dynamics'] ?? {}) as { readonly activationDelegates?: readonly string[] };
  return activationDelegates.includes(appId);
}

/** Policy of the apps of a user: the profiles of Dynamics that are in force, by kind. */
export function appPolicy(view: ReadView, userGuid: string): wire.WireDocument {
  const { ranked } = effectiveConfiguration(assignmentReader(view).inputOfUser(userGuid));
  const policy: Record<string, wire.WireDocument> = {};
  for (const kind of APP_PROFILE_KINDS) {
    const id = (ranked as Readonly<Record<string, string | undefined>>)[kind];
    const profile = id === undefined ? undefined : configurationProfileById(view, id);
    if (profile !== undefined) policy[kind] = decodeDocument(profile.content);
  }
  return policy;
}
