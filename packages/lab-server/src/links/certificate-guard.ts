import { type Clock, type CryptoProvider, isProtocolError, type PeerIdentity, toHex, x509 } from '@uemkit/protocol';
import type { LinkGuard } from '../roles/link-guard.ts';
import type { RoleName } from '../roles/role.ts';

/** URI in the certificate of a role (docs/protocol/09-http-binding.md, 9.4). */
export function roleUri(role: RoleName): string {
  return `urn:uemkit:role:${role}`;
}

/** Begins the URI in the certificate of UEM that names its tenant. */
const TENANT_URI = 'urn:uemkit:tenant:';

/** URI in the certificate of UEM: nobody else may speak for this tenant. */
export function tenantUri(tenantId: string): string {
  return `${TENANT_URI}${tenantId}`;
}

const ROLES: readonly RoleName[] = ['infrastructure', 'uem', 'notification', 'noc', 'connectivity-node'];

/** Knows other roles by their certificates; dates are judged by the clock of the lab. */
export function certificateGuard(options: { readonly clock: Clock; readonly crypto: CryptoProvider; readonly root: Uint8Array }): LinkGuard {
  const { clock, crypto, root } = options;
  // A certificate is read once per connection. BOUNDED: an entry goes with its connection.
  const known = new WeakMap<PeerIdentity, x509.Certificate>();

  const read = (peer: PeerIdentity & { readonly kind: 'certificate' }): x509.Certificate => {
    const certificate =
      known.get(peer) ?? x509.verifyChain(crypto, { certificates: [peer.certificate], roots: [root], usage: 'clientAuth', nowMs: clock.nowMs() });
    known.set(peer, certificate);
    return certificate;
  };

  const guard: LinkGuard = {
    proxyOf(peer) {
      const role = guard.roleOf(peer);
      if (typeof role === 'object') return role;
      // check: F10.3 only a Connectivity Node is a Proxy
      if (role !== 'connectivity-node' || peer.kind !== 'certificate') return { refused: `role ${role} is no Proxy` };
      return { proxyId: proxyIdOf(crypto, peer.certificate), certificate: peer.certificate };
    },
    tenantOf(peer) {
      const role = guard.roleOf(peer);
      if (typeof role === 'object') return role;
      // check: F10.2 only UEM has a tenant
      if (role !== 'uem' || peer.kind !== 'certificate') return { refused: `role ${role} may not do this` };
      const { purpose } = read(peer);
      const uri = purpose.kind === 'leaf' ? purpose.uris.find((name) => name.startsWith(TENANT_URI)) : undefined;
      return uri === undefined ? { refused: 'the certificate names no tenant' } : { tenantId: uri.slice(TENANT_URI.length) };
    },
    roleOf(peer) {
      if (peer.kind !== 'certificate') return { refused: 'no role certificate' };
      try {
        const certificate = read(peer);
        x509.checkValidity(certificate, clock.nowMs());
        const { purpose } = certificate;
        const role = ROLES.find((name) => purpose.kind === 'leaf' && purpose.uris.includes(roleUri(name)));
        return role ?? { refused: 'the certificate names no role' };
      } catch (error) {
        if (isProtocolError(error)) return { refused: `${error.code} ${error.message}` };
        throw error;
      }
    },
  };
  return guard;
}

/** Id of a Proxy: it follows from the key of its certificate (DER), so nobody can have another one's. */
export function proxyIdOf(crypto: CryptoProvider, certificate: Uint8Array): string {
  const keyHash = crypto.sha256(x509.publicKeyInfo(x509.readCertificate(certificate).publicKey));
  return `proxy-${toHex(keyHash.subarray(0, 16))}`;
}
