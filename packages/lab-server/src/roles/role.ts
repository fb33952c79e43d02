import type { Clock, CryptoProvider, Entropy, PeerIdentity } from '@uemkit/protocol';
import type { References } from '../journal/references.ts';
import type { LabStore } from '../store/lab-store.ts';

/** The server parts that run alone or together. */
export type RoleName = 'infrastructure' | 'uem' | 'notification' | 'noc' | 'connectivity-node';

/** Roles with a state of their own. The Connectivity Node has none: what it needs comes from UEM each time. */
export type StoredRole = Exclude<RoleName, 'connectivity-node'>;

/** Last part of the path in the HTTP binding; each role serves its own. */
export type ServiceName =
  | 'discovery'
  | 'registrations'
  | 'notifications'
  | 'activation'
  | 'device'
  | 'apps'
  | 'accessKeys'
  | 'setUp'
  | 'envelopes'
  | 'tenants'
  | 'channels'
  | 'proxies';

/** One frame of a peer, however it came. */
export interface RoleRequest {
  readonly service: ServiceName;
  /** As received, not parsed yet. */
  readonly frame: Uint8Array;
  readonly peer: PeerIdentity;
}

/** What the adapter sends back. */
export type RoleAnswer =
  /** A message or an alert: HTTP 200. */
  | { readonly status: 'answered'; readonly frame: Uint8Array }
  /** Not a frame: HTTP 400. */
  | { readonly status: 'malformed' }
  /** Overloaded, or nothing can be stored now; nothing was changed: HTTP 503 with `retry-after`. */
  | { readonly status: 'busy'; readonly retryAfterS: number }
  /** A bug of ours, already in the journal: HTTP 500. */
  | { readonly status: 'failed' };

/** A server part without sockets. HTTP, TLS and memory adapters call it; it never throws. */
export interface Role {
  readonly name: RoleName;
  readonly services: readonly ServiceName[];
  handle(request: RoleRequest): Promise<RoleAnswer>;
}

/** What became of one request. Values may be logged: no key material, no bytes of a peer. */
export interface JournalEntry {
  readonly timeMs: number;
  readonly role: RoleName;
  readonly service: string;
  /** Flow step, for example `F1.4`. */
  readonly step?: string | undefined;
  /** Name of the frame, or `unknown`. */
  readonly request: string;
  /** Name of the answer frame, or the HTTP-like status. */
  readonly answer: string;
  readonly source: string;
  readonly userId?: string | undefined;
  readonly deviceId?: string | undefined;
  /** When the request came, where that is not `timeMs`, the moment of the answer. */
  readonly receivedMs?: number | undefined;
  /** Length of the request. */
  readonly bytes?: number | undefined;
  /** What the request is about, as opaque references (`journal/references.ts`): they tie its way through the roles to one device. */
  readonly refs?: References | undefined;
  /** Why it was refused; the peer is told less. */
  readonly reason?: string | undefined;
  /** True for a request that no part of this server knows: a fault of the caller to be seen at once. */
  readonly unknown?: boolean | undefined;
}

/** Receives one entry for each request. Must not throw. */
export interface Journal {
  record(entry: JournalEntry): void;
}

/** What every role is given. */
export interface RoleContext {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly journal: Journal;
}
