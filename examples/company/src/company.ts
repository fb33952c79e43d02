import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ConnectionFile, type LabServerOptions, startLabServer } from '@uemkit/lab-server';
import { type AdminRest, adminRest } from './admin-rest.ts';

/** Who gets an app, and what it may reach. */
export interface Invitation {
  /** Entitlement id of the app. */
  readonly appId: string;
  /** Name of the app. */
  readonly name: string;
  /** Servers of the app, behind the firewall: what UEM tells the app, and all that its connectivity profile lets it reach, through the Proxies. */
  readonly servers: readonly { readonly host: string; readonly port: number }[];
}

/** What the person types, or the app is built with. */
export interface Invited {
  readonly userId: string;
  readonly accessKey: string;
}

/** A lab with a NOC and a Proxy, and its administrator. */
export interface Company {
  /** For `openDynamicsRuntime`: where the NOC is, and how it is known. */
  readonly noc: { readonly address: string; readonly trust: { readonly roots: readonly Uint8Array[]; readonly spkiPins: readonly Uint8Array[] } };
  /** Adds a user with the app, whose connectivity profile leads to its servers and nowhere else, and makes an access key. The same app again: another user of it. */
  invite(invitation: Invitation): Promise<Invited>;
  /** Takes back what was added; a lab of its own ends. */
  close(): Promise<void>;
}

/** The lab of a connection file, or a new one in this process. Ends the program when the lab of the file cannot be used. */
export async function openCompany(target: string | undefined, options: LabServerOptions = {}): Promise<Company> {
  const own = target === undefined ? await startLabServer({ ...options, connectivityNode: true }) : undefined;
  const connection = own?.connection ?? (await readConnection(target as string));
  const rest = adminRest(connection);
  await rest.call('GET', '/info/systeminfo').catch((error: Error) => end(`The lab of ${target} cannot be used (${error.message}).`));
  /** What was added, in that order. */
  const added: string[] = [];
  const applications = new Map<string, string>();
  const add = async (path: string, body: object): Promise<string> => {
    const { guid } = await rest.call('POST', path, body);
    added.push(`${path}/${guid}`);
    return guid;
  };
  return {
    noc: { address: connection.noc, trust: { roots: [new Uint8Array(new X509Certificate(connection.ca).raw)], spkiPins: [] } },
    async invite({ appId, name, servers }) {
      const application = applications.get(appId) ?? (await add('/applications', { applicationId: appId, name, version: '1', platforms: ['ANDROID'] }));
      if (!applications.has(appId) && servers.length > 0) {
        const listed = servers.map((server) => ({ ...server, priority: 1 }));
        await add('/applicationServers', { name, application: { guid: application }, servers: listed });
      }
      applications.set(appId, application);
      const userId = `ada-${Math.floor(Math.random() * 1e9)}@example.com`;
      const user = await add('/users', { username: userId, emailAddress: userId });
      const additionalServers = servers.map(({ host, port }) => ({ server: host, ports: [port], route: 'PROXY' }));
      const profile = await add('/profiles', { kind: 'dynamics-connectivity', name: userId, content: { additionalServers, defaultRoute: 'DENY' } });
      await rest.call('PUT', `/users/${user}/profiles/${profile}`, {});
      await rest.call('PUT', `/users/${user}/applications/${application}`, { disposition: 'OPTIONAL' });
      const { accessKey } = await rest.call('POST', `/users/${user}/accessKeys`, {});
      return { userId, accessKey: accessKey as string };
    },
    async close() {
      // A user goes before what is assigned to him, and a server before its application.
      if (own === undefined) await takeBack(rest, added);
      await rest.close();
      await own?.close();
    },
  };
}

async function readConnection(target: string): Promise<ConnectionFile> {
  return JSON.parse(await readFile(target, 'utf8').catch(() => end(`${target} cannot be read.`)));
}

function end(words: string): never {
  console.error(`${words} Start a lab first: npx -y pnpm@10.34.9 lab-server start --data .lab`);
  process.exit(2);
}

async function takeBack(rest: AdminRest, added: readonly string[]): Promise<void> {
  const ORDER = ['/users/', '/profiles/', '/applicationServers/', '/applications/'];
  for (const kind of ORDER) for (const path of added) if (path.startsWith(kind)) await rest.call('DELETE', path);
}
