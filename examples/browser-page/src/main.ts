import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { companyCertificates, openCompany } from '@uemkit/example-company';
import { believing, CHROMIUM, visitorOf } from './browser.ts';
import { servePage } from './page-server.ts';

const say = console.log;
const { open, port: pagePort, target } = commandLine();
if (CHROMIUM === undefined && process.env['CI'] !== undefined) {
  console.error('This example needs Chromium in CI. Debian: apt-get install chromium');
  process.exit(1);
}

// TLS inside of a connection is what a page has not: the last piece, from the Proxy to the wiki, is plain HTTP in the company's own network.
const wiki = createServer((_request, response) => response.end('Canteen: open from 11:30 to 14:00.'));
await once(wiki.listen(0, '127.0.0.1'), 'listening');
const page = await servePage(await (await companyCertificates()).issue('localhost'), pagePort);
// The NOC lets pages of this origin in, and links without channel binding, which a page cannot have.
const company = await openCompany(target, { origins: [page.origin], allowUnboundLinks: true });
page.tell(company.noc.address);
try {
  const { port } = wiki.address() as AddressInfo;
  const invited = await company.invite({ appId: 'com.example.page', name: 'Page', servers: [{ host: 'localhost', port }] });
  const trust = await believing(new URL(page.origin).host, company.noc.address);
  say(`The app is a page at ${page.origin}, with a script of ${page.scriptKib} KiB`);
  if (CHROMIUM === undefined || open) await forSomebody(invited, trust);
  else await headless(invited, trust);
} catch (error) {
  console.error('It did not work:', error);
  process.exitCode = 1;
} finally {
  await company.close();
  page.close();
  wiki.close();
}

function commandLine(): { readonly open: boolean; readonly port: number; readonly target: string | undefined } {
  const options = { open: { type: 'boolean', default: false }, port: { type: 'string', default: '0' }, target: { type: 'string' } } as const;
  try {
    const { open, port, target } = parseArgs({ options }).values;
    return { open, port: Number(port), target };
  } catch (error) {
    console.error(`${(error as Error).message}\nexample:browser-page [--open] [--target FILE --port PORT]   a page activates itself as an app, and reads a wiki behind the firewall

  --open          the page stays, for a browser of yours
  --target FILE   connection file of a lab that runs with --allow-unbound-links --allow-origin https://localhost:PORT; unless set, a lab of its own
  --port PORT     of the page; any unless set`);
    process.exit(2);
  }
}

/** Somebody looks at the page in a browser. */
async function forSomebody({ userId, accessKey }: { readonly userId: string; readonly accessKey: string }, trust: string): Promise<void> {
  say(`${CHROMIUM === undefined ? 'There is no Chromium here. ' : ''}Open it in a browser that believes its servers, for example:`);
  say(`  chromium --user-data-dir="$(mktemp -d)" '${trust}' ${page.origin}`);
  say(`  User        ${userId}\n  Access key  ${accessKey}\n  Password    of your own, with 8 letters and digits or more`);
  say('Ctrl-C ends it.');
  await once(process, 'SIGINT');
}

/** Chromium without a window, as somebody would use it. */
async function headless(invited: { readonly userId: string; readonly accessKey: string }, trust: string): Promise<void> {
  const visitor = await visitorOf(page.origin, trust);
  try {
    say('In Chromium somebody types user, access key and a password; the page says:');
    const first = await visitor.visit({ ...invited, password: 'correct horse 7' });
    say(first.replace(/^/gm, '  | '));
    say('The page is loaded anew, as on another day; now the password is enough:');
    const second = await visitor.visit({ password: 'correct horse 7' });
    say(second.replace(/^/gm, '  | '));
    if (!first.includes('infrastructureActivation') || !first.includes('200 Canteen')) throw new Error('the page did not do what it should');
    if (second.includes('infrastructureActivation') || !second.includes('counts visit 2')) throw new Error('the page did not go on where it was');
    say('Done. With --open the page stays, for a browser of yours.');
  } finally {
    await visitor.leave();
  }
}
