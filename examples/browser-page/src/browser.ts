import { createHash, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect } from 'node:tls';
import { chromium } from 'playwright-core';

/** A Chromium of the system; nothing is downloaded. Undefined where there is none. */
export const CHROMIUM: string | undefined = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Switch by which a Chromium believes these servers and no more: hashes of their keys. Authorities of a lab are in no browser. */
export async function believing(...addresses: readonly string[]): Promise<string> {
  return `--ignore-certificate-errors-spki-list=${(await Promise.all(addresses.map(pinOf))).join(',')}`;
}

function pinOf(address: string): Promise<string> {
  const { hostname, port } = new URL(`https://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), servername: 'localhost', rejectUnauthorized: false }, () => {
      const spki = new X509Certificate(socket.getPeerCertificate().raw).publicKey.export({ type: 'spki', format: 'der' });
      socket.destroy();
      resolve(createHash('sha256').update(spki).digest('base64'));
    });
    socket.on('error', reject);
  });
}

/** A person with a browser: types into the form, reads the page, and comes back another time. */
export interface Visitor {
  /** @returns what the page says until it is done */
  visit(typed: { readonly userId?: string; readonly accessKey?: string; readonly password: string }): Promise<string>;
  leave(): Promise<void>;
}

export async function visitorOf(origin: string, trust: string): Promise<Visitor> {
  // Chromium has no sandbox for root, and containers often run as root.
  const args = [trust, '--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  const browser = await chromium.launch({ executablePath: CHROMIUM as string, args });
  const page = await browser.newPage();
  return {
    async visit(typed) {
      await page.goto(origin);
      await page.locator('form').waitFor({ state: 'visible' });
      for (const [name, text] of Object.entries(typed)) await page.fill(`input[name=${name}]`, text);
      await page.click('button');
      await page.getByText(/^(Done\.|It did not work)/m).waitFor();
      return (await page.locator('pre').textContent())?.trim() ?? '';
    },
    leave: () => browser.close(),
  };
}
