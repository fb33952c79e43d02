import { isProtocolError, type ProtocolError } from '@uemkit/protocol';
import { type LabPlace, LISTENERS, type ListenerName, placeOf, ROLE_OF_LISTENER } from '../data/lab-addresses.ts';
import type { RoleFile } from '../data/role-file.ts';
import { type HttpInterceptor, type ListeningRole, openListener } from '../node/lab-listeners.ts';
import type { ListenerLimits } from '../node/limits.ts';
import type { HttpServer } from '../node/listening.ts';
import type { LabEnvironment } from './lab-environment.ts';

export interface OpenListenersOptions {
  readonly environment: LabEnvironment;
  readonly names: readonly ListenerName[];
  /** File of the role that a listener belongs to. */
  file(name: ListenerName): RoleFile;
  /** Role that answers at a listener, once it runs. */
  role(name: ListenerName): Promise<ListeningRole>;
  readonly limits?: Partial<ListenerLimits> | undefined;
  /** Origins whose pages may talk to the lab. */
  readonly origins?: readonly string[] | undefined;
  /** For tests of what talks to a server that breaks a rule of HTTP. */
  readonly http?: HttpInterceptor | undefined;
  /** What happens when a remembered port is taken: `choose` another one and call `moved`, or `fail`. */
  readonly taken: 'choose' | 'fail';
  moved?(name: ListenerName, from: number, to: number): void;
}

export interface OpenListeners {
  readonly servers: ReadonlyMap<ListenerName, HttpServer>;
  /** The place with the ports in force. */
  readonly place: LabPlace;
  close(): Promise<void>;
}

/** Opens listeners of a lab at their remembered ports. @throws ProtocolError `ERR_TRANSPORT_CONNECT`; then none is left open */
export async function openListeners(options: OpenListenersOptions): Promise<OpenListeners> {
  const servers = new Map<ListenerName, HttpServer>();
  const close = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.close()));
  };
  try {
    for (const name of options.names) servers.set(name, await openOne(name, options));
  } catch (error) {
    await close();
    throw error;
  }
  const { place } = options.file(options.names[0] as ListenerName);
  const ports = { ...place.ports, ...Object.fromEntries([...servers].map(([name, server]) => [name, server.port])) };
  return { servers, place: { ...place, ports }, close };
}

async function openOne(name: ListenerName, options: OpenListenersOptions): Promise<HttpServer> {
  const { environment, limits, origins = [], http } = options;
  const file = options.file(name);
  const { host, advertise } = placeOf(file.place, file.role);
  const { key, certificate, root } = file;
  const { clock, crypto, entropy, journal, guard } = environment;
  const open = (port: number): Promise<HttpServer> =>
    openListener(name, {
      host,
      port,
      advertise,
      key,
      certificate,
      root,
      clock,
      crypto,
      entropy,
      journal,
      guard,
      limits,
      origins,
      http,
      role: () => options.role(name),
    });
  const wanted = file.place.ports[name];
  try {
    return await open(wanted);
  } catch (error) {
    if (wanted === 0 || options.taken === 'fail' || !isTaken(error)) throw error;
    const server = await open(0);
    options.moved?.(name, wanted, server.port);
    return server;
  }
}

function isTaken(error: unknown): error is ProtocolError {
  return isProtocolError(error) && error.details['reason'] === 'EADDRINUSE';
}

/** Listeners of one role. */
export function listenersOf(role: ListeningRole['name']): readonly ListenerName[] {
  return LISTENERS.filter((name) => ROLE_OF_LISTENER[name] === role);
}
