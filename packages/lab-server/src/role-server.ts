import type { Clock, CryptoProvider, Entropy } from '@uemkit/protocol';
import { ProtocolError } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type ConnectionFile, writeConnectionFile } from './data/connection-file.ts';
import { addressOf, type ListenerName, placeOf } from './data/lab-addresses.ts';
import type { RoleFile } from './data/role-file.ts';
import { createFaults } from './faults/faults.ts';
import { createInfrastructureHost, createNotificationHost, openPush, providerOrigin, providersOf } from './host/cloud-hosts.ts';
import { deferred } from './host/deferred.ts';
import { labEnvironment } from './host/lab-core.ts';
import type { LabEnvironment } from './host/lab-environment.ts';
import { createNocHost } from './host/noc-host.ts';
import { listenersOf, openListeners } from './host/open-listeners.ts';
import { providerRequests } from './host/provider-requests.ts';
import type { RoleHost } from './host/role-host.ts';
import { createUemHost } from './host/uem-host.ts';
import { createRingJournal, type RingJournal } from './journal/journal.ts';
import { connectionFilePath, connectionOf, statePath } from './lab-server.ts';
import { type ConnectivityNode, DIRECT_CONNECT_PORT, startConnectivityNode } from './node/connectivity-node.ts';
import { openCoreStream } from './node/core-upgrade.ts';
import { breakOnRestart, type ListeningRole } from './node/lab-listeners.ts';
import { providerClient } from './node/provider-client.ts';
import { type MutualTlsLink, mutualTlsLink } from './node/role-link.ts';
import type { Role, RoleName, StoredRole } from './roles/role.ts';
import type { MailSettingsRecord } from './state/mail-settings.ts';
import type { LabStore } from './store/lab-store.ts';
import { openLmdbStore } from './store/lmdb-store.ts';

export interface RoleServerOptions {
  /** Connectivity Node alone: port of Direct Connect, by default 17,533; 0: any. */
  readonly directPort?: number | undefined;
  /** Who the role is and where the others are (`lab-server init` writes one file for each role). */
  readonly file: RoleFile;
  /** Data folder of this role. */
  readonly folder: string;
  /** Origins whose pages may be devices of this lab; none unless set. */
  readonly origins?: readonly string[] | undefined;
  /** Where mails go, from this start on; for UEM. Absent: as it was set last. */
  readonly mail?: MailSettingsRecord | undefined;
  readonly clock?: Clock | undefined;
  readonly crypto?: CryptoProvider | undefined;
  readonly entropy?: Entropy | undefined;
}

/** One role with its listeners. */
export interface RoleServer {
  readonly role: RoleName;
  readonly addresses: Readonly<Partial<Record<ListenerName, string>>>;
  readonly journal: RingJournal;
  /** UEM alone. */
  readonly connection?: ConnectionFile | undefined;
  close(): Promise<void>;
}

/** A role that runs, and how it ends. */
interface Running {
  readonly host: RoleHost<Role>;
  readonly listening: ListeningRole;
  end(): void | Promise<void>;
}

/**
 * Starts one role alone; it talks to the other roles over mutual TLS.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when one of its ports is taken, `ERR_STORE_WRITE`, `ERR_USAGE_STATE` when another process has the folder
 */
export async function startRoleServer(options: RoleServerOptions): Promise<RoleServer> {
  const { file, folder, origins, mail, clock = systemClock(), crypto = nodeCrypto(), entropy = nodeEntropy() } = options;
  const { role } = file;
  if (role === 'connectivity-node') return startNode(options);
  const journal = createRingJournal();
  const environment = labEnvironment({ clock, crypto, entropy, journal, faults: createFaults(), root: file.root });
  const started = deferred<ListeningRole>();
  const store = openLmdbStore({ directory: statePath(folder, role) });
  const links: MutualTlsLink[] = [];
  const link = (to: RoleName, listener: ListenerName): MutualTlsLink => {
    const { key, certificate, root, place } = file;
    const made = mutualTlsLink({ address: addressOf(place, listener), role: to, key, certificate, root });
    links.push(made);
    return made;
  };

  let listeners: Awaited<ReturnType<typeof openListeners>> | undefined;
  try {
    const names = listenersOf(role);
    // The other roles know the ports: another one would not be found.
    listeners = await openListeners({ environment, names, file: () => file, role: () => started.promise, origins, taken: 'fail' });
    const running = await start(environment, { role, file, store, link, mail });
    breakOnRestart(running.host, [...listeners.servers.values()]);
    started.resolve(running.listening);
    const connection = role === 'uem' ? connectionOf({ uem: file }) : undefined;
    if (connection !== undefined) writeConnectionFile(connectionFilePath(folder), connection);
    const opened = listeners;
    return {
      role,
      addresses: Object.fromEntries(names.map((name) => [name, addressOf(file.place, name)])),
      journal,
      connection,
      async close() {
        await running.end();
        await opened.close();
        for (const one of links) one.close();
        await store.close();
      },
    };
  } catch (error) {
    started.reject(error);
    await listeners?.close();
    for (const one of links) one.close();
    await store.close();
    throw error;
  }
}

/** The Connectivity Node alone: no store, listeners for Direct Connect and application servers, two ways out. */
async function startNode({
  file,
  clock = systemClock(),
  crypto = nodeCrypto(),
  entropy = nodeEntropy(),
  directPort = DIRECT_CONNECT_PORT,
}: RoleServerOptions): Promise<RoleServer> {
  const journal = createRingJournal();
  const environment = labEnvironment({ clock, crypto, entropy, journal, faults: createFaults(), root: file.root });
  const { key, certificate, root, place } = file;
  const started = deferred<ListeningRole>();
  const names = listenersOf('connectivity-node');
  const listeners = await openListeners({ environment, names, file: () => file, role: () => started.promise, taken: 'fail' });
  const uem = mutualTlsLink({ address: addressOf(place, 'uemLink'), role: 'uem', key, certificate, root });
  const nocLink = mutualTlsLink({ address: addressOf(place, 'nocLink'), role: 'noc', key, certificate, root });
  const noc = { host: placeOf(place, 'noc').advertise, port: place.ports.nodes };
  let node: ConnectivityNode;
  try {
    node = startConnectivityNode({ ...environment, file, uem, nocLink, noc, directPort });
  } catch (error) {
    started.reject(error);
    for (const link of [uem, nocLink]) link.close();
    await listeners.close();
    throw error;
  }
  started.resolve({ name: 'connectivity-node', exchange: async () => ({ status: 'failed' }), proxyServices: node.services });
  return {
    role: 'connectivity-node',
    addresses: Object.fromEntries(names.map((name) => [name, addressOf(listeners.place, name)])),
    journal,
    async close() {
      node.close();
      await listeners.close();
      for (const link of [uem, nocLink]) link.close();
    },
  };
}

interface StartOptions {
  readonly role: StoredRole;
  readonly file: RoleFile;
  readonly store: LabStore;
  readonly mail: MailSettingsRecord | undefined;
  link(to: RoleName, listener: ListenerName): MutualTlsLink;
}

async function start(environment: LabEnvironment, { role: name, file, store, link, mail }: StartOptions): Promise<Running> {
  switch (name) {
    case 'infrastructure': {
      if (file.pushCredentials === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of the Infrastructure has no push credentials');
      const { key, certificate } = file.pushCredentials.apns;
      const provider = providerClient({ origin: providerOrigin(file), root: file.root, key, certificate });
      const host = await createInfrastructureHost(environment, { store, file, provider });
      return { host, listening: { name, exchange: (request) => host.exchange(request) }, end: () => provider.close() };
    }
    case 'notification': {
      const host = await createNotificationHost(environment, { store, file });
      const listening: ListeningRole = {
        name,
        exchange: (request) => host.exchange(request),
        connect: (socket, source) => openPush(host, socket, source),
        providers: providersOf(host, providerRequests(host, environment.clock)),
      };
      return { host, listening, end: () => host.role.close() };
    }
    case 'noc': {
      const noc = await createNocHost(environment, {
        store,
        file,
        uem: link('uem', 'uemLink'),
        openCore: () => openCoreStream({ ...file, address: addressOf(file.place, 'uemLink'), role: 'uem' }),
      });
      const { host } = noc;
      const listening: ListeningRole = {
        name,
        exchange: (request) => host.exchange(request),
        connectApp: (socket, source) => noc.connect(socket, source),
        dataPath: noc.dataPath,
      };
      return { host, listening, end: () => noc.breakConnections() };
    }
    case 'uem': {
      if (file.uem === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of UEM has no secrets');
      const uem = await createUemHost(environment, {
        store,
        file,
        secrets: file.uem,
        infrastructure: link('infrastructure', 'infrastructureLink'),
        noc: link('noc', 'nocLink'),
        mail: { settings: mail },
      });
      const listening: ListeningRole = {
        name,
        exchange: (request) => uem.host.exchange(request),
        rest: (request) => uem.rest(request),
        connectCore: uem.connectApp,
      };
      return { host: uem.host, listening, end: () => uem.close() };
    }
  }
}
