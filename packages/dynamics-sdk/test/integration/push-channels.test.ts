import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TraceEvent } from '@uemkit/protocol';
import { peekFrameName } from '@uemkit/protocol/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PushChannel, PushChannelEvents } from '../../src/index.ts';
import { type NodeDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { PASSWORD } from '../support/device.ts';
import { type NodeLab, nodeLab } from '../support/node-lab.ts';

let company: NodeLab;
let runtime: NodeDynamicsRuntime;
let server: Server;
let port: number;
const trace: TraceEvent[] = [];
/** Every byte between app and NOC, in this process: what the NOC is given. */
const passed: Uint8Array[] = [];
/** False: the NOC is not reached. */
let isOnline = true;
const cut: (() => void)[] = [];

const real = tlsNocTransport();
const openLink: NonNullable<typeof real.openLink> = async (options) => {
  if (!isOnline) throw Object.assign(new (await import('@uemkit/protocol')).ProtocolError('ERR_TRANSPORT_CONNECT', 'no network'));
  const channel = await (real.openLink as NonNullable<typeof real.openLink>)({
    ...options,
    onBytes(bytes) {
      passed.push(bytes.slice());
      options.onBytes(bytes);
    },
  });
  cut.push(() => {
    channel.close();
    options.onClose();
  });
  return {
    ...channel,
    send(bytes) {
      passed.push(bytes.slice());
      return channel.send(bytes);
    },
  };
};
function offline(): void {
  isOnline = false;
  for (const each of cut.splice(0)) each();
}

/** The application server: it takes tokens from apps, and sends what it is told to. */
const tokens = new Map<string, string>();
function notify(user: string, text: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const { proxyServices, ca } = company.lab.connection;
    const headers = { 'X-Good-GNP-Token': tokens.get(user) ?? '', 'content-type': 'text/plain; charset=utf-8' };
    request(`${proxyServices}/GNP1.0?method=notify`, { method: 'POST', ca, headers }, (answer) => {
      answer.resume();
      resolve(answer.headers['x-good-gnp-code'] as string | undefined);
    })
      .on('error', reject)
      .end(text);
  });
}

beforeAll(async () => {
  server = createServer(({ headers, url = '' }, response) => {
    tokens.set(url.slice(1), String(headers['x-good-gnp-token']));
    response.end('noted');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  company = await nodeLab();
  const content = { additionalServers: [{ server: '127.0.0.1', route: 'PROXY', ports: [port] }] };
  const { profileId } = await company.lab.admin.createConfigurationProfile({ kind: 'dynamics-connectivity', name: 'Office', content });
  await company.lab.admin.assign({ kind: 'user', id: company.userGuid }, { kind: 'profile', id: profileId });
  runtime = await company.app({ transport: { ...real, openLink }, trace: (event) => void trace.push(event) });
});
afterAll(async () => {
  await company?.close();
  server?.close();
  server?.closeAllConnections();
});
beforeEach(() => {
  isOnline = true;
  company.lab.faults.clear();
});

interface Heard {
  readonly channel: PushChannel;
  readonly events: string[];
  readonly token: () => string;
}

let made = 0;
async function opened(app = runtime): Promise<Heard> {
  made += 1;
  const channel = app.pushChannel(`news ${made}`);
  const events: string[] = [];
  let token = '';
  const on = <Name extends keyof PushChannelEvents>(name: Name, text: (detail: PushChannelEvents[Name]) => string): void =>
    channel.addEventListener(name, ({ detail }) => void events.push(text(detail)));
  on('open', (detail) => {
    token = detail.token;
    return `open ${detail.pushChannelHost}`;
  });
  on('close', ({ reason }) => `close ${reason?.code ?? ''}`);
  on('error', ({ error }) => `error ${error.code}`);
  on('message', ({ data }) => data);
  channel.connect();
  await expect.poll(() => channel.state, { timeout: 10_000 }).toBe('open');
  return { channel, events, token: () => token };
}

const post = async (token: string, text: string, ...more: readonly string[]) => {
  const { status, headers } = await company.curl('/GNP1.0?method=notify', '-H', `X-Good-GNP-Token: ${token}`, '--data-binary', text, ...more);
  return [status, headers['x-good-gnp-code']];
};
const check = async (token: string) => {
  const { status, headers } = await company.curl('/GNP1.0?method=checkToken', '-H', `X-Good-GNP-Token: ${token}`);
  return [status, headers['x-good-gnp-code']];
};
const ACCEPTED = [200, '100 OK'];
const INVALID = [200, '402 Invalid Token'];

describe('a push channel', () => {
  it('brings what an application server sends, which got the token through the Proxy', async () => {
    const { channel, events, token } = await opened();
    await runtime.fetch(`http://127.0.0.1:${port}/ada`, { headers: { 'X-Good-GNP-Token': token() } });
    expect(await notify('ada', 'zwölf neue Mails')).toBe('100 OK');
    await expect.poll(() => events).toEqual(['open 127.0.0.1', 'zwölf neue Mails']);
    channel.disconnect();
    expect([channel.state, events.at(-1)]).toEqual(['closed', 'close ']);
    await expect.poll(() => notify('ada', 'too late')).toBe('402 Invalid Token');
  });

  it('takes texts from curl in order, empty and long ones too, and says whether a token is valid', async () => {
    const { channel, events, token } = await opened();
    expect(await check(token())).toEqual(ACCEPTED);
    const texts = ['one', '', 'a'.repeat(4_096), 'four'];
    for (const text of texts) expect(await post(token(), text)).toEqual(ACCEPTED);
    await expect.poll(() => events.slice(1)).toEqual(texts);
    expect((await post(token(), 'a'.repeat(4_097)))[0]).toBe(413);
    expect(await post(`${token().slice(1)}A`, 'x')).toEqual(INVALID);
    expect(await check('')).toEqual(INVALID);
    channel.disconnect();
  });

  it('shows the NOC neither text nor token', async () => {
    const { channel, events, token } = await opened();
    await post(token(), 'nobody but the app reads this');
    await expect.poll(() => events).toContain('nobody but the app reads this');
    const all = Buffer.concat(passed);
    for (const secret of [Buffer.from('nobody but the app'), Buffer.from(token()), Buffer.from(token(), 'base64url').subarray(16)])
      expect(all.includes(secret)).toBe(false);
    // The id of the channel passes: the search finds what is there.
    expect(all.includes(Buffer.from(token(), 'base64url').subarray(0, 16))).toBe(true);
    channel.disconnect();
  });

  it('stays open while the network is lost, and brings what came meanwhile when it is back, once', async () => {
    const { channel, events, token } = await opened();
    offline();
    expect(await post(token(), 'while you were out')).toEqual(ACCEPTED);
    expect(await post(token(), 'and again')).toEqual(ACCEPTED);
    expect([channel.state, events]).toEqual(['open', ['open 127.0.0.1']]);
    isOnline = true;
    await expect.poll(() => events.slice(1), { timeout: 15_000 }).toEqual(['while you were out', 'and again']);
    expect(await post(token(), 'now')).toEqual(ACCEPTED);
    await expect.poll(() => events.at(-1)).toBe('now');
    expect(events).toHaveLength(4);
    channel.disconnect();
  });

  it('outlives the NOC, which forgets nothing that it has taken', async () => {
    const { channel, events, token } = await opened();
    offline();
    expect(await post(token(), 'before')).toEqual(ACCEPTED);
    await company.lab.restart('noc');
    expect(await post(token(), 'after')).toEqual(ACCEPTED);
    isOnline = true;
    await expect.poll(() => events.slice(1), { timeout: 15_000 }).toEqual(['before', 'after']);
    channel.disconnect();
  });

  it('keeps 64 texts for an app that is not there, and says when there is no room', async () => {
    const { channel, events, token } = await opened();
    offline();
    for (let count = 0; count < 64; count++) expect(await notifyBy(token(), `${count}`)).toBe('100 OK');
    expect(await post(token(), 'one too many')).toEqual([503, undefined]);
    isOnline = true;
    await expect.poll(() => events.length, { timeout: 15_000 }).toBe(65);
    expect(events.slice(1)).toEqual(Array.from({ length: 64 }, (_, count) => `${count}`));
    await expect.poll(() => post(token(), 'room again')).toEqual(ACCEPTED);
    channel.disconnect();
  });

  it('says neither yes nor no while the NOC cannot be asked', async () => {
    const { channel, token } = await opened();
    company.lab.faults.add({ kind: 'drop', role: 'noc', service: 'channels', count: 1 });
    expect(await post(token(), 'x')).toEqual([503, undefined]);
    expect(await post(token(), 'y')).toEqual(ACCEPTED);
    channel.disconnect();
  });

  it('is the same object for the same name, has a new token each time, and of those at most 8 are open', async () => {
    const first = await opened();
    expect(runtime.pushChannel(first.channel.name)).toBe(first.channel);
    const before = first.token();
    first.channel.disconnect();
    first.channel.connect();
    await expect.poll(() => first.channel.state, { timeout: 10_000 }).toBe('open');
    expect(first.token()).not.toBe(before);
    expect(await check(first.token())).toEqual(ACCEPTED);
    await expect.poll(() => check(before)).toEqual(INVALID);
    const others = await Promise.all(Array.from({ length: 7 }, () => opened()));
    const ninth = runtime.pushChannel('ninth');
    const errors: string[] = [];
    ninth.addEventListener('error', ({ detail }) => void errors.push(detail.error.code));
    ninth.connect();
    expect([ninth.state, errors]).toEqual(['error', ['ERR_REJECTED_BUSY']]);
    for (const { channel } of [first, ...others]) channel.disconnect();
    ninth.connect();
    await expect.poll(() => ninth.state, { timeout: 10_000 }).toBe('open');
    ninth.disconnect();
    for (const name of ['', 'a'.repeat(65)]) expect(() => runtime.pushChannel(name)).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });

  it('ends for good when the app is locked by console or policy, and opens none then', async () => {
    const { channel, events } = await opened();
    await runtime.executeBlock({ id: 'b', title: 'Stop', message: 'Stop' });
    expect([channel.state, events.at(-1)]).toEqual(['closed', 'close ERR_APP_LOCKED']);
    channel.connect();
    expect([channel.state, events.at(-1)]).toEqual(['error', 'error ERR_APP_LOCKED']);
    await runtime.executeUnblock('b');
    await runtime.unlock(PASSWORD);
    channel.connect();
    await expect.poll(() => channel.state, { timeout: 10_000 }).toBe('open');
    channel.disconnect();
  });

  it('ends at the NOC with the app, and when an administrator takes the app away', async () => {
    const other = await company.app();
    const { channel, token } = await opened(other);
    expect(await check(token())).toEqual(ACCEPTED);
    await company.lab.admin.unassign({ kind: 'user', id: company.userGuid }, { kind: 'application', id: company.applicationGuid });
    await expect.poll(() => check(token()), { timeout: 15_000 }).toEqual(INVALID);
    expect(channel.state).toBe('open');
    await other.close();
    expect(channel.state).toBe('closed');
  });
});

it('stands in trace and journal', () => {
  const names = new Set(trace.map(({ frame }) => peekFrameName(frame)));
  for (const name of ['connectPush', 'pushChannels', 'pushChannelsSet', 'pushMessage', 'pushMessageAck'] as const) expect(names).toContain(name);
  const rows = company.lab.journal.entries().map(({ role, request: asked, answer }) => `${role} ${asked} ${answer}`);
  expect(rows).toEqual(
    expect.arrayContaining(['connectivity-node notify 100 OK', 'connectivity-node checkToken 402 Invalid Token', 'noc pushNotify pushNotified']),
  );
  expect(rows).toEqual(expect.arrayContaining(['noc connectPush connected', 'noc connectPush closed', 'noc pushNotify pushNotified full']));
});

function notifyBy(token: string, text: string): Promise<string | undefined> {
  tokens.set('anybody', token);
  return notify('anybody', text);
}
