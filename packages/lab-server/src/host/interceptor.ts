import type { Duplex } from 'node:stream';
import type { HttpAnswer, HttpRequest } from '../node/http-server.ts';
import type { NocConnection, NocSocket } from '../roles/noc/noc-connection.ts';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { RoleAnswer, RoleName, RoleRequest } from '../roles/role.ts';
import type { HostAnswer } from './role-host.ts';

/** The request of the NOC to UEM: a set-up message (0x32) or an envelope (0x33). */
export type NocToUem = Pick<RoleRequest, 'frame'> & { readonly service: 'setUp' | 'envelopes' };

/**
 * A NOC that does wrong: what it could do with all that it sees, inside its TLS with apps and on its way to UEM. What is absent is handed on as it is. Must not throw.
 */
export interface NocInterceptor {
  /** A connection of an app for its activation (F3.7 to F3.11), frame by frame; `next` hands it on. */
  connectApp?(socket: NocSocket, source: string, next: (socket: NocSocket, source: string) => NocConnection | undefined): NocConnection | undefined;
  /** A link of an app (F10.2): every byte of both directions, first for the NOC, then for the Proxy or UEM; `next` hands it on. */
  link?(stream: Duplex, next: (stream: Duplex) => void): void;
  /** What the NOC passes on from an app to UEM, and the answer (F3.10, F3.11); `next` hands it on. @throws ProtocolError `ERR_TRANSPORT_*`: UEM cannot be reached */
  askUem?(request: NocToUem, next: (request: NocToUem) => Promise<RoleAnswer>): Promise<RoleAnswer>;
}

/**
 * Stands between the listeners of a lab and its roles, and may change, note or answer what passes. For tests: with it a server is made that breaks one rule
 * (the conformance kit has to notice), without a switch in the server itself. Must not throw.
 */
export interface Interceptor {
  /** One frame on its way to a role; `next` hands it on. */
  exchange?(role: RoleName, request: RoleRequest, next: (request: RoleRequest) => Promise<HostAnswer>): Promise<HostAnswer>;
  /** One request of a device on the level of HTTP, before anything is looked at; `next` hands it on. Undefined: the connection is closed without an answer. */
  http?(request: HttpRequest, next: (request: HttpRequest) => Promise<HttpAnswer | undefined>): Promise<HttpAnswer | undefined>;
  /** A push connection on its way to the notification service; `next` hands it on. */
  connect?(socket: PushSocket, source: string, next: (socket: PushSocket, source: string) => PushConnection): PushConnection;
  /** The NOC alone: what passes through it between apps, UEM and Proxies. */
  readonly noc?: NocInterceptor | undefined;
}
