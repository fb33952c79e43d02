import { describe, expect, it } from 'vitest';
import { connectivityOf, DEFAULT_CONNECTIVITY } from '../../../src/connections/connectivity-profile.ts';
import { routeOf } from '../../../src/connections/routing.ts';

const PROFILE = connectivityOf({
  'dynamics-connectivity': {
    allowedDomains: [
      { domain: 'example.com', route: 'PROXY', cluster: 'main', ports: [80, 443] },
      { domain: 'partners.example.com', route: 'DIRECT' },
      { domain: 'secret.example.com', route: 'DENY' },
      { domain: 'Bücher.example', route: 'PROXY' },
      { domain: 'both.example', route: 'DENY' },
      { domain: 'twice.example', route: 'DIRECT' },
      { domain: 'twice.example', route: 'DENY', ports: [22] },
    ],
    additionalServers: [
      { server: 'wiki.secret.example.com', route: 'PROXY', cluster: 'spare' },
      { server: '10.0.0.7', route: 'PROXY', cluster: 'main', ports: [5432] },
      { server: 'fd00::7', route: 'PROXY' },
      { server: 'printer', route: 'DIRECT' },
      { server: 'both.example', route: 'DIRECT' },
    ],
    defaultDomains: ['secret.example.com', 'example.com'],
    defaultRoute: 'DIRECT',
    proxyClusters: [
      { name: 'main', proxies: [{ id: 'a', priority: 1 }] },
      { name: 'spare', directConnect: true, proxies: [{ id: 'b' }] },
    ],
  },
});

/** `main:host`, `*:host` for every Proxy, `direct:host`, or why it is denied. */
function routed(host: string, port = 443, profile = PROFILE): string {
  const decision = routeOf(profile, { host, port });
  if (decision.kind === 'denied') return decision.why;
  return `${decision.kind === 'direct' ? 'direct' : (decision.cluster?.name ?? '*')}:${decision.target.host}`;
}

describe('routing', () => {
  it.each([
    ['example.com', 443, 'main:example.com'],
    ['a.b.example.com', 80, 'main:a.b.example.com'],
    // Other ports are denied, and the default is not asked.
    ['example.com', 22, 'port'],
    // At the border of a label only.
    ['badexample.com', 443, 'direct:badexample.com'],
    ['example.com.evil.net', 443, 'direct:example.com.evil.net'],
    // The longer domain, and the host itself, win.
    ['x.partners.example.com', 22, 'direct:x.partners.example.com'],
    ['x.secret.example.com', 443, 'rule'],
    ['wiki.secret.example.com', 443, 'spare:wiki.secret.example.com'],
    ['x.wiki.secret.example.com', 443, 'rule'],
    ['both.example', 443, 'direct:both.example'],
    // Of two rules for one domain the one that denies.
    ['twice.example', 22, 'rule'],
    ['twice.example', 443, 'direct:twice.example'],
    // Every spelling is one host.
    ['WIKI.Secret.Example.COM.', 443, 'spare:wiki.secret.example.com'],
    ['bücher.example', 443, '*:xn--bcher-kva.example'],
    ['ｅxample.com', 443, 'main:example.com'],
    ['10.0.0.7', 5432, 'main:10.0.0.7'],
    ['0x0a.0.0.7', 5432, 'main:10.0.0.7'],
    ['167772167', 5432, 'main:10.0.0.7'],
    ['[FD00:0::7]', 443, '*:fd00::7'],
    // Names without a domain: a rule of their own, then the first default domain that is not denied.
    ['printer', 9100, 'direct:printer'],
    ['wiki', 443, 'spare:wiki.secret.example.com'],
    ['intra', 443, 'main:intra.example.com'],
    ['intra', 22, 'internal'],
  ])('%s %i goes %s', (host, port, expected) => {
    expect(routed(host, port)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a/b',
    'user@example.com',
    'example.com:443',
    'a?b',
    'a#b',
    'a\\b',
    '%65xample.com',
    '[::1',
    '::1]x',
    '-a.example',
    '1.2.3.4.5',
    'x'.repeat(64),
  ])('%j is no host', (host) => {
    expect(routed(host)).toBe('no host');
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN])('%d is no port', (port) => {
    expect(routed('public.net', port)).toBe('port');
  });

  it.each([
    'localhost',
    'x.localhost',
    'wiki',
    'nas.local',
    'x.internal',
    'x.home.arpa',
    'x.corp',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001::1',
    '2001:0:1::',
  ])('by default %s is not reachable', (host) => {
    expect(routed(host, 443, DEFAULT_CONNECTIVITY)).toBe('internal');
  });

  it.each(['example.com', '9.9.9.9', '100.128.0.1', '172.32.0.1', '192.169.0.1', '192.0.32.8', '198.20.0.1', '2606:4700::1', '2001:db80::1'])(
    'by default %s is direct',
    (host) => {
      expect(routed(host, 443, DEFAULT_CONNECTIVITY)).toBe(`direct:${host}`);
    },
  );

  it('sends everything through the Proxies, or nowhere, when the profile says so', () => {
    expect(routed('10.0.0.1', 1, connectivityOf({ 'dynamics-connectivity': { routeAllTraffic: true } }))).toBe('*:10.0.0.1');
    expect(routed('example.com', 1, connectivityOf({ 'dynamics-connectivity': { defaultRoute: 'DENY' } }))).toBe('rule');
    const gone = connectivityOf({ 'dynamics-connectivity': { defaultRoute: 'PROXY', defaultCluster: 'gone' } });
    expect(routed('example.com', 1, gone)).toBe('no such cluster');
  });

  it.each([
    null,
    'x',
    [],
    { allowedDomains: {} },
    { allowedDomains: [7] },
    { allowedDomains: [{ route: 'DENY' }] },
    { allowedDomains: [{ domain: 'a b', route: 'DENY' }] },
    { allowedDomains: [{ domain: 'a.example', route: 'PROXY ' }] },
    { allowedDomains: [{ domain: 'a.example', route: 'DENY', ports: [0] }] },
    { allowedDomains: [{ domain: 'a.example', route: 'PROXY', cluster: 7 }] },
    { additionalServers: [{ domain: 'a.example', route: 'DENY' }] },
    { defaultRoute: 'direct' },
    { defaultDomains: [7] },
    { proxyClusters: [{ name: '', proxies: [] }] },
    { proxyClusters: [{ name: 'x', proxies: [{ id: 'a', priority: 0 }] }] },
    { allowedDomains: Array.from({ length: 401 }, (_, at) => ({ domain: `a${at}.example`, route: 'DIRECT' })) },
  ])('reaches nothing with a profile that cannot be read: %j', (profile) => {
    expect(routed('public.net', 443, connectivityOf({ 'dynamics-connectivity': profile as never }))).toBe('rule');
  });
});
