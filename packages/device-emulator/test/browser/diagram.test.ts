import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@uemkit/protocol/node';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, complaintsOf, openChromium } from '../../../../scripts/lib/chromium.ts';
import { makeDiagram } from '../../src/diagram/diagram.ts';
import { toPage } from '../../src/diagram/page.ts';
import { readTrace } from '../../src/diagram/read-trace.ts';
import { toSvg } from '../../src/diagram/svg.ts';
import type { TraceLine } from '../../src/trace/trace-line.ts';

const missing = CHROMIUM === undefined;

it('has Chromium as a referee (required in CI)', () => {
  if (missing) process.stderr.write('\n*** Chromium is not installed: pictures are NOT looked at ***\n\n');
  expect(missing && process.env.CI !== undefined && process.env.CI !== '').toBe(false);
});

const HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'&\u202eevil\u0000';
const ACTORS = ['user', 'app', 'device', 'notification', 'infrastructure', 'noc', 'uem', 'administrator'];
/** Where the pictures of a run are put for who wants to look at them. */
const SCREENSHOTS = process.env.UEMKIT_SCREENSHOTS;

function line(atMs: number, fields: Partial<TraceLine>): TraceLine {
  return { time: new Date(Date.UTC(2026, 0, 1) + atMs).toISOString(), device: 1, from: 'device', to: 'uem', message: 'poll', ...fields };
}

/** Every way between two parts, with names that fit, that just fit, and that never fit; every kind of trouble; hostile texts. */
function everything(): readonly TraceLine[] {
  const lines: TraceLine[] = [];
  const steps = ['F1.1', 'F1.4', 'F5.2', 'F5.4', undefined];
  for (const [at, from] of ACTORS.entries())
    for (const [place, to] of ACTORS.entries())
      for (const message of ['poll', 'activationShareReplyOfUem', 'm'.repeat(300)])
        lines.push(
          line(lines.length * 700_000, { from, to, message, step: steps[(at + place) % steps.length], bytes: 123_456_789, body: { reason: 'r'.repeat(60) } }),
        );
  for (const trouble of ['lost', 'refused', 'failed', 'retry', 'fault'] as const)
    for (const to of ['uem', 'device', 'notification'])
      lines.push(line(lines.length * 700_000, { trouble, to, step: 'F5.5', reason: `ERR_TRANSPORT_TIMEOUT: ${trouble}` }));
  lines.push(
    line(lines.length * 700_000, { message: HOSTILE, step: HOSTILE, reason: HOSTILE, answer: HOSTILE, trouble: 'failed', body: { [HOSTILE]: HOSTILE } }),
  );
  lines.push(line(lines.length * 700_000, { message: 'afterwards', device: 2_147_483_647, step: 'F5.6' }));
  return lines;
}

/** Texts of the page that lie on each other or outside of it; the file runs in the page. */
const OVERLAPS = readFileSync(new URL('./overlaps-in-page.js', import.meta.url), 'utf8').replace(/;\s*$/, '');

describe.skipIf(missing)('a picture in a real Chromium', { timeout: 120_000 }, () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'diagram-browser-'));
    browser = await openChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function drawn(lines: readonly TraceLine[], maxMessages?: number) {
    const trace = join(folder, 'trace.ndjson');
    writeFileSync(trace, `${lines.map((one) => JSON.stringify(one)).join('\n')}\nrubbish\n`);
    return makeDiagram(await readTrace({ trace, crypto: nodeCrypto(), maxMessages }), { title: `trace.ndjson ${HOSTILE}` });
  }

  async function opened(
    html: string,
    options: Parameters<Browser['newPage']>[0] = {},
  ): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const file = join(folder, 'picture.html');
    writeFileSync(file, html);
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 }, ...options });
    const complaints = complaintsOf(page);
    page.on('dialog', () => expect.unreachable('a script of the trace ran'));
    await page.goto(`file://${file}`);
    return { page, complaints };
  }

  async function shot(page: Page, name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  it('is the one in docs/flows: all steps of F1 and F5, nothing from elsewhere, no two texts on each other, bodies on click', async () => {
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    const complaints = complaintsOf(page);
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(request.url()));
    const url = new URL('../../../../docs/flows/one-device.html', import.meta.url).href;
    await page.goto(url);
    const steps = (await page.evaluate("[...document.querySelectorAll('details')].map((row) => row.dataset.s)")) as string[];
    const flowSteps = ['F1.1', 'F1.2', 'F1.3', 'F1.4', 'F1.5', 'F5.1', 'F5.2', 'F5.3', 'F5.4', 'F5.5', 'F5.6'];
    expect(flowSteps.filter((step) => !steps.includes(step))).toEqual([]);
    const command = page.locator('details[data-s="F5.4"]', { hasText: 'command' }).first();
    expect(await command.locator('pre').isVisible()).toBe(false);
    await command.locator('summary').click();
    expect(await command.locator('pre').textContent()).toContain('LOCK_DEVICE');
    expect(await page.evaluate(`(${OVERLAPS})('.time, .dev, .size, .label, h2 > *', 150)`)).toEqual([]);
    expect([asked, complaints]).toEqual([[url], []]);
    await page.close();
  });

  it('says nothing in the console, shows a decoded body on click, and runs nothing from the trace', async () => {
    const { page, complaints } = await opened(toPage(await drawn(everything())));
    const row = page.locator('details', { hasText: 'afterwards' });
    const hostile = page.locator('details[data-t=failed]').last();
    await hostile.locator('summary').click();
    await expect.poll(() => hostile.locator('pre').isVisible()).toBe(true);
    expect(await hostile.locator('pre').textContent()).toContain('<script>alert(1)</script>');
    expect(await hostile.locator('.label').textContent()).toContain('\\u202eevil\\u0000');
    await shot(page, 'hostile');
    await row.locator('summary').click();
    expect(await row.locator('dl').textContent()).toContain('2147483647');
    expect(await page.locator('.notes').textContent()).toContain('cannot be read');
    // The whole name of a label that is cut is in its title.
    expect(await page.locator('summary', { hasText: 'mmm' }).first().getAttribute('title')).toContain('m'.repeat(300));
    expect(await page.locator('script, img, iframe, object').count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(['light', 'dark'] as const)('lets no two texts overlap (%s)', async (colorScheme) => {
    const { page, complaints } = await opened(toPage(await drawn(everything())), { colorScheme });
    expect(await page.evaluate(`(${OVERLAPS})('.time, .dev, .size, .label, h2 > *')`)).toEqual([]);
    await shot(page, `everything-${colorScheme}`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('filters by step, trouble, device and words, and can be used without a mouse', async () => {
    const { page, complaints } = await opened(toPage(await drawn(everything())));
    const count = page.locator('#count');
    const all = await count.textContent();
    await page.selectOption('#step', 'F5');
    await expect.poll(() => count.textContent()).toMatch(/^\d+ of \d+ messages$/);
    const shown = await page.evaluate("[...document.querySelectorAll('details:not([hidden])')].map((row) => row.dataset.s.slice(0, 3))");
    expect(new Set(shown as string[])).toEqual(new Set(['F5.']));
    expect(await page.locator('section:not([hidden])').count()).toBeLessThan(await page.locator('section').count());
    await page.check('#trouble');
    expect(await page.locator('details:not([hidden])').count()).toBe(15);
    await page.selectOption('#device', '2147483647');
    expect(await page.locator('details:not([hidden])').count()).toBe(0);
    await page.uncheck('#trouble');
    await page.selectOption('#device', '');
    await page.selectOption('#step', '');
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.keyboard.type('AFTERWARDS');
    await expect.poll(() => count.textContent()).toMatch(/^1 of /);
    await page.keyboard.press('Escape');
    await expect.poll(() => count.textContent()).toBe(all);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    expect(await page.locator('details[open]').getAttribute('id')).toBe('m1');
    await page.click('#unfold');
    expect(await page.locator('details[open]').count()).toBe(await page.locator('details').count());
    const before = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.click('#theme');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).not.toBe(before);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is readable without its script, and prints every message', async () => {
    const { page } = await opened(toPage(await drawn(everything())), { javaScriptEnabled: false });
    const row = page.locator('details').nth(3);
    await row.locator('summary').click();
    expect(await row.locator('pre').isVisible()).toBe(true);
    expect(await page.locator('.tools').isVisible()).toBe(false);
    await page.emulateMedia({ media: 'print' });
    expect((await page.pdf({ preferCSSPageSize: true })).length).toBeGreaterThan(20_000);
    await page.close();
  });

  it('lays out only what is in view of five thousand messages', async () => {
    const lines = Array.from({ length: 6_000 }, (_, at) => line(at, { step: `F5.${3 + (Math.floor(at / 7) % 4)}`, body: { reason: 'schedule', at } }));
    const { page, complaints } = await opened(toPage(await drawn(lines)));
    expect(await page.locator('details').count()).toBe(5_000);
    const rendered = () =>
      page.evaluate("[...document.querySelectorAll('summary')].filter((one) => one.checkVisibility({ contentVisibilityAuto: true })).length");
    expect(await rendered()).toBeLessThan(1_000);
    await page.locator('#m4990 summary').scrollIntoViewIfNeeded();
    await page.locator('#m4990 summary').click();
    expect(await page.locator('#m4990 pre').isVisible()).toBe(true);
    expect(await rendered()).toBeLessThan(1_000);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is well formed as SVG, and no label leaves its place there either', async () => {
    const svg = toSvg(await drawn(everything()));
    const { page, complaints } = await opened('<!doctype html><title>host</title>');
    const parse = `(source) => {
      const parsed = new DOMParser().parseFromString(source, 'image/svg+xml');
      document.body.append(document.importNode(parsed.documentElement, true));
      return parsed.querySelector('parsererror')?.textContent ?? 'well formed';
    }`;
    expect(await page.evaluate(`(${parse})(${JSON.stringify(svg)})`)).toBe('well formed');
    const found = await page.evaluate(`(${OVERLAPS})('svg text')`);
    expect(found).toEqual([]);
    await shot(page, 'svg');
    expect(complaints).toEqual([]);
    await page.close();
  });
});
