import { type Clock, type CryptoProvider, isProtocolError, type PeerIdentity, x509 } from '@uemkit/protocol';
import type { LinkGuard } from '../roles/link-guard.ts';
import type { RoleName } from '../roles/role.ts';

/** URI in the certificate of a role (docs/protocol/09-http-binding.md, 9.4). */
export function roleUri(role: RoleName): string {
  return `urn:uemkit:role:${role}`;
}

const ROLES: readonly RoleName[] = ['infrastructure', 'uem', 'notification', 'noc'];

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

  return {
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
}
