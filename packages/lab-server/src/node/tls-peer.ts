import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerIdentity } from '@uemkit/protocol';

/** What was found out about a connection, once; `null`: it has no certificate of a trusted root. */
const identities = new WeakMap<TLSSocket, PeerIdentity | null>();

/** Errors of OpenSSL that only say what the real clock says; roles decide about time by their own clock. */
const TIME_ERRORS: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/**
 * Who is at the other end of a TLS connection. The same object for each request of one connection.
 * With `peerRoot` (PEM) only a peer with a certificate of that root has an identity; its dates are not looked at, so that the role can tell a device why it is refused.
 */
export function identify(socket: TLSSocket, peerRoot: string | undefined): PeerIdentity | undefined {
  const known = identities.get(socket);
  if (known !== undefined) return known ?? undefined;
  const found = find(socket, peerRoot);
  identities.set(socket, found ?? null);
  return found;
}

function find(socket: TLSSocket, peerRoot: string | undefined): PeerIdentity | undefined {
  const source = socket.remoteAddress ?? '';
  if (peerRoot === undefined) return { kind: 'anonymous', source };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  // OpenSSL reports the last error that it met, so an expired certificate may hide a wrong chain: then the signature is checked here.
  const trusted = socket.authorized || (TIME_ERRORS.has(String(socket.authorizationError)) && issuedBy(certificate, new X509Certificate(peerRoot)));
  return trusted ? { kind: 'certificate', source, certificate: new Uint8Array(certificate.raw) } : undefined;
}

/** Certificates of a lab hang directly under their root. */
function issuedBy(certificate: X509Certificate, root: X509Certificate): boolean {
  return certificate.checkIssued(root) && certificate.verify(root.publicKey) && !certificate.ca;
}
