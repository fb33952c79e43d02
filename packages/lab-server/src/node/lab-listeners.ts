import type { Clock, CryptoProvider, Entropy } from '@uemkit/protocol';
import { hostAndPort, type ListenerName, ROLE_OF_LISTENER } from '../data/lab-addresses.ts';
import type { ProviderRequests } from '../host/provider-requests.ts';
import type { HostAnswer, RoleHost } from '../host/role-host.ts';
import { MAX_REST_BODY_BYTES } from '../rest/rest-handler.ts';
import type { RestRequest, RestResponse } from '../rest/rest-request.ts';
import type { LinkGuard } from '../roles/link-guard.ts';
import type { NocConnection, NocSocket } from '../roles/noc/noc-connection.ts';
import type { ProviderFaces } from '../roles/notification/providers/faces.ts';
import { MAX_PROVIDER_BODY_BYTES } from '../roles/notification/providers/provider.ts';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { Journal, Role, RoleName, RoleRequest, ServiceName } from '../roles/role.ts';
import type { CoreSessions } from '../roles/uem/core-sessions.ts';
import { coreUpgrade } from './core-upgrade.ts';
import { frameBinding } from './frame-binding.ts';
import { type HttpAnswer, type HttpRequest, type HttpServerOptions, listenHttps } from './http-server.ts';
import { ANONYMOUS_FRAME_BYTES, FRAME_BYTES, type ListenerLimits, MAX_ADMIN_REQUESTS, MAX_SIGNED_REQUESTS } from './limits.ts';
import type { HttpServer } from './listening.ts';
import type { NocDataPath } from './noc-data-path.ts';
import { listenNoc } from './noc-listener.ts';
import { listenNodes } from './node-listener.ts';
import { type PageAccess, pageAccess } from './page-access.ts';
import { listenProviders } from './provider-server.ts';
import { type ProxyServices, SERVICE_BODY_BYTES } from './proxy-services.ts';
import { pushUpgrade } from './push-upgrade.ts';
import { signedBinding } from './signed-binding.ts';

/** A role that listens: what its listeners need of it. */
export interface ListeningRole {
  readonly name: RoleName;
  exchange(request: RoleRequest): Promise<HostAnswer>;
  /** Admin REST; UEM alone. */
  rest?(request: RestRequest): Promise<RestResponse | undefined>;
  /** Push connections; the notification service alone. */
  connect?(socket: PushSocket, source: string): PushConnection;
  /** Connections of apps; the NOC alone. Undefined: there is no room for another one. */
  connectApp?(socket: NocSocket, source: string): NocConnection | undefined;
  /** Connections of apps that the NOC has made; UEM alone. */
  readonly connectCore?: CoreSessions['connect'] | undefined;
  /** Links of apps and standing connections of Connectivity Nodes; the NOC alone. */
  readonly dataPath?: Pick<NocDataPath, 'openLink' | 'addNode' | 'addDialled'> | undefined;
  /** For application servers; the Connectivity Node alone. */
  readonly proxyServices?: ProxyServices | undefined;
  /** Provider APIs; the notification service alone. */
  readonly providers?: { readonly faces: () => ProviderFaces; readonly handle: ProviderRequests } | undefined;
}

/** What all listeners of one role share. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Name or address that devices dial. */
  readonly advertise: string;
  readonly key: string;
  readonly certificate: string;
  /** Root of the lab, PEM. */
  readonly root: string;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly journal: Journal;
  /** Knows the other roles. */
  readonly guard: LinkGuard;
  /** Origins whose pages may talk to the listeners for pages. */
  readonly origins: readonly string[];
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** For tests of what talks to a server that breaks a rule of HTTP. */
  readonly http?: HttpInterceptor | undefined;
  /** The role, as soon as it runs; requests wait for it. */
  role(): Promise<ListeningRole>;
}

/** May change, note or answer a request; `next` hands it on. */
export type HttpInterceptor = (request: HttpRequest, next: (request: HttpRequest) => Promise<HttpAnswer | undefined>) => Promise<HttpAnswer | undefined>;

interface ListenerKind {
  readonly services: readonly ServiceName[];
  readonly mutual: boolean;
  /** Devices that live in a page may use it, when their origin is allowed. */
  readonly pages: boolean;
  /** Each request is signed by a device. */
  readonly signed?: true;
  readonly bodyBytes: number;
  /** Other than `LISTENER_LIMITS`. */
  readonly limits?: Partial<ListenerLimits>;
  readonly also?: 'rest' | 'push' | 'providers' | 'apps' | 'nodes' | 'core' | 'proxyServices';
}

/** Every listener of a lab (docs/protocol/09-http-binding.md, 9.2). */
export const LISTENER_KINDS: Readonly<Record<ListenerName, ListenerKind>> = {
  infrastructure: { services: ['discovery'], mutual: false, pages: true, bodyBytes: ANONYMOUS_FRAME_BYTES },
  infrastructureLink: { services: ['registrations', 'notifications'], mutual: true, pages: false, bodyBytes: FRAME_BYTES },
  activation: { services: ['activation'], mutual: false, pages: true, bodyBytes: ANONYMOUS_FRAME_BYTES },
  devices: { services: ['device'], mutual: true, pages: false, bodyBytes: FRAME_BYTES },
  signedDevices: {
    services: ['device'],
    mutual: false,
    pages: true,
    signed: true,
    bodyBytes: FRAME_BYTES,
    limits: { requestsInWork: MAX_SIGNED_REQUESTS },
  },
  admin: {
    services: [],
    mutual: false,
    pages: false,
    bodyBytes: MAX_REST_BODY_BYTES,
    limits: { requestsInWork: MAX_ADMIN_REQUESTS },
    also: 'rest',
  },
  notification: { services: [], mutual: false, pages: true, bodyBytes: ANONYMOUS_FRAME_BYTES, also: 'push' },
  providers: { services: [], mutual: false, pages: false, bodyBytes: MAX_PROVIDER_BODY_BYTES, also: 'providers' },
  noc: { services: [], mutual: false, pages: true, bodyBytes: ANONYMOUS_FRAME_BYTES, also: 'apps' },
  nocLink: { services: ['accessKeys', 'tenants', 'channels'], mutual: true, pages: false, bodyBytes: FRAME_BYTES },
  uemLink: { services: ['setUp', 'envelopes', 'proxies'], mutual: true, pages: false, bodyBytes: FRAME_BYTES, also: 'core' },
  nodes: { services: [], mutual: true, pages: false, bodyBytes: 0, also: 'nodes' },
  proxyServices: { services: [], mutual: false, pages: false, bodyBytes: SERVICE_BODY_BYTES, also: 'proxyServices' },
};

/** Opens one listener. @throws ProtocolError `ERR_TRANSPORT_CONNECT` */
export async function openListener(name: ListenerName, options: ListenerOptions): Promise<HttpServer> {
  const { host, port, key, certificate, root, clock, journal, limits } = options;
  const kind = LISTENER_KINDS[name];
  const role = ROLE_OF_LISTENER[name];
  const note = (request: string, answer: string, source: string, reason: string): void =>
    journal.record({ timeMs: clock.nowMs(), role, service: name, request, answer, source, reason });
  const failed = (error: unknown): void => note('unknown', '500', '', error instanceof Error ? `${error.name}: ${error.message}` : 'bug');
  const refused = (reason: string, source: string): void => note('connection', 'closed', source, reason);
  if (kind.also === 'providers') {
    return listenProviders({
      ...{ host, port, key, certificate, root, failed, refused },
      limits: { ...kind.limits, ...limits },
      handle: async (request) => (await options.role()).providers?.handle(request),
      refuse: async (request, why, reason) => (await options.role()).providers?.faces().refuse(request, why, reason) ?? { status: 503, headers: {}, body: '' },
    });
  }
  if (kind.also === 'nodes') {
    return listenNodes({
      ...{ host, port, key, certificate, root, failed, refused: note },
      limits: { ...kind.limits, ...limits },
      accept: async (session, peer) => (await options.role()).dataPath?.addNode(session, peer) ?? false,
      async dialled(connection, peer) {
        const { dataPath } = await options.role();
        if (dataPath === undefined) connection.destroy();
        else dataPath.addDialled(connection, peer);
      },
    });
  }
  const pages = pageAccess(kind.pages ? options.origins : [], (request, reason) => note(request.method, '403', request.peer.source, reason));
  const running = whenRunning(options);
  if (kind.also === 'apps') {
    return listenNoc({
      ...{ host, port, key, certificate, failed, refused: note },
      limits: { ...kind.limits, ...limits },
      allows: (origin) => pages.allows(origin),
      // Before the role runs there is no room for anybody: apps come back.
      connect: (socket, source) => running()?.connectApp?.(socket, source),
      link: (stream, binding, source) => {
        const dataPath = running()?.dataPath;
        if (dataPath === undefined) stream.destroy();
        else dataPath.openLink(stream, binding, source);
      },
    });
  }
  const frames = frameBinding({
    role,
    services: kind.services,
    clock,
    journal,
    exchange: async (request) => (running() ?? (await options.role())).exchange(request),
  });
  let opened: HttpServer | undefined;
  // Nobody is told the address before the listener is open.
  const address = (): string => hostAndPort(options.advertise, opened?.port ?? port);
  const devices = kind.signed === true ? signedBinding({ ...options, role, address, handle: frames }) : frames;
  const { http } = options;
  const altered = http === undefined ? devices : (request: HttpRequest) => http(request, devices);
  const rest = ({ method, path, query, headers, body, peer }: HttpRequest): Promise<HttpAnswer | undefined> => {
    const request: RestRequest = { method, path, query, headers, body, source: peer.source };
    const ask = async (role: ListeningRole): Promise<HttpAnswer | undefined> => role.rest?.(request);
    return running()?.rest?.(request) ?? options.role().then(ask);
  };
  const proxyServices = async (request: HttpRequest): Promise<HttpAnswer> => {
    const answer = (running() ?? (await options.role())).proxyServices;
    return answer === undefined ? { status: 503 } : answer(request);
  };
  const server: HttpServerOptions = {
    name,
    host,
    port,
    tls: { key, certificate, peerRoot: kind.mutual ? root : undefined },
    bodyLimit: () => kind.bodyBytes,
    handle: kind.also === 'rest' ? rest : kind.also === 'proxyServices' ? proxyServices : pages.guard(altered),
    refused,
    failed,
    ...(kind.also === 'push' ? { upgrade: deferredUpgrade(options, running, pages) } : {}),
    ...(kind.also === 'core' ? { upgrade: coreUpgrade({ guard: options.guard, refused, connect: connectedCore(running) }) } : {}),
    limits: { ...kind.limits, ...limits },
  };
  opened = await listenHttps(server);
  return opened;
}

/** Gives the role from the moment at which it runs: each request would wait for it otherwise. */
function whenRunning(options: ListenerOptions): () => ListeningRole | undefined {
  let role: ListeningRole | undefined;
  options.role().then(
    (started) => {
      role = started;
    },
    () => {},
  );
  return () => role;
}

/** Upgrades before the role runs are closed: devices come back. */
function deferredUpgrade(options: ListenerOptions, running: () => ListeningRole | undefined, pages: PageAccess): NonNullable<HttpServerOptions['upgrade']> {
  return pushUpgrade({
    clock: options.clock,
    journal: options.journal,
    allows: (origin) => pages.allows(origin),
    connect(socket, source) {
      const role = running();
      if (role?.connect !== undefined) return role.connect(socket, source);
      socket.cutOff();
      return { received: () => {}, alive: () => {}, closed: () => {} };
    },
  });
}

/** Connections before the role runs are closed: apps come back. */
function connectedCore(running: () => ListeningRole | undefined): CoreSessions['connect'] {
  return (socket, source) => {
    const connect = running()?.connectCore;
    if (connect !== undefined) return connect(socket, source);
    socket.close();
    return { received: () => {}, closed: () => {} };
  };
}

/** The listeners of a role break their connections when the role is started again. */
export function breakOnRestart<R extends Role>(host: RoleHost<R>, servers: readonly HttpServer[]): void {
  host.onRestart(() => {
    for (const server of servers) server.dropConnections();
  });
}
