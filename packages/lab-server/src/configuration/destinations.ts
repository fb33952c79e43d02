import * as wire from '@uemkit/protocol/wire';
import type { AppInstanceRecord } from '../state/app-instances.ts';
import { listApplicationServers, MAX_APPLICATION_SERVERS } from '../state/applications.ts';
import { listConfigurationProfiles, MAX_PROFILES } from '../state/configuration-profiles.ts';
import { decodeDocument } from '../state/inventory.ts';
import type { ReadView } from '../store/lab-store.ts';
import { appPolicy } from './app-provisioning.ts';

/** What is read of a profile of kind dynamics-connectivity; its content was checked when it was written. */
interface Connectivity {
  readonly routeAllTraffic?: boolean;
  readonly defaultRoute?: string;
  readonly allowedDomains?: readonly Rule[];
  readonly additionalServers?: readonly Rule[];
}

interface Rule {
  readonly domain?: string;
  readonly server?: string;
  readonly route: string;
  readonly ports?: readonly number[];
}

/**
 * Where one app may go through a Proxy (F10.4): exactly what its connectivity profile routes to one. As in the app the most specific name decides, of two rules for one
 * name the one that denies comes first, and a rule for other ports denies.
 */
export function proxyDestinations(view: ReadView, { userGuid }: Pick<AppInstanceRecord, 'userGuid'>): readonly wire.Destination[] {
  const profile = (appPolicy(view, userGuid)['dynamics-connectivity'] ?? {}) as Connectivity;
  const isOpen = profile.routeAllTraffic === true || profile.defaultRoute === 'PROXY';
  const rules = destinationsOf(profile, 'PROXY', true);
  return [...rules, ...(isOpen ? [{ host: '*', subdomains: false, allow: true }] : [])].slice(0, wire.LIMITS.destinations);
}

/** Where the NOC may connect apps to without a Proxy (F10.3b): the application servers of the tenant, and what its profiles route directly by name. Nothing else. */
export function tenantDestinations(view: ReadView): readonly wire.Destination[] {
  const servers = listApplicationServers(view, { limit: MAX_APPLICATION_SERVERS }).flatMap(({ record }) =>
    record.servers.map(({ host, port }) => ({ host, subdomains: false, port, allow: true })),
  );
  const profiles = listConfigurationProfiles(view, { limit: MAX_PROFILES }).filter(({ record }) => record.kind === 'dynamics-connectivity');
  const direct = profiles.flatMap(({ record }) => destinationsOf(decodeDocument(record.content) as Connectivity, 'DIRECT', false));
  return [...servers, ...direct].slice(0, wire.LIMITS.destinations);
}

/** The rules of a profile by name; those of another route deny where `denies` says so, and are left out otherwise. */
function destinationsOf({ additionalServers = [], allowedDomains = [] }: Connectivity, allowed: string, denies: boolean): readonly wire.Destination[] {
  const rules = [
    ...additionalServers.map((rule) => ({ ...rule, host: rule.server ?? '', subdomains: false })),
    ...allowedDomains.map((rule) => ({ ...rule, host: rule.domain ?? '', subdomains: true })),
  ];
  const weight = ({ host, subdomains }: { readonly host: string; readonly subdomains: boolean }): number => host.length * 2 + (subdomains ? 0 : 1);
  rules.sort((a, b) => weight(b) - weight(a) || Number(a.route !== 'DENY') - Number(b.route !== 'DENY'));
  return rules.flatMap((rule, index) => {
    const { host, subdomains, route, ports } = rule;
    const allow = route === allowed;
    const isSameName = (other: (typeof rules)[number] | undefined): boolean => other?.host === host && other.subdomains === subdomains;
    const named = !allow && !denies ? [] : (ports?.map((port) => ({ host, subdomains, port, allow })) ?? [{ host, subdomains, allow }]);
    // Behind the last rule of a name: its other ports are closed, and no shorter name opens them.
    const isLast = !isSameName(rules[index + 1]);
    const hasEveryPort = rules.some((other) => isSameName(other) && other.ports === undefined);
    return denies && isLast && !hasEveryPort ? [...named, { host, subdomains, allow: false }] : named;
  });
}
