import { type CryptoProvider, type PeerIdentity, ProtocolError, sameBytes } from '@uemkit/protocol';
import type { HostAnswer } from '../host/role-host.ts';
import type { NocDataPath } from '../node/noc-data-path.ts';
import type { NocConnection, NocSocket } from '../roles/noc/noc-connection.ts';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { RoleRequest, ServiceName } from '../roles/role.ts';
import { type MemoryLinkChannel, type MemoryLinkRequest, openMemoryLink } from './memory-link.ts';
import { type MemoryNocRequest, openMemoryNoc } from './memory-noc.ts';
import type { MemoryTrust } from './memory-trust.ts';

/** One frame of a device; the same shape as the `ExchangeRequest` of the client. */
export interface MemoryExchange {
  readonly address: string;
  readonly service: 'discovery' | 'activation' | 'device';
  readonly frame: Uint8Array;
  readonly trust: MemoryTrust;
  readonly identity?: { readonly deviceId: string; readonly certificates: readonly Uint8Array[]; readonly keyId: string };
  readonly signal?: AbortSignal;
}

/** A push connection that a device wants; the same shape as the `PushRequest` of the client. */
export interface MemoryPushRequest {
  readonly address: string;
  readonly trust: MemoryTrust;
  onFrame(frame: Uint8Array): void;
  onClose(error?: ProtocolError): void;
  readonly signal?: AbortSignal;
}

/** Way of one device to a lab in the same process; fits where the client asks for its transport. */
export interface MemoryTransport {
  exchange(request: MemoryExchange): Promise<Uint8Array>;
  /** Frames of an app to the NOC (F3.7); each is answered by one. */
  openNoc(request: MemoryNocRequest): Promise<{ send(frame: Uint8Array): void; close(): void }>;
  /** A link of an app (F10.2), as bytes. */
  openLink(request: MemoryLinkRequest): Promise<MemoryLinkChannel>;
  openPush(request: MemoryPushRequest): Promise<{ send(frame: Uint8Array): void; close(): void }>;
  release(): void;
  close(): Promise<void>;
}

/** A listener of the lab as memory devices see it. */
export interface MemoryListener {
  /** `host:port` as in every message. */
  readonly address: string;
  readonly services: readonly ServiceName[];
  /** SHA-256 of its public key. */
  readonly spkiPin: Uint8Array;
  /** The peer has to show a certificate. */
  readonly requiresCertificate: boolean;
  exchange(request: RoleRequest): Promise<HostAnswer>;
}

/** Everything that a memory transport can reach. */
export interface MemoryNetwork {
  readonly crypto: CryptoProvider;
  /** DER of the root that all listeners come from. */
  readonly root: Uint8Array;
  readonly listeners: readonly MemoryListener[];
  /** The NOC as apps in memory see it. */
  readonly noc: {
    readonly address: string;
    readonly spkiPin: Uint8Array;
    connect(socket: NocSocket, source: string): NocConnection | undefined;
    openLink: NocDataPath['openLink'];
    /** What TLS would export, 32 bytes, for each connection. */
    makeBinding(): Uint8Array;
  };
  readonly push: { readonly address: string; readonly spkiPin: Uint8Array; connect(socket: PushSocket, source: string): PushConnection };
  /** One peer object per certificate, as one TLS connection would have. BOUNDED: an entry goes with the certificate bytes that its device holds. */
  readonly peers: WeakMap<Uint8Array, PeerIdentity>;
  /** True for a device certificate of the tenant root, as TLS would find out. */
  issuedHere(certificate: Uint8Array): boolean;
  /** Called with each open push connection, so that a restart can break it. */
  opened(cut: () => void): () => void;
}

/** Connects one device with a lab in memory: what TLS and HTTP would refuse, this refuses with the same errors. */
export function memoryTransport(network: MemoryNetwork, source: string): MemoryTransport {
  const pushes = new Set<() => void>();
  let closed = false;

  const requireOpen = (): void => {
    if (closed) throw new ProtocolError('ERR_USAGE_STATE', 'the transport is closed');
  };

  return {
    async exchange({ address, service, frame, trust, identity, signal }) {
      requireOpen();
      signal?.throwIfAborted();
      const listener = network.listeners.find((one) => one.address === address);
      if (listener === undefined) throw new ProtocolError('ERR_TRANSPORT_CONNECT', `nobody listens on ${address}`);
      requireTrusted(network, trust, listener.spkiPin);
      const peer = peerOf(network, listener, source, identity?.certificates[0]);
      if (!listener.services.includes(service)) throw new ProtocolError('ERR_TRANSPORT_HTTP', 'HTTP status 404', { details: { status: 404 } });
      // Neither side can change bytes that the other one holds.
      const answer = await abortable(listener.exchange({ service, frame: frame.slice(), peer }), signal);
      return frameOf(answer);
    },

    async openNoc(request) {
      requireOpen();
      request.signal?.throwIfAborted();
      const { noc } = network;
      if (request.address !== noc.address) throw new ProtocolError('ERR_TRANSPORT_CONNECT', `nobody listens on ${request.address}`);
      requireTrusted(network, request.trust, noc.spkiPin);
      return openMemoryNoc(network.noc.connect, request, source, pushes);
    },

    async openLink(request) {
      requireOpen();
      request.signal.throwIfAborted();
      const { noc } = network;
      if (request.address !== noc.address) throw new ProtocolError('ERR_TRANSPORT_CONNECT', `nobody listens on ${request.address}`);
      requireTrusted(network, request.trust, noc.spkiPin);
      return openMemoryLink(noc, request, source, pushes);
    },

    async openPush(request) {
      requireOpen();
      request.signal?.throwIfAborted();
      const { push } = network;
      if (request.address !== push.address) throw new ProtocolError('ERR_TRANSPORT_CONNECT', `nobody listens on ${request.address}`);
      requireTrusted(network, request.trust, push.spkiPin);
      return openMemoryPush(network, request, source, pushes);
    },

    release() {},

    async close() {
      closed = true;
      for (const cut of [...pushes]) cut();
    },
  };
}

function requireTrusted(network: MemoryNetwork, trust: MemoryTrust, spkiPin: Uint8Array): void {
  const { roots, spkiPins } = trust;
  const chained = roots === 'platform' || roots.length > 0;
  const rootFits = roots !== 'platform' && roots.some((root) => sameBytes(root, network.root));
  const pinFits = spkiPins.some((pin) => network.crypto.equal(pin, spkiPin));
  if ((!chained && spkiPins.length === 0) || (chained && !rootFits) || (spkiPins.length > 0 && !pinFits)) {
    throw new ProtocolError('ERR_TRANSPORT_TLS', 'the server is not one that the device trusts');
  }
}

function peerOf(network: MemoryNetwork, listener: MemoryListener, source: string, certificate: Uint8Array | undefined): PeerIdentity {
  if (!listener.requiresCertificate) return { kind: 'anonymous', source };
  if (certificate === undefined) throw new ProtocolError('ERR_TRANSPORT_TLS', 'the server asks for a certificate');
  const known = network.peers.get(certificate);
  if (known !== undefined) return known;
  if (!network.issuedHere(certificate)) throw new ProtocolError('ERR_TRANSPORT_TLS', 'the server does not know who issued the certificate');
  const peer: PeerIdentity = { kind: 'certificate', source, certificate: certificate.slice() };
  network.peers.set(certificate, peer);
  return peer;
}

function frameOf(answer: HostAnswer): Uint8Array {
  const http = (status: number): ProtocolError => new ProtocolError('ERR_TRANSPORT_HTTP', `HTTP status ${status}`, { details: { status } });
  switch (answer.status) {
    case 'answered':
      return answer.frame.slice();
    case 'malformed':
      throw http(400);
    case 'failed':
      throw http(500);
    case 'busy':
      throw new ProtocolError('ERR_REJECTED_BUSY', 'the server cannot answer now', { details: { retryAfterS: answer.retryAfterS } });
    case 'http':
      throw answer.code === 503 ? new ProtocolError('ERR_REJECTED_BUSY', 'the server cannot answer now', { details: { retryAfterS: 1 } }) : http(answer.code);
    case 'dropped':
      throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection closed before the answer');
  }
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function openMemoryPush(
  network: MemoryNetwork,
  request: MemoryPushRequest,
  source: string,
  pushes: Set<() => void>,
): { send(frame: Uint8Array): void; close(): void } {
  let open = true;
  // The service may end the connection while it is being made.
  let connection: PushConnection | undefined;
  const end = (error?: ProtocolError): void => {
    if (!open) return;
    open = false;
    pushes.delete(cut);
    forget();
    request.signal?.removeEventListener('abort', cut);
    connection?.closed();
    // As with a socket the device hears of it later, never inside its own call.
    queueMicrotask(() => request.onClose(error));
  };
  const cut = (): void => end(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the push connection broke'));
  const forget = network.opened(cut);
  connection = network.push.connect(
    {
      send(frame) {
        const copy = frame.slice();
        queueMicrotask(() => {
          if (open) request.onFrame(copy);
        });
      },
      ping() {
        if (open) connection?.alive();
      },
      close(why) {
        // Behind the frames that were sent before.
        queueMicrotask(() => (why === 'ended' ? end() : cut()));
      },
      cutOff: cut,
      unreadBytes: 0,
    },
    source,
  );
  if (open) {
    pushes.add(cut);
    request.signal?.addEventListener('abort', cut, { once: true });
  }
  return {
    send(frame) {
      const copy = frame.slice();
      if (open) queueMicrotask(() => connection?.received(copy));
    },
    close: () => end(),
  };
}
