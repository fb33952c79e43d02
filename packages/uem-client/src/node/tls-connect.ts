import { isIP } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import { ProtocolError } from '@uemkit/protocol';
import type { Trust } from '../transport.ts';
import { parseAddress } from '../transports/binding.ts';
import type { KeyPins } from './key-pins.ts';
import { transportError } from './transport-error.ts';

export interface TlsConnectOptions {
  readonly address: string;
  readonly trust: Trust;
  readonly context: SecureContext;
  readonly pins: KeyPins;
  /** Role that the server's certificate must name (docs/protocol, section 8): another server of the same root does not speak for UEM. */
  readonly serverRole?: 'uem' | undefined;
  /** Silence during the handshake after which it is given up. */
  readonly timeoutMs: number;
  /** TLS session of the same device with the same server and trust. */
  readonly session?: Buffer | undefined;
  readonly onSession?: ((session: Buffer) => void) | undefined;
}

/** One list: Node keeps it with each socket. */
const HTTP_1: readonly string[] = ['http/1.1'];

/** Exactly one of the two is there. */
export type TlsCallback = (error: ProtocolError | null, socket: TLSSocket | null) => void;

/**
 * Opens a TLS 1.3 connection and calls back when the server is the one that `trust` describes; until then nothing of ours is sent but the handshake.
 * The error is always `ERR_TRANSPORT_*`.
 */
export function connectTls(options: TlsConnectOptions, callback: TlsCallback): void {
  const { address, trust, context, session } = options;
  // Node reads the certificate anyway when it checks the name: it is not read a second time. Emptied afterwards, as the socket keeps its options.
  const seen: Seen = { certificate: undefined };
  const { host, port } = parseAddress(address);
  const chained = trust.roots === 'platform' || trust.roots.length > 0;
  // With nothing to check against nobody is the right server.
  if (!chained && trust.spkiPins.length === 0) {
    callback(new ProtocolError('ERR_TRANSPORT_TLS', 'there is neither a root nor a key pin to trust a server by'), null);
    return;
  }
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext: context,
    minVersion: 'TLSv1.3',
    ALPNProtocols: HTTP_1,
    // With roots OpenSSL checks the chain and Node the name; without, the pin below is the whole check.
    rejectUnauthorized: chained,
    checkServerIdentity: (name, certificate) => {
      seen.certificate = certificate;
      return checkServerIdentity(name, certificate);
    },
    ...(session === undefined ? {} : { session }),
  });
  new Handshake(options, socket, seen, callback).begin();
}

interface Seen {
  certificate: PeerCertificate | undefined;
}

/** The handshake until it is answered for. Afterwards nothing of it stays at the socket: a device at rest pays for every listener. */
class Handshake {
  readonly #options: TlsConnectOptions;
  readonly #socket: TLSSocket;
  readonly #seen: Seen;
  readonly #callback: TlsCallback;
  readonly #listeners = {
    secureConnect: (): void => this.#connected(),
    error: (error: Error): void => this.#answer(transportError(error)),
    close: (): void => this.#answer(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed in the TLS handshake')),
    timeout: (): void => this.#answer(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no TLS handshake in time')),
  };

  constructor(options: TlsConnectOptions, socket: TLSSocket, seen: Seen, callback: TlsCallback) {
    this.#options = options;
    this.#socket = socket;
    this.#seen = seen;
    this.#callback = callback;
  }

  begin(): void {
    const { onSession, timeoutMs } = this.#options;
    this.#socket.setNoDelay(true);
    this.#socket.setTimeout(timeoutMs);
    // Stays: an error of a socket that nobody listens to would end the process.
    this.#socket.on('error', ignore);
    if (onSession !== undefined) this.#socket.on('session', onSession);
    for (const [name, listener] of Object.entries(this.#listeners)) this.#socket.on(name, listener);
  }

  #connected(): void {
    // A session is resumed only with the server that passed in the full handshake before.
    this.#answer(this.#socket.isSessionReused() ? null : this.#refusal());
  }

  #refusal(): ProtocolError | null {
    const { trust, pins, serverRole } = this.#options;
    if (trust.spkiPins.length === 0 && serverRole === undefined) return null;
    // Without a chain that Node takes it has not looked at the name.
    const certificate = this.#seen.certificate ?? this.#socket.getPeerCertificate();
    if (trust.spkiPins.length > 0 && !pins.has(trust.spkiPins, certificate)) {
      return new ProtocolError('ERR_TRANSPORT_TLS', 'the server has another key than the pinned one');
    }
    if (serverRole !== undefined && !hasRole(certificate, serverRole)) {
      return new ProtocolError('ERR_TRANSPORT_TLS', `the certificate of the server does not name the role ${serverRole}`);
    }
    return null;
  }

  #answer(error: ProtocolError | null): void {
    for (const [name, listener] of Object.entries(this.#listeners)) this.#socket.off(name, listener);
    this.#socket.setTimeout(0);
    this.#seen.certificate = undefined;
    if (error === null) {
      this.#callback(null, this.#socket);
    } else {
      this.#socket.destroy();
      this.#callback(error, null);
    }
  }
}

function ignore(): void {}

/** Node quotes a name that has a comma, so that a part of one cannot pass for a whole. */
function hasRole({ subjectaltname }: PeerCertificate, role: string): boolean {
  return subjectaltname?.split(', ').includes(`URI:urn:uemkit:role:${role}`) ?? false;
}
