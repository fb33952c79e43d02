import { type Clock, type CryptoProvider, type Entropy, ProtocolError, type ScryptCost } from '@uemkit/protocol';
import { fromPem } from '../data/pem.ts';
import type { RoleFile, RoleFiles } from '../data/role-file.ts';
import type { Faults } from '../faults/faults.ts';
import type { RingJournal } from '../journal/journal.ts';
import { certificateGuard, proxyIdOf } from '../links/certificate-guard.ts';
import { type ConnectivityNode, startConnectivityNode } from '../node/connectivity-node.ts';
import { memoryCoreStream } from '../node/core-stream.ts';
import type { ProviderWire } from '../roles/infrastructure/push/push-sender.ts';
import type { NotificationRole } from '../roles/notification/notification.ts';
import type { PushAccounts } from '../roles/notification/push-accounts.ts';
import type { PushLimits } from '../roles/notification/push-limits.ts';
import type { Role, RoleName, StoredRole } from '../roles/role.ts';
import type { ActivationProfileRecord } from '../state/profiles.ts';
import { listProxies } from '../state/proxies.ts';
import type { LabStore } from '../store/lab-store.ts';
import { createInfrastructureHost, createNotificationHost } from './cloud-hosts.ts';
import { uemBehind } from './intercepted-noc.ts';
import type { NocInterceptor } from './interceptor.ts';
import type { LabEnvironment } from './lab-environment.ts';
import { memoryProviderWire } from './memory-provider-wire.ts';
import { memoryRoleLink } from './memory-role-link.ts';
import { createNocHost, type NocHost } from './noc-host.ts';
import { type ProviderRequests, providerRequests } from './provider-requests.ts';
import type { RoleHost } from './role-host.ts';
import { createUemHost, type MailOptions, type UemHost } from './uem-host.ts';

export interface LabCoreOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly journal: RingJournal;
  readonly faults: Faults;
  readonly files: RoleFiles;
  readonly stores: Readonly<Record<StoredRole, LabStore>>;
  readonly push?: Partial<PushLimits> | undefined;
  readonly pushAccounts?: Partial<PushAccounts> | undefined;
  /** Way from the Infrastructure to the notification services; in memory unless set. */
  readonly provider?: ProviderWire | undefined;
  /** For a new tenant. */
  readonly cost?: ScryptCost | undefined;
  readonly profile?: Partial<ActivationProfileRecord> | undefined;
  readonly mail?: MailOptions | undefined;
  /** Where the NOC listens for Connectivity Nodes; absent: there is no such node. */
  readonly nodes?: { readonly host: string; readonly port: number } | undefined;
  /** True: links of apps in pages, which have no channel binding, are allowed. */
  readonly allowUnboundLinks?: boolean | undefined;
  /** For tests: what the NOC does wrong on its way to UEM. */
  readonly wrongNoc?: NocInterceptor | undefined;
}

/** All roles of a lab in one process, without listeners. */
export interface LabCore {
  readonly environment: LabEnvironment;
  readonly files: RoleFiles;
  readonly infrastructure: RoleHost<Role>;
  readonly uem: UemHost;
  readonly notification: RoleHost<NotificationRole>;
  readonly noc: NocHost;
  readonly node: ConnectivityNode | undefined;
  /** The provider APIs of the notification services. */
  readonly provide: ProviderRequests;
  /** Ends the roles, then closes the stores. */
  close(): Promise<void>;
}

/** Shared parts of the roles of one process. `root` is the PEM of the lab's root. */
export function labEnvironment(options: Omit<LabEnvironment, 'guard'> & { readonly root: string }): LabEnvironment {
  const { clock, crypto, entropy, journal, faults, root } = options;
  return { clock, crypto, entropy, journal, faults, guard: certificateGuard({ clock, crypto, root: fromPem('CERTIFICATE', root) }) };
}

/** Starts all roles; they talk to each other in memory, each under its own certificate. */
export async function createLabCore(options: LabCoreOptions): Promise<LabCore> {
  const { files, stores, cost, profile, mail } = options;
  const environment = labEnvironment({ ...options, root: files.uem.root });
  const peerOf = (role: RoleName) => ({ kind: 'certificate', source: `role ${role}`, certificate: fromPem('CERTIFICATE', files[role].certificate) }) as const;

  const notification = await createNotificationHost(environment, {
    store: stores.notification,
    file: files.notification,
    limits: options.push,
    more: options.pushAccounts,
  });
  const provide = providerRequests(notification, environment.clock);
  const provider = options.provider ?? memoryProviderWire(provide, fromPem('CERTIFICATE', files.infrastructure.pushCredentials?.apns.certificate ?? ''));
  const infrastructure = await createInfrastructureHost(environment, { store: stores.infrastructure, file: files.infrastructure, provider });
  const { uem: secrets } = files.uem;
  if (secrets === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of UEM has no secrets');
  let started: UemHost | undefined;
  const link = memoryRoleLink(() => infrastructure, peerOf('uem'));
  // Each of the two calls the other; a call that comes before UEM runs is one to a host that is not there.
  const noc = await createNocHost(environment, {
    store: stores.noc,
    file: files.noc,
    uem: uemBehind(
      options.wrongNoc ?? {},
      memoryRoleLink(() => started?.host, peerOf('noc')),
    ),
    openCore: async () => (started === undefined ? undefined : memoryCoreStream(started.connectApp, 'role noc')),
    allowUnboundLinks: options.allowUnboundLinks,
  });
  const toNoc = memoryRoleLink(() => noc.host, peerOf('uem'));
  const uem = await createUemHost(environment, { store: stores.uem, file: files.uem, secrets, infrastructure: link, noc: toNoc, cost, profile, mail });
  started = uem;
  const nodeLink = memoryRoleLink(() => uem.host, peerOf('connectivity-node'));
  const node =
    options.nodes === undefined
      ? undefined
      : startConnectivityNode({
          ...environment,
          file: files['connectivity-node'],
          noc: options.nodes,
          uem: nodeLink,
          nocLink: memoryRoleLink(() => noc.host, peerOf('connectivity-node')),
          directPort: lastDirectPort(stores.uem, environment.crypto, files['connectivity-node']),
          mayMove: true,
        });

  return {
    environment,
    files,
    infrastructure,
    uem,
    notification,
    noc,
    node,
    provide,
    async close() {
      node?.close();
      await uem.close();
      noc.breakConnections();
      notification.role.close();
      await Promise.all(Object.values(stores).map((store) => store.close()));
    },
  };
}

/** Where the Proxy of this lab was the last time: its apps know it by that port. 0: it never was. */
function lastDirectPort(store: LabStore, crypto: CryptoProvider, { certificate }: RoleFile): number {
  const proxyId = proxyIdOf(crypto, fromPem('CERTIFICATE', certificate));
  return store.read(listProxies).find((proxy) => proxy.proxyId === proxyId)?.port ?? 0;
}
