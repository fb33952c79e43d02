import type { ConnectivityProfile, ProxyCluster, Route, RouteRule } from './connectivity-profile.ts';
import { isInternal, isIpAddress, normalHost } from './host-name.ts';
import type { ConnectTarget } from './way.ts';

/** Where a connection goes, and to which host. There is one answer; nothing else is tried. */
export type RouteDecision =
  | { readonly kind: 'direct'; readonly target: ConnectTarget }
  /** `cluster` undefined: every Proxy of the list, with one priority, through the NOC. */
  | { readonly kind: 'proxy'; readonly target: ConnectTarget; readonly cluster: ProxyCluster | undefined }
  | { readonly kind: 'denied'; readonly why: 'rule' | 'port' | 'internal' | 'no such cluster' | 'no host' };

/**
 * The route of a target by the profile. The most specific rule wins: the host itself, then the longest domain; a rule for other ports denies and nothing less specific is asked.
 * A name without a domain that no rule names gets the first default domain under which it is not denied.
 */
export function routeOf(profile: ConnectivityProfile, { host, port }: ConnectTarget): RouteDecision {
  const normal = normalHost(host);
  if (normal === undefined) return { kind: 'denied', why: 'no host' };
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { kind: 'denied', why: 'port' };
  const isBare = !normal.includes('.') && !isIpAddress(normal);
  if (isBare && rulesFor(profile, normal).length === 0) {
    for (const domain of profile.defaultDomains) {
      const decision = decide(profile, { host: `${normal}.${domain}`, port });
      if (decision.kind !== 'denied') return decision;
    }
  }
  return decide(profile, { host: normal, port });
}

function decide(profile: ConnectivityProfile, target: ConnectTarget): RouteDecision {
  const rules = rulesFor(profile, target.host);
  if (rules.length === 0) {
    // check: by default Direct leads to public hosts only
    if (profile.defaultRoute.kind === 'direct' && isInternal(target.host)) return { kind: 'denied', why: 'internal' };
    return follow(profile, profile.defaultRoute, target);
  }
  const [rule] = rules.filter(({ ports }) => ports === undefined || ports.includes(target.port));
  return rule === undefined ? { kind: 'denied', why: 'port' } : follow(profile, rule.route, target);
}

/** The rules of the most specific name that has any; of two for one port, one that denies comes first. */
function rulesFor({ rules }: ConnectivityProfile, host: string): readonly RouteRule[] {
  const matching = rules.filter((rule) => rule.host === host || (rule.match === 'suffix' && !isIpAddress(host) && host.endsWith(`.${rule.host}`)));
  const best = Math.max(...matching.map(weight));
  const strictness = (rule: RouteRule): number => ['deny', 'proxy', 'direct'].indexOf(rule.route.kind);
  return matching.filter((rule) => weight(rule) === best).sort((a, b) => strictness(a) - strictness(b));
}

function weight({ match, host }: RouteRule): number {
  return host.length * 2 + (match === 'exact' ? 1 : 0);
}

function follow({ clusters }: ConnectivityProfile, route: Route, target: ConnectTarget): RouteDecision {
  if (route.kind === 'deny') return { kind: 'denied', why: 'rule' };
  if (route.kind === 'direct') return { kind: 'direct', target };
  if (route.cluster === undefined) return { kind: 'proxy', target, cluster: undefined };
  const cluster = clusters.find(({ name }) => name === route.cluster);
  return cluster === undefined ? { kind: 'denied', why: 'no such cluster' } : { kind: 'proxy', target, cluster };
}
