import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import { ProtocolError } from '@uemkit/protocol';
import type { Trust } from '../transport.ts';
import { parseAddress } from '../transports/binding.ts';
import { transportError } from './transport-error.ts';

export interface TlsConnectOptions {
  readonly address: string;
  readonly trust: Trust;
  readonly context: SecureContext;
  /** Silence during the handshake after which it is given up. */
  readonly timeoutMs: number;
  /** TLS session of the same device with the same server and trust. */
  readonly session?: Buffer | undefined;
  readonly onSession?: ((session: Buffer) => void) | undefined;
}

/**
 * Opens a TLS 1.3 connection and calls back when the server is the one that `trust` describes; until then nothing of ours is sent but the handshake.
 * The error is always `ERR_TRANSPORT_*`.
 */
export function connectTls(options: TlsConnectOptions, callback: (error: ProtocolError | null, socket: TLSSocket | null) => void): void {
  const { address, trust, context, session } = options;
  const { host, port } = parseAddress(address);
  // With nothing to check against nobody is the right server.
  if (trust.roots !== 'platform' && trust.roots.length === 0 && trust.spkiPins.length === 0) {
    callback(new ProtocolError('ERR_TRANSPORT_TLS', 'there is neither a root nor a key pin to trust a server by'), null);
    return;
  }
  const chained = trust.roots === 'platform' || trust.roots.length > 0;
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: context,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: chained,
    // Not called for a resumed session, which exists only because the full handshake before it passed.
    checkServerIdentity: (_name: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate) ?? pinError(trust, certificate.raw),
    ...(session === undefined ? {} : { session }),
  });
  let answered = false;
  const answer = (error: ProtocolError | null): void => {
    if (answered) return;
    answered = true;
    socket.setTimeout(0);
    if (error === null) callback(null, socket);
    else {
      socket.destroy();
      callback(error, null);
    }
  };
  socket.setNoDelay(true);
  socket.setTimeout(options.timeoutMs, () => answer(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no TLS handshake in time')));
  if (options.onSession !== undefined) socket.on('session', options.onSession);
  socket.once('secureConnect', () => {
    const error = chained || socket.isSessionReused() ? undefined : pinError(trust, socket.getPeerX509Certificate()?.raw);
    answer(error === undefined ? null : transportError(error));
  });
  // Stays: an error of a socket that nobody listens to would end the process.
  socket.on('error', (error) => answer(transportError(error)));
  socket.once('close', () => answer(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed in the TLS handshake')));
}

function pinError(trust: Trust, certificate: Uint8Array | undefined): ProtocolError | undefined {
  if (trust.spkiPins.length === 0) return undefined;
  if (certificate !== undefined) {
    const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(spki).digest();
    if (trust.spkiPins.some((candidate) => candidate.length === pin.length && timingSafeEqual(candidate, pin))) return undefined;
  }
  return new ProtocolError('ERR_TRANSPORT_TLS', 'the server has another key than the pinned one');
}
