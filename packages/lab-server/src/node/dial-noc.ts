import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { RoleFile } from '../data/role-file.ts';
import { roleUri } from '../links/certificate-guard.ts';
import { NODE_DIALLED_ALPN } from './node-listener.ts';

/** Until TLS with the NOC stands. */
const DIAL_MS = 10_000;

/** Where a Connectivity Node dials, and as whom. */
export interface DialNoc {
  readonly file: RoleFile;
  /** `host` and `port` of the NOC's listener for nodes. */
  readonly noc: { readonly host: string; readonly port: number };
}

/**
 * Mutual TLS 1.3 of a Connectivity Node to the NOC. `connected` is called once it stands and is what was asked for; a connection that does not come about closes with an error.
 * The two halves of one for an app end apart; the standing one ends when the NOC ends it, also as a process that was killed ends it.
 */
export function dialNoc({ file, noc: { host, port } }: DialNoc, alpn: string, connected: (socket: TLSSocket) => void): TLSSocket {
  const socket = connect({
    host,
    port,
    ...{ key: file.key, cert: file.certificate, ca: file.root, minVersion: 'TLSv1.3', ALPNProtocols: [alpn], timeout: DIAL_MS },
    ...{ allowHalfOpen: alpn === NODE_DIALLED_ALPN },
    checkServerIdentity: (name, certificate) => checkServerIdentity(name, certificate) ?? roleError(certificate),
  });
  socket.setNoDelay(true);
  socket.once('timeout', () => socket.destroy());
  socket.once('secureConnect', () => {
    // check: F10.3 ALPN of the NOC
    if (socket.alpnProtocol !== alpn) return void socket.destroy();
    socket.setTimeout(0);
    connected(socket);
  });
  return socket;
}

function roleError(certificate: PeerCertificate): Error | undefined {
  const names = (certificate.subjectaltname ?? '').split(', ');
  return names.includes(`URI:${roleUri('noc')}`) ? undefined : new Error('the certificate is not that of the NOC');
}
