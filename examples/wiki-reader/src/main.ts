import { commandLine, companyCertificates, installApp, openCompany } from '@uemkit/example-company';
import { isProtocolError } from '@uemkit/protocol';
import { startWiki } from './wiki.ts';

const APP_ID = 'com.example.wiki-reader';
const say = console.log;
const { target } = commandLine("example:wiki-reader [--target FILE]   an app reads the company's wiki, behind the firewall, with fetch");

const company = await openCompany(target);
const certificates = await companyCertificates();
// The Proxy looks the name up, inside of the company; here it is one that every machine knows.
const host = 'localhost';
const wiki = await startWiki(await certificates.issue(host));
const app = await installApp(company, { appId: APP_ID, ca: certificates.ca });
try {
  say('The administrator adds Ada with the app, and lets it reach the wiki through the Proxy, and nothing else');
  const { userId, accessKey } = await company.invite({ appId: APP_ID, name: 'Wiki', servers: [{ host, port: wiki.port }] });
  await app.activate({ userId, accessKey });
  say('Ada types the access key of the mail and a password: the app is activated');
  await read();
} catch (error) {
  console.error('It did not work:', error);
  process.exitCode = 1;
} finally {
  await app.uninstall();
  await company.close();
  wiki.close();
}

async function read(): Promise<void> {
  const { runtime } = app;
  const [{ server, port } = { server: '', port: 0 }] = runtime.serversInOrder();
  const site = `https://${server}:${port}`;
  say(`UEM has told the app where its server is: ${site}`);

  const closed = await runtime.fetch(`${site}/pages/canteen`);
  say(`GET /pages/canteen          ${closed.status} ${await closed.text()}`);

  const form = new URLSearchParams({ name: 'ada', password: 'swordfish' });
  const page = await runtime.fetch(`${site}/login`, { method: 'POST', body: form });
  say(`POST /login                 ${page.status} ${await page.text()}`);
  say(`                            by a redirect to ${new URL(page.url).pathname}; the cookie is in the encrypted container`);

  const search = await runtime.fetch(`${site}/search`, { method: 'POST', body: JSON.stringify({ words: 'holidays' }) });
  const { found } = (await search.json()) as { readonly found: readonly string[] };
  say(`POST /search "holidays"     ${search.status} ${found.join(', ')}`);

  const attachment = await runtime.fetch(`${site}/attachments/floor-plan`);
  let [bytes, parts] = [0, 0];
  for await (const part of attachment.body ?? []) [bytes, parts] = [bytes + part.length, parts + 1];
  say(`GET /attachments/floor-plan ${attachment.status} ${bytes / 1_048_576} MiB, streamed in ${parts} parts`);
  if (closed.status !== 401 || page.status !== 200 || found.length !== 2 || bytes !== 32 * 1_048_576) throw new Error('the wiki did not answer as it should');

  await refused('a server that the profile does not name', () => runtime.fetch('https://payroll.example.com/'), 'ERR_CONNECTION_DENIED');
  await refused('another port of the same host, 443', () => runtime.fetch(`https://${server}/`), 'ERR_CONNECTION_DENIED');
  say('Done: the NOC has passed all of this on, and could read none of it.');
}

/** What must not work, and how the app learns why. */
async function refused(what: string, attempt: () => Promise<unknown>, code: string): Promise<void> {
  const error = await attempt().then(
    () => new Error(`${what} was reached`),
    (reason) => reason,
  );
  if (!isProtocolError(error) || error.code !== code) throw error;
  say(`Refused: ${what}\n                            ${error.code}: ${error.message}`);
}
