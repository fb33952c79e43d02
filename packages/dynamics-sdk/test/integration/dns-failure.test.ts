import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NocTransport } from '../../src/index.ts';
import { type NodeDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { type NodeLab, nodeLab } from '../support/node-lab.ts';

/** Names below `invalid` lead nowhere, whatever resolver is asked (RFC 6761, 6.4). */
const NOWHERE = { noc: 'wiki.invalid', direct: 'straight.invalid', withoutProxy: 'public.invalid', ofNoc: 'noc.invalid:443' } as const;

let company: NodeLab;
let web: Server;
let port: number;
let runtime: NodeDynamicsRuntime;
/** False: the name of the NOC does not resolve any more. */
let isKnown = true;

const real = tlsNocTransport();
const openLink: NonNullable<NocTransport['openLink']> = (request) =>
  (real.openLink as typeof openLink)(isKnown ? request : { ...request, address: NOWHERE.ofNoc });

beforeAll(async () => {
  web = createServer((_request, response) => response.end('whole')).listen(0, '127.0.0.1');
  await once(web, 'listening');
  port = (web.address() as AddressInfo).port;
  company = await nodeLab();
  const { lab, userGuid } = company;
  const content = {
    additionalServers: [
      { server: '127.0.0.1', route: 'PROXY' },
      { server: NOWHERE.noc, route: 'PROXY' },
      { server: NOWHERE.direct, route: 'PROXY', cluster: 'straight' },
      { server: NOWHERE.withoutProxy, route: 'DIRECT' },
    ],
    proxyClusters: [{ name: 'straight', directConnect: true, proxies: [{ id: lab.connectivityNode?.proxyId ?? '' }] }],
  };
  const { profileId } = await lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content });
  await lab.admin.assign({ kind: 'user', id: userGuid }, { kind: 'profile', id: profileId });
  runtime = await company.app({ transport: { ...real, openLink } });
});
afterAll(async () => {
  await company?.close();
  web?.close();
  web?.closeAllConnections();
});

const page = async (): Promise<string> => (await runtime.fetch(`http://127.0.0.1:${port}/`)).text();
const told = (service: string): readonly string[] =>
  company.lab.journal.entries().flatMap((entry) => (entry.service === service ? [`${entry.request} ${entry.answer}`] : []));

describe('a name that does not resolve', () => {
  it.each([
    ['at the Proxy, through the NOC', NOWHERE.noc, 'F10.4', 'unknownHost', 'px', 'streamOpen unknownHost'],
    ['at the Proxy, by Direct Connect', NOWHERE.direct, 'F11.4', 'unknownHost', 'dc', 'streamOpen unknownHost'],
    ['at the NOC, which connects itself (F10.3b)', NOWHERE.withoutProxy, 'F10.3', 'unreachable', 'links', 'connectHost connectRefused unreachable'],
  ])('%s', async (_where, host, step, reason, service, line) => {
    const error = { code: 'ERR_CONNECTION_TARGET', step, details: { reason } };
    await expect(runtime.connect({ host, port: 443 })).rejects.toMatchObject(error);
    await expect(runtime.fetch(`http://${host}/`)).rejects.toMatchObject(error);
    expect(told(service)).toContain(line);
    // It says nothing about the app or the Proxy.
    expect([runtime.state, await page()]).toEqual(['authorized', 'whole']);
  });

  it('that of the NOC, for an app that is activated: no verdict, and no other way', async () => {
    isKnown = false;
    company.lab.connectivityNode?.restart();
    const refused = (): Promise<unknown> => runtime.connect({ host: '127.0.0.1', port }).then(undefined, (error: unknown) => error);
    // What stood goes on until it breaks.
    await expect.poll(refused).toMatchObject({ code: 'ERR_CONNECTION_NOC', step: 'F10.2', details: { cause: 'ERR_TRANSPORT_CONNECT' } });
    expect(runtime.state).toBe('authorized');
    isKnown = true;
    await expect.poll(() => page().catch(() => undefined)).toBe('whole');
  });

  it('that of the NOC, for an app that is to be activated: it is told by the step, and its key is not used', async () => {
    const { lab, userGuid } = company;
    const before = lab.admin.accessKeys(userGuid).length;
    const failed = company.app({ noc: { address: NOWHERE.ofNoc, trust: { roots: 'platform', spkiPins: [] } } });
    await expect(failed).rejects.toMatchObject({
      cause: { code: 'ERR_TRANSPORT_CONNECT', step: 'F3.7', details: { cause: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) } },
    });
    expect(lab.admin.accessKeys(userGuid)).toHaveLength(before + 1);
  });
});
