import { ProtocolError } from '@uemkit/protocol';
import type { AppApi } from '../admin/app-api.ts';
import type { ConfigurationApi } from '../admin/configuration-api.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import type { Plan } from '../plan/plan.ts';
import { APP_VERSION, type PlannedApp } from '../plan/planned-apps.ts';
import { APP_WAYS, type AppWay } from '../scenario/scenario.ts';
import type { RunState } from './run-state.ts';

/** Behind the ranks that the steps of a timeline can have. */
const OWN_RANK = 100_000;

export interface CatalogueOptions {
  readonly api: AppApi;
  readonly configuration: ConfigurationApi;
  readonly plan: Plan;
  readonly state: RunState;
  /** Base URL of the server that the apps ask. */
  readonly server: string;
}

/** Puts the apps of a plan into the catalogue, and assigns to their users the apps, the way to the server, and who may ask for keys of others. May be repeated. */
export async function putApps({ api, configuration, plan, state, server }: CatalogueOptions): Promise<void> {
  const users = (apps: readonly PlannedApp[]): readonly string[] =>
    [...new Set(apps.map(({ device }) => device))].flatMap((index) => state.userGuid(index) ?? []);
  const groupOf = async (name: string, apps: readonly PlannedApp[]): Promise<string> => {
    const group = await configuration.ensure('groups', { name: `${plan.fleetId} ${name}` });
    await configuration.addMembers(group, users(apps));
    return group;
  };
  for (const { name, application } of plan.scenario.apps) {
    const apps = plan.apps.filter((app) => app.name === name);
    if (apps.length === 0) continue;
    const families = new Set(apps.map(({ device }) => SYSTEMS[(plan.devices[device] as Plan['devices'][number]).system].family.toUpperCase()));
    const guid = await api.ensureApplication({
      applicationId: application,
      name,
      version: APP_VERSION,
      platforms: [...families],
      platformIds: [...new Set(apps.map(({ platformId }) => platformId))],
    });
    await api.assignApplication(await groupOf(`app ${name}`, apps), guid);
  }
  const assign = async (name: string, kind: string, content: object, apps: readonly PlannedApp[]): Promise<void> => {
    if (apps.length === 0) return;
    // What the timeline configures goes before it.
    const body = { kind, name: `${plan.fleetId} ${name}`, rank: OWN_RANK, content };
    const profile = await configuration.ensure('profiles', body);
    await configuration.replace('profiles', profile, body);
    await configuration.assign(await groupOf(name, apps), 'profiles', profile);
  };
  const proxies = await api.proxies();
  if (proxies.length === 0) throw new ProtocolError('ERR_USAGE_STATE', 'the server has no Connectivity Node, so that apps reach nobody; start it with one');
  for (const way of APP_WAYS)
    await assign(
      `apps by ${way}`,
      'dynamics-connectivity',
      connectivity(way, server, proxies),
      plan.apps.filter((app) => app.way === way),
    );
  const siblings = plan.apps.filter(({ key }) => key === 'sibling');
  const asked = new Set(siblings.map(({ asks }) => asks));
  const delegates = plan.scenario.apps.flatMap(({ name, application }) => (asked.has(name) ? [application] : []));
  await assign('delegates', 'dynamics', { activationDelegates: delegates }, siblings);
}

/** The server, through every Proxy; all else is denied. */
function connectivity(way: AppWay, server: string, proxies: readonly string[]): object {
  const { hostname, port } = new URL(server);
  const rule = { server: hostname.replace(/^\[|\]$/g, ''), ports: [port === '' ? 80 : Number(port)], route: 'PROXY', cluster: way };
  return {
    additionalServers: [rule],
    proxyClusters: [{ name: way, directConnect: way === 'direct', proxies: proxies.map((id) => ({ id })) }],
    defaultRoute: 'DENY',
  };
}
