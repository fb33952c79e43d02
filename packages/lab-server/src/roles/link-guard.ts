import type { PeerIdentity } from '@uemkit/protocol';
import type { RoleAnswer, RoleName, ServiceName } from './role.ts';

/** Tells which role of the same lab a peer is. */
export interface LinkGuard {
  /** The role, when the peer has a valid role certificate of this lab; else why not. */
  roleOf(peer: PeerIdentity): RoleName | { readonly refused: string };
  /** The tenant whose UEM a peer is, when it has a valid role certificate of UEM that names one; else why not. */
  tenantOf(peer: PeerIdentity): { readonly tenantId: string } | { readonly refused: string };
  /** The id of the Proxy that a peer is, when it has a valid certificate of a Connectivity Node; else why not. */
  proxyOf(peer: PeerIdentity): { readonly proxyId: string; readonly certificate: Uint8Array } | { readonly refused: string };
}

/** One role calls another: over mTLS, or in memory when both are in one process. */
export interface RoleLink {
  /**
   * @throws ProtocolError `ERR_TRANSPORT_*` when the other role cannot be reached
   */
  request(service: ServiceName, frame: Uint8Array): Promise<RoleAnswer>;
}
