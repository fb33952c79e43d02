import { type LabServer, startLabServer } from '@uemkit/lab-server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledPage } from '../../../../scripts/lib/bundled-page.ts';
import { CHROMIUM, openChromium } from '../../../../scripts/lib/chromium.ts';
import { type PageServer, pinOf, servePage } from '../../../../scripts/lib/page-server.ts';
import { testCa } from '../support/test-ca.ts';

/**
 * The portable client in a real browser, with the noble provider, against a lab on real TLS 1.3. A page can neither present a client certificate nor trust a root of
 * its own, so Chromium is told by key pins which servers it may believe.
 */
it('has Chromium as a referee (required in CI)', () => {
  if (process.env['CI'] !== undefined) expect(CHROMIUM).toBeDefined();
});
if (CHROMIUM === undefined) process.emitWarning('SKIPPED: the tests of a device in a page need Debian package chromium');

const SCRIPT = new URL('page.ts', import.meta.url);

interface Told {
  readonly state: string;
  readonly deviceId: string;
  readonly events: readonly string[];
  readonly sent: readonly { readonly url: string; readonly fields: string }[];
}

type Refusal = { readonly code: string; readonly step?: string } | undefined;

/** `device` of page.ts, from here. */
function call<T>(page: Page, name: string, ...args: readonly unknown[]): Promise<T> {
  return page.evaluate(
    ([method, values]) => (globalThis as unknown as { device: Record<string, (...given: readonly unknown[]) => unknown> }).device[method]?.(...values),
    [name, args] as const,
  ) as Promise<T>;
}

describe.skipIf(CHROMIUM === undefined)('a device in a page', () => {
  let lab: LabServer;
  let pages: PageServer;
  let browser: Browser;
  let page: Page;
  let deviceId: string;

  const loaded = async (): Promise<void> => {
    await page.waitForFunction(() => 'device' in globalThis);
  };
  const told = (): Promise<Told> => call(page, 'state');
  const events = async (name: string): Promise<number> => (await told()).events.filter((event) => event.startsWith(name)).length;

  beforeAll(async () => {
    const { key, certificatePem: cert } = await (await testCa('pages')).issue({ for: 'server' });
    pages = await servePage({ key, cert }, await bundledPage(SCRIPT));
    lab = await startLabServer({ origins: [pages.origin], cost: { N: 16_384, r: 8, p: 1 } });
    const { infrastructure, activation, notification } = lab.connection;
    const pins = await Promise.all([pages.origin.slice('https://'.length), infrastructure, activation, notification].map(pinOf));
    browser = await openChromium([`--ignore-certificate-errors-spki-list=${pins.join(',')}`]);
    page = await (await browser.newContext()).newPage();
    await page.goto(pages.origin);
    await loaded();
  });
  afterAll(async () => {
    await browser?.close();
    await lab?.close();
    await pages?.close();
  });

  it('activates with a password, and is not let in with a wrong one', async () => {
    const user = await lab.admin.createUser({ username: 'alice@example.com' });
    const { password } = await lab.admin.setActivationPassword(user.guid);
    expect(await call<Refusal>(page, 'open')).toBeUndefined();
    const { infrastructure } = lab.connection;
    expect(await call<Refusal>(page, 'activate', 'alice@example.com', 'wrong', infrastructure)).toEqual({ code: 'ERR_REJECTED_CREDENTIALS', step: 'F1.4' });
    expect(await call<Refusal>(page, 'activate', 'alice@example.com', password, infrastructure)).toBeUndefined();
    const { state, deviceId: id, sent } = await told();
    deviceId = id;
    expect([state, lab.admin.device(deviceId).status]).toEqual(['active', 'active']);
    // A7 and everything after it is signed, and goes to the listener for that.
    const done = sent.at(-1);
    expect(done?.fields).toBe('content-type content-digest signature-input signature uemkit-certificate');
    expect(done?.url).not.toContain(lab.connection.devices);
  });

  it('is locked by push', async () => {
    await call(page, 'start');
    await expect.poll(() => lab.admin.device(deviceId).pushToken, { timeout: 15_000 }).toBeDefined();
    await expect.poll(() => events('idle')).toBeGreaterThan(0);
    const { commandId } = await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    await expect.poll(() => lab.admin.command(deviceId, commandId).state, { timeout: 15_000 }).toBe('done');
    expect(await events('wakeup')).toBeGreaterThan(0);
    expect([await events('carried out LOCK_DEVICE'), await call<number>(page, 'locks')]).toEqual([1, 1]);
  });

  it('is locked by poll when the push is lost', async () => {
    lab.faults.add({ kind: 'drop', service: 'wakeUp' });
    const before = await events('wakeup');
    const { commandId } = await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    expect(await call<Refusal>(page, 'poll')).toBeUndefined();
    expect([lab.admin.command(deviceId, commandId).state, await events('wakeup'), await call<number>(page, 'locks')]).toEqual(['done', before, 2]);
    lab.faults.clear();
  });

  it('is the same device after the page was loaded again, with the state that it had', async () => {
    await page.reload();
    await loaded();
    expect(await call<Refusal>(page, 'open')).toBeUndefined();
    expect(await told()).toMatchObject({ state: 'active', deviceId });
    expect(await call<number>(page, 'locks')).toBe(2);
    expect(await call<Refusal>(page, 'poll')).toBeUndefined();
    const tokenBefore = lab.admin.device(deviceId).pushToken;
    await call(page, 'start');
    await expect.poll(() => events('pushopen'), { timeout: 15_000 }).toBe(1);
    expect(lab.admin.device(deviceId).pushToken).toEqual(tokenBefore);
  });

  it('is in one page at a time', async () => {
    const second = await page.context().newPage();
    await second.goto(pages.origin);
    await second.waitForFunction(() => 'device' in globalThis);
    expect(await call<Refusal>(second, 'open')).toEqual({ code: 'ERR_USAGE_STATE' });
    await second.close();
  });

  it('has a key that a script in the page can use but not take away', async () => {
    expect(await call<string>(page, 'steal')).toBe('extractable false: InvalidAccessError');
  });

  it('takes no orders from somebody between it and UEM', async () => {
    await call(page, 'tamper', true);
    await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    expect(await call<Refusal>(page, 'poll')).toEqual({ code: 'ERR_TRANSPORT_TLS', step: 'F5.4' });
    expect([await call<number>(page, 'locks'), (await told()).state]).toEqual([2, 'active']);
    await call(page, 'tamper', false);
    expect(await call<Refusal>(page, 'poll')).toBeUndefined();
    expect(await call<number>(page, 'locks')).toBe(3);
  });

  it('signs anew when the server was started again, and goes on', async () => {
    await lab.restart('uem');
    expect(await call<Refusal>(page, 'poll')).toBeUndefined();
  });

  it('is removed, hears so as a verdict, and destroys its key', async () => {
    await lab.admin.removeDevice(deviceId);
    const refusal = await call<Refusal>(page, 'poll');
    expect(refusal?.code).toBe('ERR_REJECTED_REVOKED');
    await expect.poll(async () => (await told()).state).toBe('revoked');
    await expect.poll(() => events('deactivated revoked')).toBe(1);
    await page.reload();
    await loaded();
    expect(await call<Refusal>(page, 'open')).toBeUndefined();
    expect((await told()).state).toBe('revoked');
  });

  it('cannot be in a page of another origin', async () => {
    const { key, certificatePem: cert } = await (await testCa('pages')).issue({ for: 'server' });
    const other = await servePage({ key, cert }, await bundledPage(SCRIPT));
    const foreign = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    try {
      await foreign.goto(other.origin);
      await foreign.waitForFunction(() => 'device' in globalThis);
      expect(await call<Refusal>(foreign, 'open')).toBeUndefined();
      const refusal = await call<Refusal>(foreign, 'activate', 'alice@example.com', 'x', lab.connection.infrastructure);
      expect(refusal).toEqual({ code: 'ERR_TRANSPORT_CONNECT', step: 'F1.3' });
      expect(lab.journal.entries().at(-1)).toMatchObject({ service: 'infrastructure', answer: '403' });
    } finally {
      await other.close();
    }
  });
});
