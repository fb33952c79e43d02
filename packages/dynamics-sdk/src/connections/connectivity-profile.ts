import type { WireDocument } from '@uemkit/protocol/wire';
import { normalHost } from './host-name.ts';

/** Where a rule sends a connection. */
export type Route =
  | { readonly kind: 'direct' }
  | { readonly kind: 'deny' }
  | { readonly kind: 'proxy' /** Absent: every Proxy of the list. */; readonly cluster?: string | undefined };

export interface RouteRule {
  /** `exact`: this host. `suffix`: this domain and all below it. */
  readonly match: 'exact' | 'suffix';
  /** As `normalHost` writes it. */
  readonly host: string;
  /** Absent: every port. */
  readonly ports?: readonly number[] | undefined;
  readonly route: Route;
}

/** Proxies that stand for each other. */
export interface ProxyCluster {
  readonly name: string;
  /** The app connects to the Proxy itself (F11), never through the NOC. */
  readonly directConnect: boolean;
  /** Ids of the Proxy list; 1 is the highest priority. */
  readonly proxies: readonly { readonly id: string; readonly priority: number }[];
}

/** The connectivity profile that is in force for an app. */
export interface ConnectivityProfile {
  readonly rules: readonly RouteRule[];
  /** For hosts that no rule names. Direct then leads to public hosts only. */
  readonly defaultRoute: Route;
  /** Put behind a name without a domain. */
  readonly defaultDomains: readonly string[];
  readonly clusters: readonly ProxyCluster[];
}

/** Everything direct, so nothing internal is reachable: what holds while no profile is assigned. */
export const DEFAULT_CONNECTIVITY: ConnectivityProfile = { rules: [], defaultRoute: { kind: 'direct' }, defaultDomains: [], clusters: [] };

const NOTHING: ConnectivityProfile = { ...DEFAULT_CONNECTIVITY, defaultRoute: { kind: 'deny' } };

/** Rules of one profile; UEM allows no more. */
export const MAX_ROUTE_RULES = 400;

type Fields = Readonly<Record<string, unknown>>;

class NotUsable extends Error {}

/**
 * The profile out of the policy of an app (F3.11), entry `dynamics-connectivity`: `allowedDomains`, `additionalServers`, `defaultRoute`, `routeAllTraffic`, `defaultDomains`,
 * `proxyClusters` (docs/protocol/04, 4.6). One field that is no value for it, and nothing is reachable: a rule that is left out could open what it was to close.
 */
export function connectivityOf(policy: WireDocument): ConnectivityProfile {
  const document = (policy as Fields)['dynamics-connectivity'];
  if (document === undefined) return DEFAULT_CONNECTIVITY;
  try {
    return read(fields(document));
  } catch (error) {
    if (error instanceof NotUsable) return NOTHING;
    throw error;
  }
}

function read(profile: Fields): ConnectivityProfile {
  const domains = list(profile.allowedDomains).map((entry) => rule('suffix', entry.domain, entry));
  const servers = list(profile.additionalServers).map((entry) => rule('exact', entry.server, entry));
  const rules = [...servers, ...domains];
  if (rules.length > MAX_ROUTE_RULES) throw new NotUsable();
  const byDefault = profile.defaultRoute === undefined ? 'DIRECT' : profile.defaultRoute;
  return {
    rules,
    defaultRoute: profile.routeAllTraffic === true ? { kind: 'proxy' } : route(byDefault, profile.defaultCluster),
    defaultDomains: array(profile.defaultDomains).map(host),
    clusters: list(profile.proxyClusters).map(cluster),
  };
}

function rule(match: RouteRule['match'], name: unknown, entry: Fields): RouteRule {
  const ports = entry.ports === undefined ? undefined : array(entry.ports).map((port) => integer(port, 65_535));
  return { match, host: host(name), ...(ports === undefined ? {} : { ports }), route: route(entry.route, entry.cluster) };
}

function route(name: unknown, cluster: unknown): Route {
  if (name === 'DIRECT') return { kind: 'direct' };
  if (name === 'DENY') return { kind: 'deny' };
  if (name !== 'PROXY') throw new NotUsable();
  return { kind: 'proxy', ...(cluster === undefined ? {} : { cluster: text(cluster) }) };
}

function cluster(entry: Fields): ProxyCluster {
  const proxies = list(entry.proxies).map(({ id, priority }) => ({ id: text(id), priority: priority === undefined ? 1 : integer(priority, 100) }));
  return { name: text(entry.name), directConnect: entry.directConnect === true, proxies };
}

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotUsable();
  return value as Fields;
}

function array(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new NotUsable();
  return value;
}

function list(value: unknown): readonly Fields[] {
  return array(value).map(fields);
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new NotUsable();
  return value;
}

function host(value: unknown): string {
  const normal = normalHost(text(value));
  if (normal === undefined) throw new NotUsable();
  return normal;
}

function integer(value: unknown, most: number): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most) throw new NotUsable();
  return value as number;
}
