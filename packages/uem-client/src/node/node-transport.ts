import type { SecureContext, TLSSocket } from 'node:tls';
import { isProtocolError, ProtocolError, sameBytes } from '@uemkit/protocol';
import { Client, type Dispatcher } from 'undici';
import type { TlsKeyStore } from '../key-store/software-key-store.ts';
import type { DeviceIdentity, ExchangeRequest, PushConnection, PushRequest, Trust, UemTransport } from '../transport.ts';
import { parseAddress } from '../transports/binding.ts';
import { exchangeFrame } from './frame-exchange.ts';
import { type OpenPushConnection, openPushConnection } from './push-connection.ts';
import { connectTls } from './tls-connect.ts';
import { TlsContexts } from './tls-contexts.ts';

export interface NodeTransportOptions {
  /** Gives the device's key to TLS. */
  readonly keyStore: Pick<TlsKeyStore, 'tlsKey'>;
  /** One object for all devices of a process, so that they share TLS contexts; default: an own one. */
  readonly contexts?: TlsContexts | undefined;
  /** Takes all requests instead of own connections; for tests with undici's `MockAgent`. */
  readonly dispatcher?: Dispatcher | undefined;
  /** Silence while connecting after which it is given up; default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Silence while waiting for an answer; default 30 s. The client's own limit is the other one. */
  readonly answerTimeoutMs?: number | undefined;
  /** Whether a new poll connection resumes the TLS session of the last one of this device; default true. */
  readonly resumeSessions?: boolean | undefined;
}

/**
 * Transport of one device on Node: undici over mutual TLS 1.3 with the device's own key and certificate, `ws` for push.
 * Holds at most one poll connection, made when needed and closed by `release`, and one push connection.
 */
export function nodeTransport(options: NodeTransportOptions): UemTransport {
  return new NodeTransport(options);
}

/** The connection for polls, and for whom it was made. */
interface PollConnection {
  readonly address: string;
  readonly trust: Trust;
  readonly identity: DeviceIdentity | undefined;
  readonly client: Client;
  /** An answer came over it, so a failure now may only mean that the server closed it at rest. */
  used: boolean;
}

/** How undici takes a connection. */
type ConnectCallback = (...outcome: [Error, null] | [null, TLSSocket]) => void;

/** TLS session of this device; never leaves the transport. */
interface SavedSession {
  readonly address: string;
  readonly trust: Trust;
  readonly identity: DeviceIdentity | undefined;
  readonly session: Buffer;
}

class NodeTransport implements UemTransport {
  readonly #options: NodeTransportOptions;
  readonly #contexts: TlsContexts;
  #poll: PollConnection | undefined;
  #session: SavedSession | undefined;
  #push: OpenPushConnection | undefined;
  #closed = false;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
    this.#contexts = options.contexts ?? new TlsContexts();
  }

  sharedTrust(trust: Trust): Trust {
    return this.#contexts.sharedTrust(trust);
  }

  async exchange(request: ExchangeRequest): Promise<Uint8Array> {
    this.#checkOpen();
    request.signal?.throwIfAborted();
    if (this.#options.dispatcher !== undefined) return exchangeFrame(this.#options.dispatcher, request);
    const connection = this.#connectionFor(request);
    const { used } = connection;
    try {
      const answer = await exchangeFrame(connection.client, request);
      connection.used = true;
      return answer;
    } catch (error) {
      if (!used || request.once === true || !isProtocolError(error) || error.code !== 'ERR_TRANSPORT_CLOSED') throw error;
    }
    // Every other request frame may be sent twice (docs/protocol), so one closed at rest costs no back-off.
    this.release();
    return exchangeFrame(this.#connectionFor(request).client, request);
  }

  async openPush(request: PushRequest): Promise<PushConnection> {
    this.#checkOpen();
    request.signal?.throwIfAborted();
    const context = this.#contexts.forRoots(request.trust.roots);
    this.#push = await openPushConnection(request, { context, pins: this.#contexts.pins, timeoutMs: this.#connectTimeoutMs });
    if (this.#closed) {
      this.#push.terminate();
      this.#checkOpen();
    }
    return this.#push;
  }

  release(): void {
    const client = this.#poll?.client;
    this.#poll = undefined;
    // A request that is under way is still answered.
    client?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#poll?.client;
    this.#poll = undefined;
    this.#session = undefined;
    this.#push?.terminate();
    this.#push = undefined;
    await client?.destroy();
  }

  get #connectTimeoutMs(): number {
    return this.#options.connectTimeoutMs ?? 10_000;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ProtocolError('ERR_USAGE_STATE', 'the transport is closed');
  }

  #connectionFor(request: ExchangeRequest): PollConnection {
    const { address, trust, identity } = request;
    const known = this.#poll;
    if (known !== undefined && isFor(known, address, trust, identity)) return known;
    // Before undici makes a URL of it: an address may come from a peer that nobody has authenticated yet.
    parseAddress(address);
    this.release();
    const answerTimeoutMs = this.#options.answerTimeoutMs ?? 30_000;
    const client = new Client(`https://${address}`, {
      pipelining: 1,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
      connect: (_options, callback) => this.#connect(address, trust, identity, callback),
    });
    const connection: PollConnection = { address, trust, identity, client, used: false };
    this.#poll = connection;
    return connection;
  }

  #connect(address: string, trust: Trust, identity: DeviceIdentity | undefined, callback: ConnectCallback): void {
    const saved = this.#session;
    const session = saved !== undefined && isFor(saved, address, trust, identity) ? saved.session : undefined;
    const resume = this.#options.resumeSessions ?? true;
    const onSession = (received: Buffer): void => {
      if (!this.#closed) this.#session = { address, trust, identity, session: received };
    };
    const timeoutMs = this.#connectTimeoutMs;
    const { pins } = this.#contexts;
    // Only UEM may give orders; to others the device shows no certificate.
    const serverRole = identity === undefined ? undefined : 'uem';
    this.#contextFor(trust, identity).then(
      (context) =>
        connectTls({ address, trust, context, pins, session, serverRole, timeoutMs, onSession: resume ? onSession : undefined }, (error, socket) => {
          // What resumed once may not resume again: the server has the last word in a full handshake.
          if (error !== null) this.#session = undefined;
          if (socket !== null) callback(null, socket);
          else callback(error ?? new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection'), null);
        }),
      (error: Error) => callback(error, null),
    );
  }

  async #contextFor(trust: Trust, identity: DeviceIdentity | undefined): Promise<SecureContext> {
    if (identity === undefined) return this.#contexts.forRoots(trust.roots);
    return this.#contexts.forDevice(trust.roots, identity.certificates, await this.#options.keyStore.tlsKey(identity.keyId));
  }
}

/** Equal by content: an activation and the management after it build these objects apart, and the connection between them is the dear part. */
function isFor(known: PollConnection | SavedSession, address: string, trust: Trust, identity: DeviceIdentity | undefined): boolean {
  return known.address === address && isSameTrust(known.trust, trust) && isSameIdentity(known.identity, identity);
}

function isSameTrust(a: Trust, b: Trust): boolean {
  return a === b || (isSameRoots(a.roots, b.roots) && isSameList(a.spkiPins, b.spkiPins));
}

function isSameRoots(a: Trust['roots'], b: Trust['roots']): boolean {
  return a === b || (a !== 'platform' && b !== 'platform' && isSameList(a, b));
}

function isSameIdentity(a: DeviceIdentity | undefined, b: DeviceIdentity | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return a.deviceId === b.deviceId && a.keyId === b.keyId && isSameList(a.certificates, b.certificates);
}

function isSameList(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a === b || (a.length === b.length && a.every((bytes, index) => sameBytes(bytes, b[index] as Uint8Array)));
}
