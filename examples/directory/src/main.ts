import type { NodeDynamicsRuntime } from '@uemkit/dynamics-sdk/node';
import { commandLine, companyCertificates, installApp, openCompany } from '@uemkit/example-company';
import { Client, InvalidCredentialsError } from 'ldapts';
import { lendPort } from './lent-port.ts';
import { PEOPLE, READER, SLAPD, SUFFIX, startSlapd } from './slapd.ts';

const APP_ID = 'com.example.directory';
const say = console.log;
const { target } = commandLine("example:directory [--target FILE]   an app asks the company's LDAP directory, a real slapd, behind the firewall");
if (SLAPD === undefined) {
  console.error('SKIPPED: this example needs OpenLDAP as a real directory. Debian: apt-get install slapd');
  process.exit(process.env['CI'] === undefined ? 0 : 1);
}

const company = await openCompany(target);
const certificates = await companyCertificates();
// The Proxy looks the name up, inside of the company; here it is one that every machine knows.
const host = 'localhost';
const slapd = await startSlapd(await certificates.issue(host));
const app = await installApp(company, { appId: APP_ID, ca: certificates.ca });
try {
  await app.activate(await company.invite({ appId: APP_ID, name: 'Directory', servers: [{ host, port: slapd.port }] }));
  say('Ada has the app, which may reach the directory of the company through the Proxy');
  await ask(app.runtime);
} catch (error) {
  console.error('It did not work:', error);
  process.exitCode = 1;
} finally {
  await app.uninstall();
  await company.close();
  await slapd.close();
}

async function ask(runtime: NodeDynamicsRuntime): Promise<void> {
  const client = await directory(runtime, certificates.ca);
  await client.bind(READER.dn, READER.password);
  say('Bound over TLS; the certificate of the directory was checked by the app itself, neither NOC nor Proxy sees the password');
  const { searchEntries } = await client.search(SUFFIX, { filter: '(mail=p7@example.com)', attributes: ['cn', 'telephoneNumber'] });
  say(`Who is p7@example.com?   ${searchEntries.map(({ cn, telephoneNumber }) => `${cn}, ${telephoneNumber}`)}`);
  let [pages, found] = [0, 0];
  for await (const page of client.searchPaginated(SUFFIX, { filter: '(objectClass=inetOrgPerson)', attributes: ['cn'], paged: { pageSize: 100 } })) {
    [pages, found] = [pages + 1, found + page.searchEntries.length];
  }
  say(`Everybody, page by page: ${found} people in ${pages} pages`);
  await client.unbind();
  if (searchEntries.length !== 1 || found !== PEOPLE) throw new Error('the directory did not answer as it should');

  const wrong = await (await directory(runtime, certificates.ca)).bind(READER.dn, 'wrong').catch((error) => error);
  say(`With a wrong password:   ${wrong.name}`);
  if (!(wrong instanceof InvalidCredentialsError)) throw wrong;
  const stranger = await (await directory(runtime, (await companyCertificates()).ca)).bind(READER.dn, READER.password).catch((error) => error);
  say(`With another authority:  ${stranger.code}`);
  if (stranger.code !== 'CERT_SIGNATURE_FAILURE') throw stranger;
  say('Done.');
}

/** A client of ldapts for one connection of the app. */
async function directory(runtime: NodeDynamicsRuntime, ca: string): Promise<Client> {
  const port = await lendPort(await runtime.connect({ host, port: slapd.port }));
  return new Client({ url: `ldaps://127.0.0.1:${port}`, tlsOptions: { ca, servername: host }, timeout: 30_000 });
}
