import type { HttpAnswer, HttpRequest } from '../node/http-server.ts';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { RoleName, RoleRequest } from '../roles/role.ts';
import type { HostAnswer } from './role-host.ts';

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
}
