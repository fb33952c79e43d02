import { join } from 'node:path';
import { type Clock, type CryptoProvider, type Entropy, ProtocolError, type ScryptCost } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import type { Administration } from './admin/administration.ts';
import type { ConnectionFile } from './data/connection-file.ts';
import { writeConnectionFile } from './data/connection-file.ts';
import { ANY_PORTS, addressOf, hostAndPort, type LabPlace, type ListenerName, placeOf, ROLE_OF_LISTENER } from './data/lab-addresses.ts';
import { pickPorts } from './data/pick-ports.ts';
import { makeRoleFiles, movedTo, type RoleFile, type RoleFiles, readRoleFiles, writeRoleFiles } from './data/role-file.ts';
import { createFaults, type Faults } from './faults/faults.ts';
import { openPush, providerOrigin, providersOf } from './host/cloud-hosts.ts';
import { deferred } from './host/deferred.ts';
import { nocBehind } from './host/intercepted-noc.ts';
import type { Interceptor } from './host/interceptor.ts';
import { createLabCore, type LabCore, labEnvironment } from './host/lab-core.ts';
import { openListeners } from './host/open-listeners.ts';
import type { HostAnswer } from './host/role-host.ts';
import { createRingJournal, type RingJournal } from './journal/journal.ts';
import type { ConnectivityNode } from './node/connectivity-node.ts';
import { breakOnRestart, type ListeningRole } from './node/lab-listeners.ts';
import type { ListenerLimits } from './node/limits.ts';
import { type ProviderClient, providerClient } from './node/provider-client.ts';
import type { PushCredentials } from './roles/infrastructure/push/push-credentials.ts';
import type { PushAccounts } from './roles/notification/push-accounts.ts';
import type { PushLimits } from './roles/notification/push-limits.ts';
import type { PushConnection, PushSocket } from './roles/notification/push-session.ts';
import type { RoleName, RoleRequest, StoredRole } from './roles/role.ts';
import type { MailSettingsRecord } from './state/mail-settings.ts';
import type { ActivationProfileRecord } from './state/profiles.ts';
import type { LabStore } from './store/lab-store.ts';
import { openLmdbStore } from './store/lmdb-store.ts';
import { MemoryStore } from './store/memory-store.ts';

/** Ports and parts of a lab; everything has a default. */
export interface LabServerOptions {
  /** Data folder: state, identities, ports and the connection file; made when it is missing. Absent: everything is in memory and gone at the end. */
  readonly folder?: string | undefined;
  /** Address to bind for a new lab; loopback unless set. */
  readonly host?: string | undefined;
  /** Name or address that devices dial, for a new lab; the host unless set. */
  readonly advertise?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly crypto?: CryptoProvider | undefined;
  readonly entropy?: Entropy | undefined;
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** Origins whose pages may be devices of this lab, for example `https://app.example`; none unless set. */
  readonly origins?: readonly string[] | undefined;
  readonly push?: Partial<PushLimits> | undefined;
  /** Senders of your own at the notification services, beside the tenant. */
  readonly pushAccounts?: Partial<PushAccounts> | undefined;
  /** For a new lab: cost of guessing an activation password, and changes of the default activation profile. */
  readonly cost?: ScryptCost | undefined;
  readonly profile?: Partial<ActivationProfileRecord> | undefined;
  /** Stores of the embedder in place of those in `folder`; the lab closes them. */
  readonly stores?: Readonly<Record<StoredRole, LabStore>> | undefined;
  /** For tests of what talks to a server that breaks a rule. */
  readonly interceptor?: Interceptor | undefined;
  /** Where mails go, from this start on; absent: as it was set last, and for a new lab the inbox of the lab itself. */
  readonly mail?: MailSettingsRecord | undefined;
  /** True: a Connectivity Node with a Proxy runs too; it dials the NOC over TLS (F10.3). */
  readonly connectivityNode?: boolean | undefined;
  /** True: apps in pages, which have no channel binding, may have a link (docs/protocol/12). */
  readonly allowUnboundLinks?: boolean | undefined;
  /** A remembered port was taken by somebody else. */
  portMoved?(listener: ListenerName, from: number, to: number): void;
}

/** A lab with real listeners, all roles in this process. */
export interface LabServer {
  readonly connection: ConnectionFile;
  readonly admin: Administration;
  readonly faults: Faults;
  readonly journal: RingJournal;
  /** Open push connections. */
  readonly pushConnections: number;
  /** For senders of your own: the provider APIs of APNs, FCM, WNS and BlackBerry 10, and what the tenant sends with there. Secret. */
  readonly providers: { readonly origin: string; readonly credentials: PushCredentials };
  /** The Connectivity Node, when there is one. */
  readonly connectivityNode: ConnectivityNode | undefined;
  /** Starts a role again from its store; its connections break. */
  restart(role: RoleName): Promise<void>;
  close(): Promise<void>;
}

/** Listeners of a lab in one process: its roles talk to each other in memory, but wake-ups go through the provider APIs as those of anybody. */
const NAMES: readonly ListenerName[] = ['infrastructure', 'activation', 'devices', 'signedDevices', 'admin', 'notification', 'providers', 'noc'];
/** The same with a Connectivity Node, which dials the NOC as it would from another network. */
const NAMES_WITH_NODE: readonly ListenerName[] = [...NAMES, 'nodes', 'proxyServices'];

/**
 * Starts a whole lab on TLS listeners.
 *
 * @example
 * const lab = await startLabServer()
 * const user = await lab.admin.createUser({ username: 'alice' })
 * console.log(lab.connection.activation)
 * await lab.close()
 *
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT`, `ERR_STORE_READ`, `ERR_STORE_WRITE`, `ERR_USAGE_STATE` when another process has the folder
 */
export async function startLabServer(options: LabServerOptions = {}): Promise<LabServer> {
  const { folder, clock = systemClock(), crypto = nodeCrypto(), entropy = nodeEntropy() } = options;
  const names = options.connectivityNode === true ? NAMES_WITH_NODE : NAMES;
  const journal = createRingJournal();
  const faults = createFaults();
  let files = await filesOf(options, { clock, crypto, entropy });
  const stores = options.stores ?? openStores(folder);
  const environment = labEnvironment({ clock, crypto, entropy, journal, faults, root: files.uem.root });
  const started = deferred<LabCore>();
  const role = async (name: ListenerName): Promise<ListeningRole> => listening(await started.promise, ROLE_OF_LISTENER[name], options.interceptor);
  const closeStores = (): Promise<unknown> => Promise.all(Object.values(stores).map((store) => store.close()));

  let listeners: Awaited<ReturnType<typeof openListeners>>;
  try {
    listeners = await openListeners({
      environment,
      names,
      file: (name) => files[ROLE_OF_LISTENER[name]],
      role,
      limits: options.limits,
      origins: options.origins,
      http: options.interceptor?.http,
      taken: 'choose',
      moved: (name, from, to) => options.portMoved?.(name, from, to),
    });
  } catch (error) {
    await closeStores();
    throw error;
  }
  let core: LabCore;
  let provider: ProviderClient | undefined;
  try {
    files = movedTo(files, listeners.place);
    provider = ownProviderClient(files.infrastructure);
    const { push, pushAccounts, cost, profile } = options;
    const mail = { settings: options.mail };
    const { allowUnboundLinks } = options;
    const nodes =
      options.connectivityNode === true ? { host: dialledHost(placeOf(listeners.place, 'noc').host), port: listeners.place.ports.nodes } : undefined;
    core = await createLabCore({
      clock,
      crypto,
      entropy,
      journal,
      faults,
      files,
      stores,
      push,
      pushAccounts,
      provider,
      cost,
      profile,
      mail,
      nodes,
      allowUnboundLinks,
      wrongNoc: options.interceptor?.noc,
    });
    if (folder !== undefined) {
      writeRoleFiles(folder, files);
      writeConnectionFile(connectionFilePath(folder), connectionOf(files, options.connectivityNode === true));
    }
  } catch (error) {
    started.reject(error);
    provider?.close();
    await listeners.close();
    await closeStores();
    throw error;
  }
  const { infrastructure, uem, notification, noc } = core;
  const serversOf = (name: RoleName) =>
    names.filter((listener) => ROLE_OF_LISTENER[listener] === name).flatMap((listener) => listeners.servers.get(listener) ?? []);
  breakOnRestart(infrastructure, serversOf('infrastructure'));
  breakOnRestart(uem.host, serversOf('uem'));
  breakOnRestart(notification, serversOf('notification'));
  breakOnRestart(noc.host, serversOf('noc'));
  started.resolve(core);
  await core.node?.ready;

  return {
    connection: connectionOf(files, options.connectivityNode === true),
    admin: uem.administration,
    faults,
    journal,
    get pushConnections() {
      return notification.role.connections;
    },
    providers: { origin: providerOrigin(files.infrastructure), credentials: files.infrastructure.pushCredentials as PushCredentials },
    connectivityNode: core.node,
    async restart(name) {
      if (name === 'connectivity-node') return core.node?.restart();
      await { infrastructure, uem: uem.host, notification, noc: noc.host }[name].restart();
    },
    async close() {
      // Devices hear that the service goes away while their connections are still there.
      notification.role.close();
      provider.close();
      core.node?.close();
      noc.breakConnections();
      await listeners.close();
      await core.close();
    },
  };
}

function listening(core: LabCore, name: RoleName, { exchange, connect, noc: wrongNoc = {} }: Interceptor = {}): ListeningRole {
  const { infrastructure, uem, notification, noc, node } = core;
  if (name === 'connectivity-node') return { name, exchange: async () => ({ status: 'failed' }), proxyServices: node?.services };
  const host = { infrastructure, uem: uem.host, notification, noc: noc.host }[name];
  const asked = (request: RoleRequest): Promise<HostAnswer> => host.exchange(request);
  const role: ListeningRole = { name, exchange: exchange === undefined ? asked : (request) => exchange(name, request, asked) };
  if (name === 'uem') return { ...role, rest: (request) => uem.rest(request) };
  if (name === 'infrastructure') return role;
  if (name === 'noc') return { ...role, ...nocBehind(wrongNoc, noc, role.exchange) };
  const opened = (socket: PushSocket, source: string): PushConnection => openPush(notification, socket, source);
  return {
    ...role,
    connect: connect === undefined ? opened : (socket, source) => connect(socket, source, opened),
    providers: providersOf(notification, core.provide),
  };
}

/** The Infrastructure's own way to the listener of the provider APIs in the same process. */
function ownProviderClient(file: RoleFile): ProviderClient {
  const { place, root, pushCredentials } = file;
  if (pushCredentials === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of the Infrastructure has no push credentials');
  const { key, certificate } = pushCredentials.apns;
  const dial = `https://${hostAndPort(dialledHost(placeOf(place, 'notification').host), place.ports.providers)}`;
  return providerClient({ origin: providerOrigin(file), dial, root, key, certificate });
}

/** Where a listener of this process is reached from within it. */
function dialledHost(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

/** Where the connection file of a data folder is. */
export function connectionFilePath(folder: string): string {
  return join(folder, 'connection.json');
}

/** Where the state of a role is. */
export function statePath(folder: string, role: RoleName): string {
  return join(folder, 'state', role);
}

/** The connection file for these role files. `hasNode`: false when no Connectivity Node runs. */
export function connectionOf({ uem }: Pick<RoleFiles, 'uem'>, hasNode = true): ConnectionFile {
  const { tenantId, coreId, root, place, uem: secrets } = uem;
  return {
    format: 1,
    tenantId,
    coreId,
    ca: root,
    infrastructure: addressOf(place, 'infrastructure'),
    activation: addressOf(place, 'activation'),
    devices: addressOf(place, 'devices'),
    admin: `https://${addressOf(place, 'admin')}`,
    notification: addressOf(place, 'notification'),
    noc: addressOf(place, 'noc'),
    ...(hasNode && place.ports.proxyServices !== 0 ? { proxyServices: `https://${addressOf(place, 'proxyServices')}` } : {}),
    administrator: { username: secrets?.username ?? '', password: secrets?.password ?? '' },
  };
}

/** Identities and ports of a new lab. With a data folder the ports are chosen now and kept. */
export async function makeLab(
  options: Pick<LabServerOptions, 'host' | 'advertise' | 'folder'> & { readonly roles?: LabPlace['roles'] },
  { clock, crypto, entropy }: { readonly clock: Clock; readonly crypto: CryptoProvider; readonly entropy: Entropy },
): Promise<RoleFiles> {
  const { host = '127.0.0.1', advertise = host, folder, roles } = options;
  const ports = folder === undefined ? ANY_PORTS : await pickPorts(host, entropy);
  return makeRoleFiles({ crypto, entropy, nowMs: clock.nowMs(), place: { host, advertise, roles, ports } });
}

async function filesOf(options: LabServerOptions, ports: Parameters<typeof makeLab>[1]): Promise<RoleFiles> {
  const known = options.folder === undefined ? undefined : readRoleFiles(options.folder);
  return known ?? makeLab(options, ports);
}

function openStores(folder: string | undefined): Readonly<Record<StoredRole, LabStore>> {
  const opened: LabStore[] = [];
  const open = (role: StoredRole): LabStore => {
    const store = folder === undefined ? new MemoryStore() : openLmdbStore({ directory: statePath(folder, role) });
    opened.push(store);
    return store;
  };
  try {
    return { infrastructure: open('infrastructure'), uem: open('uem'), notification: open('notification'), noc: open('noc') };
  } catch (error) {
    for (const store of opened) void store.close();
    throw error;
  }
}
