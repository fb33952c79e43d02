import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { request as requestByTls } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledPage } from '../../../../scripts/lib/bundled-page.ts';
import { CHROMIUM, openChromium } from '../../../../scripts/lib/chromium.ts';
import { type PageServer, pinOf, servePage } from '../../../../scripts/lib/page-server.ts';
import { serverCertificates } from '../support/server-certificates.ts';

/**
 * The SDK in a real browser, with the noble provider, IndexedDB and the platform's WebSocket, against a lab on real TLS 1.3 and a web server that only its Proxy reaches for it.
 * A page trusts no root of its own, so Chromium is told by key pins which servers it may believe.
 */
it('has Chromium as a referee (required in CI)', () => {
  if (process.env['CI'] !== undefined) expect(CHROMIUM).toBeDefined();
});
if (CHROMIUM === undefined) process.emitWarning('SKIPPED: the tests of an app in a page need Debian package chromium');

const USER = 'ada@example.com';
const PASSWORD = 'correct horse 7';
const SECRET = 'nobody else reads this';
const MIB = 1_048_576;
const CONTENT = randomBytes(3 * MIB);
/** More than all buffers on the way hold. */
const LARGE_MIB = 24;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `app` of page.ts, from here. */
function call<T>(page: Page, name: string, ...args: readonly unknown[]): Promise<T> {
  return page.evaluate(
    ([method, values]) => (globalThis as unknown as { app: Record<string, (...given: readonly unknown[]) => unknown> }).app[method]?.(...values),
    [name, args] as const,
  ) as Promise<T>;
}

interface Told {
  readonly state: string;
  readonly isActivated: boolean;
  readonly events: readonly string[];
}

describe.skipIf(CHROMIUM === undefined)('an app in a page', () => {
  let lab: LabServer;
  let web: Server;
  let pages: PageServer;
  let browser: Browser;
  let page: Page;
  let origin: string;
  let accessKey: string;
  /** Of the push channel of the page before it was loaded again. */
  let tokenBefore: string;
  const sockets = new Set<Socket>();
  const journal = (service: string): string[] =>
    lab.journal
      .entries()
      .filter((entry) => entry.service === service)
      .map(({ request, answer }) => `${request} ${answer}`);
  const told = (): Promise<Told> => call(page, 'state');
  const open = (): Promise<unknown> => call(page, 'open', lab.connection.noc);
  const loaded = async (in_: Page = page): Promise<void> => {
    await in_.waitForFunction(() => 'app' in globalThis);
  };

  beforeAll(async () => {
    web = createServer((request, response) => {
      const { url = '', method } = request;
      if (method === 'POST') {
        const sum = createHash('sha256');
        request.on('data', (part: Buffer) => sum.update(part)).on('end', () => response.end(sum.digest('hex')));
      } else if (url === '/login') response.writeHead(302, { location: '/home', 'set-cookie': 'session=1; Max-Age=1000' }).end();
      else if (url === '/home') response.end(request.headers.cookie ?? 'no cookie');
      else if (url === '/endless') {
        const more = (): void => void response.write(Buffer.alloc(65_536), (error) => (error == null ? more() : undefined));
        more();
      } else if (url === '/large') {
        const more = (left: number): void => void (left === 0 ? response.end() : response.write(Buffer.alloc(MIB), () => more(left - 1)));
        more(LARGE_MIB);
      } else response.end(CONTENT);
    }).listen(0, '127.0.0.1');
    web.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await once(web, 'listening');
    const { port } = web.address() as AddressInfo;
    origin = `http://127.0.0.1:${port}`;
    pages = await servePage(await (await serverCertificates()).issue('127.0.0.1'), await bundledPage(new URL('page.ts', import.meta.url)));
    lab = await startLabServer({ origins: [pages.origin], connectivityNode: true, allowUnboundLinks: true });
    await lab.connectivityNode?.ready;
    const { guid } = await lab.admin.createUser({ username: USER, email: USER });
    const { guid: app } = await lab.admin.createApplication({ applicationId: 'com.example.mail', name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
    const { profileId } = await lab.admin.createConfigurationProfile({
      kind: 'dynamics-connectivity',
      name: 'Office',
      content: {
        additionalServers: [
          { server: '127.0.0.1', route: 'PROXY', ports: [port] },
          { server: 'localhost', route: 'DIRECT', ports: [port] },
        ],
        defaultRoute: 'DENY',
      },
    });
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'application', id: app }, 'OPTIONAL');
    await lab.admin.assign({ kind: 'user', id: guid }, { kind: 'profile', id: profileId });
    accessKey = (await lab.admin.createAccessKey(guid)).accessKey;
    const pins = await Promise.all([pages.origin.slice('https://'.length), lab.connection.noc].map(pinOf));
    browser = await openChromium([`--ignore-certificate-errors-spki-list=${pins.join(',')}`]);
    page = await (await browser.newContext()).newPage();
    await page.goto(pages.origin);
    await loaded();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await lab?.close();
    await pages?.close();
    web?.close();
    web?.closeAllConnections();
  });

  it('activates itself with a typed key, and with no other one', async () => {
    expect(await open()).toBeUndefined();
    expect(await call(page, 'authorize', PASSWORD, USER, '00000-00000-00000')).toMatchObject({ state: 'notAuthorized' });
    expect(await call(page, 'authorize', PASSWORD, USER, accessKey)).toEqual({ state: 'authorized', code: 'GDErrorNone' });
    expect((await told()).events.slice(-7)).toEqual([
      'infrastructureActivation',
      'enterpriseActivation',
      'entitlementCheck',
      'policyUpdate',
      'policyCheck',
      'configuration',
      'unlock',
    ]);
  });

  it('reads a page from behind the Proxy, by a link that says that it has no channel binding', async () => {
    expect(await call(page, 'get', `${origin}/page`)).toEqual({
      status: 200,
      url: `${origin}/page`,
      redirected: false,
      bytes: CONTENT.length,
      sha256: sha256(CONTENT),
    });
    expect((await told()).events.at(-1)).toBe('link none');
    expect(journal('links')).toContain('connectProxy connected');
    expect(journal('px')).toEqual(expect.arrayContaining(['session established', 'streamOpen opened']));
  });

  it('sends a stream, and many at once over one session', async () => {
    const pieces = Buffer.concat(Array.from({ length: 40 }, (_, at) => Buffer.alloc(65_536, at)));
    const sent = await Promise.all([1, 2, 3].map(() => call(page, 'post', `${origin}/upload`, 40)));
    expect(sent).toEqual([sha256(pieces), sha256(pieces), sha256(pieces)]);
    expect(journal('px').filter((line) => line === 'session established')).toHaveLength(1);
  });

  it('has cookies, over a redirect', async () => {
    expect(await call(page, 'text', `${origin}/login`)).toBe('session=1');
  });

  it('holds a server back that is faster than its reader, and ends what it aborts', async () => {
    expect(await call(page, 'pause', `${origin}/large`)).toBe(false);
    const sent = (): number => Math.max(0, ...[...sockets].map(({ bytesWritten }) => bytesWritten));
    let before = -1;
    const stands = (): boolean => {
      const isSame = sent() === before;
      before = sent();
      return isSame;
    };
    await expect.poll(stands, { interval: 500, timeout: 15_000 }).toBe(true);
    expect(sent()).toBeLessThan((LARGE_MIB / 2) * MIB);
    expect(await call<number>(page, 'resume')).toBeGreaterThan((LARGE_MIB - 1) * MIB);
    expect(await call(page, 'pause', `${origin}/endless`)).toBe(false);
    await call(page, 'abort');
    expect(await call(page, 'resume')).toBe('Error: the user has left');
    await expect.poll(() => sockets.size, { timeout: 10_000 }).toBe(0);
  }, 60_000);

  it('sends nothing in clear through the NOC, and nothing where policy allows it not', async () => {
    const before = journal('links').length;
    expect(await call(page, 'text', origin.replace('http', 'https'))).toEqual({ code: 'ERR_CONNECTION_UNSUPPORTED' });
    expect(await call(page, 'text', origin.replace('127.0.0.1', 'localhost'))).toEqual({ code: 'ERR_CONNECTION_UNSUPPORTED' });
    expect(await call(page, 'text', 'http://elsewhere.net/')).toEqual({ code: 'ERR_CONNECTION_DENIED' });
    expect(journal('links').length).toBe(before);
  });

  /** What an application server does with the token of a channel: HTTP to the Proxy. @returns its code; undefined when it is to come again */
  const notify = (token: string, text: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const { proxyServices, ca } = lab.connection;
      requestByTls(`${proxyServices}/GNP1.0?method=notify`, { method: 'POST', ca, headers: { 'X-Good-GNP-Token': token } }, (answer) => {
        answer.resume();
        resolve(answer.headers['x-good-gnp-code'] as string | undefined);
      })
        .on('error', reject)
        .end(text);
    });
  const heard = (): Promise<readonly string[]> => call(page, 'heard');

  it('hears what an application server pushes, also what it missed while the NOC was away, once', async () => {
    expect(await call(page, 'channel', 'news')).toBeUndefined();
    await expect.poll(heard).toEqual(['open 127.0.0.1']);
    const token = await call<string>(page, 'token');
    expect(await notify(token, 'zwölf neue Mails')).toBe('100 OK');
    await expect.poll(heard).toEqual(['open 127.0.0.1', 'zwölf neue Mails']);
    expect(journal('links')).toContain('connectPush connected');
    expect(await notify(`${token.slice(1)}A`, 'of somebody else')).toBe('402 Invalid Token');

    await lab.restart('noc');
    await expect.poll(() => notify(token, 'meanwhile')).toBe('100 OK');
    expect(await notify(token, 'the last one')).toBe('100 OK');
    await expect.poll(heard).toEqual(['open 127.0.0.1', 'zwölf neue Mails', 'meanwhile', 'the last one']);
    await expect.poll(() => lab.connectivityNode?.connected).toBe(true);
  });

  it('keeps values in a container of which the database of the browser shows nothing', async () => {
    expect(await call(page, 'put', 'drafts/one', SECRET)).toBeUndefined();
    const all = await call<string>(page, 'scan');
    expect(all.length).toBeGreaterThan(1_000);
    for (const plain of [SECRET, 'drafts', accessKey, 'session=1', '127.0.0.1']) expect(all).not.toContain(plain);
  });

  it('is in one page at a time', async () => {
    const second = await page.context().newPage();
    await second.goto(pages.origin);
    await loaded(second);
    expect(await call(second, 'open', lab.connection.noc)).toEqual({ code: 'ERR_USAGE_STATE' });
    await second.close();
  });

  it('goes on after the page was loaded again, without a new activation', async () => {
    const activations = (): number => journal('apps').length;
    const before = activations();
    tokenBefore = await call<string>(page, 'token');
    await page.reload();
    await loaded();
    expect(await open()).toBeUndefined();
    expect(await told()).toMatchObject({ state: 'notAuthorized', isActivated: true });
    expect(await call(page, 'authorize', 'wrong horse 7')).toMatchObject({ state: 'notAuthorized', code: 'GDErrorSecurityError' });
    expect(await call(page, 'authorize', PASSWORD)).toMatchObject({ state: 'authorized' });
    expect(await call(page, 'value', 'drafts/one')).toBe(SECRET);
    expect(await call(page, 'text', `${origin}/home`)).toBe('session=1');
    expect(activations()).toBe(before);
    expect((await told()).events).not.toContain('infrastructureActivation');
  });

  it('opens its push channel again after that, under another token: the old one is worth nothing from then on', async () => {
    const old = tokenBefore;
    expect(await call(page, 'channel', 'news')).toBeUndefined();
    await expect.poll(heard).toEqual(['open 127.0.0.1']);
    const token = await call<string>(page, 'token');
    expect(token).not.toBe(old);
    expect(await notify(old, 'too late')).toBe('402 Invalid Token');
    expect(await notify(token, 'in time')).toBe('100 OK');
    await expect.poll(heard).toEqual(['open 127.0.0.1', 'in time']);
  });

  it('has nothing left after a wipe', async () => {
    expect(await call(page, 'wipe')).toBeUndefined();
    expect((await told()).state).toBe('wiped');
    expect((await heard()).at(-1)).toBe('close ERR_APP_WIPED');
    expect(await call<string[]>(page, 'databases')).toEqual(['uemkit/state']);
    expect(await call(page, 'text', `${origin}/home`)).toEqual({ code: 'ERR_APP_WIPED' });
  });
});
