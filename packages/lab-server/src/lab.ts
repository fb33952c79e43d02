import { type Clock, type CryptoProvider, type Entropy, isProtocolError, type PeerIdentity, type ScryptCost, x509 } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import type { Administration } from './admin/administration.ts';
import type { ConnectionFile } from './data/connection-file.ts';
import { addressOf, type LabPlace } from './data/lab-addresses.ts';
import { fromPem, publicKeyInfoOfPem } from './data/pem.ts';
import { makeRoleFiles, type RoleFiles } from './data/role-file.ts';
import { createFaults, type Faults } from './faults/faults.ts';
import { openPush } from './host/cloud-hosts.ts';
import { createLabCore, type LabCore } from './host/lab-core.ts';
import { createRingJournal, type RingJournal } from './journal/journal.ts';
import { connectionOf } from './lab-server.ts';
import { type MemoryListener, type MemoryNetwork, type MemoryTransport, memoryTransport } from './memory/memory-transport.ts';
import type { MemoryTrust } from './memory/memory-trust.ts';
import type { RestRequest, RestResponse } from './rest/rest-request.ts';
import type { PushLimits } from './roles/notification/push-limits.ts';
import type { RoleName, StoredRole } from './roles/role.ts';
import type { MailSettingsRecord } from './state/mail-settings.ts';
import type { ActivationProfileRecord } from './state/profiles.ts';
import type { LabStore } from './store/lab-store.ts';
import { MemoryStore } from './store/memory-store.ts';

/** Parts of a lab in memory; everything has a default. */
export interface LabOptions {
  /** Give a fake clock for virtual time. */
  readonly clock?: Clock | undefined;
  readonly crypto?: CryptoProvider | undefined;
  /** Seeded entropy makes the whole lab reproducible. */
  readonly entropy?: Entropy | undefined;
  /** Stores that outlive the lab; in memory unless set. Keep `files` with them. */
  readonly stores?: Readonly<Record<StoredRole, LabStore>> | undefined;
  /** Identities of an earlier lab (`Lab.files`), to start again on its stores. */
  readonly files?: RoleFiles | undefined;
  readonly push?: Partial<PushLimits> | undefined;
  /** Cost of guessing an activation password. */
  readonly cost?: ScryptCost | undefined;
  /** Changes of the default activation profile, for example its poll interval. */
  readonly profile?: Partial<ActivationProfileRecord> | undefined;
  /** Where mails go; absent: the inbox of the lab, without a socket. */
  readonly mail?: MailSettingsRecord | undefined;
}

/** A whole lab in this process, without sockets. */
export interface Lab {
  /** Addresses and root, as a connection file has them; only `transport()` reaches these addresses. */
  readonly connection: ConnectionFile;
  /** What a device has to believe to talk to this lab. */
  readonly trust: MemoryTrust;
  readonly admin: Administration;
  readonly faults: Faults;
  readonly journal: RingJournal;
  readonly files: RoleFiles;
  /** Open push connections. */
  readonly pushConnections: number;
  /** Way of one device to this lab; fits where the UEM client asks for its transport. `source` is what the journal calls the device. */
  transport(source?: string): MemoryTransport;
  /** Makes a push token invalid; false when it was not in force. */
  revokePushToken(token: Uint8Array): Promise<boolean>;
  /** Admin REST without a socket; `undefined`: a fault loses the request. */
  rest(request: RestRequest): Promise<RestResponse | undefined>;
  /** Starts a role again from its store; its connections break. */
  restart(role: StoredRole): Promise<void>;
  /** @throws ProtocolError `ERR_PEER_UNEXPECTED` when a request came that no part of the lab knows */
  assertNoUnknownRequests(): void;
  close(): Promise<void>;
}

/** Ports that are never opened: addresses for messages. */
const PLACE: LabPlace = {
  host: '127.0.0.1',
  advertise: 'lab.invalid',
  ports: {
    infrastructure: 1,
    infrastructureLink: 2,
    activation: 3,
    devices: 4,
    admin: 5,
    notification: 6,
    providers: 7,
    signedDevices: 8,
    noc: 9,
    nocLink: 10,
    uemLink: 11,
    nodes: 12,
    proxyServices: 13,
  },
};

/**
 * Starts a lab in memory, for tests: no socket, no file, and with a fake clock no real time.
 *
 * @example
 * const lab = await startLab({ clock: fakeClock(0) })
 * const alice = await lab.admin.createUser({ username: 'alice' })
 * const { content } = await lab.admin.createQrCode(alice.guid)
 * const transport = lab.transport('device 1')
 * await lab.close()
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { clock = systemClock(), crypto = nodeCrypto(), entropy = nodeEntropy() } = options;
  const files = options.files ?? makeRoleFiles({ crypto, entropy, nowMs: clock.nowMs(), place: PLACE });
  const stores = options.stores ?? { infrastructure: new MemoryStore(), uem: new MemoryStore(), notification: new MemoryStore(), noc: new MemoryStore() };
  const journal = createRingJournal();
  const faults = createFaults();
  const { push, cost, profile } = options;
  const core = await createLabCore({
    clock,
    crypto,
    entropy,
    journal,
    faults,
    files,
    stores,
    push,
    cost,
    profile,
    mail: { settings: options.mail, inMemory: true },
  });
  const { infrastructure, uem, notification, noc } = core;
  const { network, breakPushes } = networkOf(core);
  notification.onRestart(breakPushes);
  let devices = 0;

  return {
    connection: connectionOf(files, false),
    trust: { roots: [network.root], spkiPins: [] },
    admin: uem.administration,
    faults,
    journal,
    files,
    get pushConnections() {
      return notification.role.connections;
    },
    transport(source = `device ${++devices}`) {
      return memoryTransport(network, source);
    },
    revokePushToken: (token) => notification.role.revokeToken(token),
    rest: (request) => uem.rest(request),
    restart: (name) => ({ infrastructure, uem: uem.host, notification, noc: noc.host })[name].restart(),
    assertNoUnknownRequests: () => journal.assertNoUnknownRequests(),
    async close() {
      breakPushes();
      await core.close();
    },
  };
}

function networkOf(core: LabCore): { readonly network: MemoryNetwork; breakPushes(): void } {
  const { files, environment, infrastructure, uem, notification, noc } = core;
  const { crypto } = environment;
  const root = fromPem('CERTIFICATE', files.uem.root);
  const authority = x509.readCertificate(root);
  const { place } = files.uem;
  const pinOf = (role: RoleName): Uint8Array => crypto.sha256(publicKeyInfoOfPem(files[role].certificate));
  const atUem = { spkiPin: pinOf('uem'), exchange: (request: Parameters<MemoryListener['exchange']>[0]) => uem.host.exchange(request) };
  const listeners: readonly MemoryListener[] = [
    {
      address: addressOf(place, 'infrastructure'),
      services: ['discovery'],
      spkiPin: pinOf('infrastructure'),
      requiresCertificate: false,
      exchange: (request) => infrastructure.exchange(request),
    },
    { ...atUem, address: addressOf(place, 'activation'), services: ['activation'], requiresCertificate: false },
    { ...atUem, address: addressOf(place, 'devices'), services: ['device'], requiresCertificate: true },
  ];
  // BOUNDED by the connections of the notification service.
  const open = new Set<() => void>();
  const network: MemoryNetwork = {
    crypto,
    root,
    listeners,
    noc: {
      ...{ address: addressOf(place, 'noc'), spkiPin: pinOf('noc'), connect: (socket, source) => noc.connect(socket, source) },
      ...{ openLink: noc.dataPath.openLink, makeBinding: () => environment.entropy.randomBytes(32) },
    },
    push: { address: addressOf(place, 'notification'), spkiPin: pinOf('notification'), connect: (socket, source) => openPush(notification, socket, source) },
    peers: new WeakMap<Uint8Array, PeerIdentity>(),
    issuedHere(certificate) {
      try {
        const { signedBytes, signature } = x509.readCertificate(certificate);
        return crypto.p256Verify(authority.publicKey, signedBytes, signature);
      } catch (error) {
        if (isProtocolError(error)) return false;
        throw error;
      }
    },
    opened(cut) {
      open.add(cut);
      return () => open.delete(cut);
    },
  };
  return {
    network,
    breakPushes() {
      for (const cut of [...open]) cut();
    },
  };
}
