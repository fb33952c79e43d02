import { describe, expect, it } from 'vitest';
import { ConfigurationBench } from '../support/configuration-bench.ts';

const cluster = { name: 'main', directConnect: true, proxies: [{ id: 'proxy-1', priority: 1 }, { id: 'proxy-2' }] };

describe('the connectivity profile of Dynamics apps', () => {
  it('has routes with clusters and ports, and Proxies with priorities', async () => {
    const bench = await ConfigurationBench.start();
    const content = {
      allowedDomains: [{ domain: 'example.com', route: 'PROXY', cluster: 'main', ports: [80, 443] }],
      additionalServers: [
        { server: 'fd00::7', route: 'DIRECT' },
        { server: '10.0.0.7', route: 'PROXY' },
      ],
      defaultDomains: ['example.com'],
      defaultRoute: 'PROXY',
      defaultCluster: 'main',
      proxyClusters: [cluster],
    };
    await expect(bench.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content })).resolves.toMatchObject({
      kind: 'dynamics-connectivity',
      name: 'Office',
    });
  });

  it.each([
    ['a cluster that is not there', { allowedDomains: [{ domain: 'example.com', route: 'PROXY', cluster: 'other' }], proxyClusters: [cluster] }],
    ['a default cluster that is not there', { defaultRoute: 'PROXY', defaultCluster: 'main' }],
    ['another route', { allowedDomains: [{ domain: 'example.com', route: 'VPN' }] }],
    ['no port', { allowedDomains: [{ domain: 'example.com', route: 'DENY', ports: [] }] }],
    ['port 0', { additionalServers: [{ server: '10.0.0.7', route: 'DENY', ports: [0] }] }],
    ['what is no host', { additionalServers: [{ server: 'a b', route: 'DENY' }] }],
    ['priority 0', { proxyClusters: [{ name: 'main', proxies: [{ id: 'proxy-1', priority: 0 }] }] }],
  ])('is refused with %s', async (_, content) => {
    const bench = await ConfigurationBench.start();
    await expect(bench.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content })).rejects.toMatchObject({
      id: 'INVALID_PROPERTY',
    });
  });
});
