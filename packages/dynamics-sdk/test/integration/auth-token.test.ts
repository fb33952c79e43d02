import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { toHex } from '@uemkit/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NodeDynamicsRuntime } from '../../src/node/index.ts';
import { PASSWORD } from '../support/device.ts';
import { APP_ID, type NodeLab, nodeLab, USER } from '../support/node-lab.ts';

let company: NodeLab;
let runtime: NodeDynamicsRuntime;
let server: Server;
let port: number;

/** The application server: it knows nobody but by what the Proxy says. */
function askProxy(token: string): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve, reject) => {
    const { proxyServices, ca } = company.lab.connection;
    const headers = { 'X-Good-GD-AuthToken': token, 'X-Good-GD-Server': '127.0.0.1', 'X-Good-GD-AuthChallenge': 'c 4711' };
    request(`${proxyServices}/verifyGDAuthToken`, { ca, headers }, (answer) => {
      answer.resume();
      resolve(answer.headers as Record<string, string>);
    })
      .on('error', reject)
      .end();
  });
}

beforeAll(async () => {
  server = createServer(async ({ headers }, response) => {
    const found = await askProxy(String(headers['x-good-gd-authtoken']));
    const isKnown = found['x-good-gd-authresponsecode'] === '100 OK';
    response.writeHead(isKnown ? 200 : 401).end(isKnown ? `hello ${found['x-good-gd-userid']}` : 'who are you?');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  company = await nodeLab();
  const content = { additionalServers: [{ server: '127.0.0.1', route: 'PROXY', ports: [port] }] };
  const { profileId } = await company.lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content });
  await company.lab.admin.assign({ kind: 'user', id: company.userGuid }, { kind: 'profile', id: profileId });
  runtime = await company.app();
});
afterAll(async () => {
  await company?.close();
  server?.close();
  server?.closeAllConnections();
});

const verify = (token: string, ...args: readonly string[]) => company.curl('/verifyGDAuthToken', '-H', `X-Good-GD-AuthToken: ${token}`, ...args);
const REFUSED = { status: 403, code: '402 Invalid Token', userId: undefined };
const summary = async (answer: ReturnType<typeof verify>) => {
  const { status, headers } = await answer;
  return { status, code: headers['x-good-gd-authresponsecode'], userId: headers['x-good-gd-userid'] };
};

it('tells an application server behind the firewall who its user is, without a word of the user', async () => {
  const url = `http://127.0.0.1:${port}/`;
  const token = await runtime.getGDAuthToken('c 4711', '127.0.0.1');
  const page = await runtime.fetch(url, { headers: { 'X-Good-GD-AuthToken': token } });
  expect([page.status, await page.text()]).toEqual([200, `hello ${USER}`]);
  const other = await runtime.getGDAuthToken('c 4712', '127.0.0.1');
  expect((await runtime.fetch(url, { headers: { 'X-Good-GD-AuthToken': other } })).status).toBe(401);
  expect((await runtime.fetch(url)).status).toBe(401);
});

it('answers curl with the documented fields, as often as it asks', async () => {
  const beforeS = Math.floor(Date.now() / 1_000);
  const token = await runtime.getGDAuthToken('c 1', 'wiki.example.com');
  for (const more of [[], ['-H', 'X-Good-GD-Server: Wiki.Example.com'], ['-H', 'X-Good-GD-AuthChallenge: c 1']]) {
    const { status, headers } = await verify(token, ...more);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'x-good-gd-authresponsecode': '100 OK',
      'x-good-gd-userid': USER,
      'x-good-gd-appid': APP_ID,
      'x-good-gd-containerid': toHex(runtime.instanceId),
      'x-good-gd-authchallenge': 'c 1',
      'x-good-gd-server': 'wiki.example.com',
      'x-good-gd-authtokenversion': '1',
    });
    expect(runtime.getApplicationConfig().containerId).toBe(headers['x-good-gd-containerid']);
    const madeAtS = Number(headers['x-good-gd-authtokencreationtime']);
    expect(madeAtS >= beforeS && madeAtS <= Date.now() / 1_000).toBe(true);
  }
});

it('refuses a token for another server, another challenge, an altered one and none, all in the same words', async () => {
  const token = await runtime.getGDAuthToken('c 1', 'wiki.example.com');
  const altered = `${token.slice(0, 80)}${token[80] === 'A' ? 'B' : 'A'}${token.slice(81)}`;
  expect(await summary(verify(token, '-H', 'X-Good-GD-Server: mail.example.com'))).toEqual(REFUSED);
  expect(await summary(verify(token, '-H', 'X-Good-GD-AuthChallenge: c 2'))).toEqual(REFUSED);
  expect(await summary(verify(altered))).toEqual(REFUSED);
  expect(await summary(company.curl('/verifyGDAuthToken'))).toEqual(REFUSED);
});

it('refuses the token of an app of another lab', async () => {
  const other = await nodeLab();
  const stranger = await other.app();
  const token = await stranger.getGDAuthToken('', 'wiki.example.com');
  expect(await summary(other.curl('/verifyGDAuthToken', '-H', `X-Good-GD-AuthToken: ${token}`))).toMatchObject({ status: 200 });
  expect(await summary(verify(token))).toEqual(REFUSED);
  await other.close();
});

it('says neither yes nor no while UEM cannot be asked', async () => {
  const token = await runtime.getGDAuthToken('', 'wiki.example.com');
  company.lab.faults.add({ kind: 'status', status: 500, role: 'uem', service: 'proxies', count: 1 });
  expect(await summary(verify(token))).toEqual({ status: 503, code: undefined, userId: undefined });
  expect((await summary(verify(token))).status).toBe(200);
});

it('answers bad HTTP at the listener as every listener does, and 404, 405, 400 and 413 for what is no question', async () => {
  const status = async (...args: Parameters<NodeLab['curl']>): Promise<number> => (await company.curl(...args)).status;
  expect(await status('/')).toBe(404);
  expect(await status('/verifyGDAuthToken', '-X', 'POST')).toBe(405);
  expect(await status('/verifyGDAuthToken', '-X', 'GET', '-d', 'body')).toBe(400);
  expect(await status('/verifyGDAuthToken', '-X', 'GET', '-d', 'a'.repeat(4_097))).toBe(413);
  expect(await status('/verifyGDAuthToken', '-H', `X-Good-GD-AuthToken: ${'A'.repeat(9_000)}`)).toBe(431);
  const plain = company.lab.connection.proxyServices?.replace('https', 'http');
  await expect(fetch(`${plain}/verifyGDAuthToken`)).rejects.toThrow();
});

it('stands in the journals of node and UEM, with the reason that nobody else hears', () => {
  const entries = company.lab.journal.entries().filter(({ request }) => request === 'verifyGDAuthToken' || request === 'authTokenRequest');
  expect(entries.some(({ role, answer }) => role === 'connectivity-node' && answer === '100 OK')).toBe(true);
  expect(entries).toContainEqual(expect.objectContaining({ role: 'uem', service: 'proxies', answer: 'authTokenResponse', userId: USER }));
  expect(entries.map(({ reason }) => reason)).toContain('the token is for another server');
});

it('gives no token for what fits none, none while the app is locked by console or policy, and none once it is closed', async () => {
  for (const [challenge, host] of [
    ['a\nb', 'wiki'],
    ['', 'wiki:443'],
    ['', ''],
    ['a'.repeat(256), 'wiki'],
  ] as const) {
    await expect(runtime.getGDAuthToken(challenge, host)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  }
  await runtime.executeBlock({ id: 'b', title: 'Stop', message: 'Stop' });
  await expect(runtime.getGDAuthToken('', 'wiki')).rejects.toMatchObject({ code: 'ERR_APP_LOCKED' });
  await runtime.executeUnblock('b');
  await runtime.unlock(PASSWORD);
  await expect(runtime.getGDAuthToken('', 'wiki')).resolves.toMatch(/^[\w-]+$/);
});

it('takes no token any more of an app that is not assigned to its user, and none is made by one that is closed', async () => {
  const token = await runtime.getGDAuthToken('', 'wiki.example.com');
  expect((await summary(verify(token))).status).toBe(200);
  await company.lab.admin.unassign({ kind: 'user', id: company.userGuid }, { kind: 'application', id: company.applicationGuid });
  expect(await summary(verify(token))).toEqual(REFUSED);
  await runtime.close();
  await expect(runtime.getGDAuthToken('', 'wiki')).rejects.toMatchObject({ code: 'ERR_USAGE_STATE', message: 'the runtime is closed' });
});
