import type { Duplex } from 'node:stream';
import { addressOf } from '../data/lab-addresses.ts';
import type { RoleFile } from '../data/role-file.ts';
import { createNocDataPath, type NocDataPath } from '../node/noc-data-path.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import { createNocRole } from '../roles/noc/noc.ts';
import { NOC_CONNECTION_LIMITS, type NocConnection, type NocConnectionLimits, type NocSocket, nocConnection } from '../roles/noc/noc-connection.ts';
import type { Role } from '../roles/role.ts';
import type { LabStore } from '../store/lab-store.ts';
import type { LabEnvironment } from './lab-environment.ts';
import { createRoleHost, type HostAnswer, type RoleHost } from './role-host.ts';

/** The NOC in its place. */
export interface NocHost {
  readonly host: RoleHost<Role>;
  /** Open connections of apps. */
  readonly connections: number;
  /** An app has opened a connection; undefined: there is no room for it. `exchange` stands for the role. */
  connect(socket: NocSocket, source: string, exchange?: (request: Parameters<Role['handle']>[0]) => Promise<HostAnswer>): NocConnection | undefined;
  readonly dataPath: NocDataPath;
  /** Breaks all connections of apps and nodes. */
  breakConnections(): void;
}

export interface NocHostOptions {
  readonly store: LabStore;
  readonly file: RoleFile;
  /** Way to UEM. */
  readonly uem: RoleLink;
  /** A connection to UEM for an app; undefined when UEM is not there. */
  openCore(): Promise<Duplex | undefined>;
  readonly limits?: Partial<NocConnectionLimits> | undefined;
  /** True: links of apps in pages, which have no channel binding, are allowed. */
  readonly allowUnboundLinks?: boolean | undefined;
}

/** Starts the NOC. */
export async function createNocHost(environment: LabEnvironment, options: NocHostOptions): Promise<NocHost> {
  const { clock, faults, journal } = environment;
  const { store, file, uem } = options;
  const limits = { ...NOC_CONNECTION_LIMITS, ...options.limits };
  const place = { coreId: file.coreId, relayAddresses: [addressOf(file.place, 'noc')] };
  const core = { id: file.coreId, open: options.openCore };
  const dataPath = createNocDataPath({ ...environment, store, core, allowUnbound: options.allowUnboundLinks });
  const pushes = { isConnected: dataPath.isPushConnected, waits: dataPath.pushWaits };
  const create = (): Promise<Role> => createNocRole({ ...environment, store, uem, place, linkEnded: dataPath.endLink, pushes });
  const host = await createRoleHost<Role>({ clock, faults, journal, create, end: () => {} });
  // BOUNDED by the listener, and for each source by limits.perSource.
  const open = new Set<NocSocket>();
  const perSource = new Map<string, number>();
  const note = (source: string, answer: string, reason: string): void =>
    journal.record({ timeMs: clock.nowMs(), role: 'noc', service: 'apps', request: 'connection', answer, source, reason });

  const gone = (socket: NocSocket, source: string): void => {
    if (!open.delete(socket)) return;
    const left = (perSource.get(source) ?? 0) - 1;
    if (left > 0) perSource.set(source, left);
    else perSource.delete(source);
  };
  const breakConnections = (): void => {
    dataPath.breakConnections();
    for (const socket of [...open]) socket.cutOff();
  };
  host.onRestart(breakConnections);

  return {
    host,
    dataPath,
    get connections() {
      return open.size;
    },
    connect(socket, source, exchange = (request) => host.exchange(request)) {
      const before = perSource.get(source) ?? 0;
      if (before >= limits.perSource) {
        note(source, 'closed', 'too many connections of this source');
        return undefined;
      }
      open.add(socket);
      perSource.set(source, before + 1);
      const peer = { kind: 'anonymous', source } as const;
      const connection = nocConnection({
        clock,
        limits,
        socket,
        exchange: (frame) => exchange({ service: 'apps', frame, peer }),
        ended: (reason) => note(source, 'closed', reason),
      });
      return {
        received: (frame) => connection.received(frame),
        broken: () => connection.broken(),
        closed() {
          gone(socket, source);
          connection.closed();
        },
      };
    },
    breakConnections,
  };
}
