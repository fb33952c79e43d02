import { type Entropy, randomFraction } from '@uemkit/protocol';
import type { WireDocument } from '@uemkit/protocol/wire';

/** A server of an app, as the administrator set it. */
export interface AppServer {
  readonly server: string;
  readonly port: number;
  /** 1 is the highest. */
  readonly priority: number;
}

/** What `getApplicationConfig` answers: the documented names, as far as UEM sent them, and whatever else it sent. */
export interface ApplicationConfig {
  readonly appServers: readonly AppServer[];
  readonly appHost?: string | undefined;
  readonly appPort?: number | undefined;
  readonly containerId?: string | undefined;
  readonly enterpriseId?: string | undefined;
  readonly userId?: string | undefined;
  readonly upn?: string | undefined;
  readonly protectedByPassword: true;
  readonly [name: string]: unknown;
}

/** A snapshot: changing it changes nothing, and it stays as it is when UEM sends another one. */
export function applicationConfig(document: WireDocument): ApplicationConfig {
  const copy = structuredClone(document) as { readonly appServers?: unknown };
  const servers = Array.isArray(copy.appServers) ? copy.appServers.filter(isAppServer) : [];
  return { ...copy, appServers: servers, protectedByPassword: true };
}

/** The order in which to try servers: the highest priority first, random within one, the next priority when all of one have failed. */
export function serversInOrder(entropy: Entropy, servers: readonly AppServer[]): readonly AppServer[] {
  const drawn = servers.map((server) => ({ server, at: randomFraction(entropy) }));
  return drawn.sort((a, b) => a.server.priority - b.server.priority || a.at - b.at).map(({ server }) => server);
}

function isAppServer(value: unknown): value is AppServer {
  if (typeof value !== 'object' || value === null) return false;
  const { server, port, priority } = value as Partial<AppServer>;
  return typeof server === 'string' && Number.isInteger(port) && Number.isInteger(priority);
}
