import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian (package `chromium`) and others put it; nothing is ever downloaded. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Program of a real Chromium; undefined where there is none. A test file begins with a check that fails when this is undefined in CI, so that a missing
 * browser is never a skipped test unseen (`packages/device-emulator/test/browser` shows how).
 */
export const CHROMIUM: string | undefined = PLACES.find((path) => existsSync(path));

/** Starts a headless Chromium that reaches loopback and nothing else. `args` are further switches of its command line. */
export function openChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM ?? 'chromium',
    args: [
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      '--disable-dev-shm-usage',
      // Chromium has no sandbox for root, and containers often run as root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...args,
    ],
  });
}

/** Collects what a page must not do: errors and warnings in the console, uncaught errors, requests that fail. Grows while the page runs. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => void complaints.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => void complaints.push(`failed: ${request.url()}`));
  return complaints;
}
